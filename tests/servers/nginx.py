"""A real nginx for tests: its own folder, a free port on the loopback address, one process."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# Servers live in sbin, which is not on everyone's path.
_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"])

# Every file under `root` is served with ETag, Last-Modified and ranges, as nginx always does;
# the folders below add what a test may want of the headers.
_CONFIG = """
{user}
daemon off;
master_process off;
pid {home}/nginx.pid;
error_log {home}/error.log warn;
events {{ worker_connections 256; }}
http {{
    access_log {home}/access.log;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    types {{
        text/html html;
        text/plain txt;
        application/json json;
    }}
    default_type application/octet-stream;
    gzip on;
    gzip_min_length 1;
    gzip_vary on;
    gzip_types text/plain application/json;
    server {{
        listen 127.0.0.1:{port} reuseport;
        root "{root}";
        location /hour/ {{ expires 1h; }}
        location /second/ {{ expires 1s; }}
        location /past/ {{ expires -1; }}
        location /never/ {{ add_header Cache-Control no-store; }}
        location /moved/ {{ rewrite ^/moved/(.*)$ /$1 permanent; }}
    }}
}}
"""


@contextmanager
def running_nginx(root: Path) -> Iterator[str]:
    """Serve the files under `root` and yield the address to ask, without a slash at the end.

    What lies in `hour/` or `second/` is fresh that long, what lies in `past/` never is, and
    `never/` may not be stored. `/moved/x` redirects to `/x` for good.
    """
    program = shutil.which("nginx", path=_PATH)
    if program is None:
        message = "nginx is not installed: run `make servers`"
        raise RuntimeError(message)
    with tempfile.TemporaryDirectory(prefix="nginx-") as home, socket.socket() as reserved:
        # Bound but not listening: nobody else is given the port, and nginx may share it.
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        config = Path(home, "nginx.conf")
        # As root, nginx would serve as `nobody`, who may not read a test's folder.
        user = "user root;" if os.geteuid() == 0 else ""
        config.write_text(_CONFIG.format(home=home, port=port, root=root.resolve(), user=user))
        command = [program, "-p", home, "-e", f"{home}/error.log", "-c", str(config)]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            try:
                _wait_for(process, port, Path(home, "error.log"))
                yield f"http://127.0.0.1:{port}"
            finally:
                process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=5)
                process.kill()


def _wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.01)
    message = f"nginx did not start: {log.read_text() if log.exists() else 'no log'}"
    raise RuntimeError(message)
