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
from dataclasses import dataclass, field
from http.client import HTTPConnection
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
    log_format record escape=none '$request_method $request_uri $status'
        '|$http_if_none_match|$http_if_modified_since|$http_range|$http_if_range';
    access_log {home}/access.log record;
    proxy_cache_path {home}/cache keys_zone=web:1m;
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
        location /found/ {{ rewrite ^/found/(.*)$ /$1 redirect; }}
        location /old/ {{
            add_header Cache-Control max-age=60;
            add_header Age 50;
        }}
        location /checked/ {{ add_header Cache-Control no-cache; }}
        location /strict/ {{ add_header Cache-Control "max-age=60, must-revalidate"; }}
        location /lenient/ {{ add_header Cache-Control "max-age=60, stale-if-error=600"; }}
        location /absent/ {{ add_header Cache-Control max-age=60 always; }}
        location /gone/ {{ return 410; }}
        location /dav/ {{
            expires 1h;
            dav_methods PUT DELETE;
        }}
        location /accepts/ {{
            expires 1h;
            error_page 405 =204 /accepted;
        }}
        location = /accepted {{ return 204; }}
        location /proxied/ {{
            proxy_pass http://127.0.0.1:{port}/hour/;
            proxy_cache web;
            add_header X-Cache-Status $upstream_cache_status;
        }}
    }}
}}
"""


@dataclass(frozen=True)
class Asked:
    """A request as the server noted it; a field that it did not have is empty."""

    line: str
    if_none_match: str
    if_modified_since: str
    range: str
    if_range: str


@dataclass
class Nginx:
    """A server of its own.

    Attributes:
        url: the address to ask, without a slash at the end.
        home: its folder.
        command: what starts it.
    """

    url: str
    home: Path
    command: list[str]
    _process: subprocess.Popen[bytes] | None = None
    _seen: int = 0
    _marks: list[str] = field(default_factory=list[str])

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(self.command, stderr=subprocess.DEVNULL)
        _wait_for(self._process, int(self.url.rpartition(":")[2]), self.home / "error.log")

    def stop(self) -> None:
        """End it; connections are closed."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=5)
        process.kill()
        process.wait()

    def asked(self) -> list[Asked]:
        """What has reached it since this was called last."""
        # Its only process writes the log in the order of the requests, each when it is done.
        mark = f"/mark/{len(self._marks)}"
        self._marks.append(mark)
        connection = HTTPConnection(self.url.removeprefix("http://"), timeout=5)
        connection.request("GET", mark)
        connection.getresponse().read()
        connection.close()
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            lines = (self.home / "access.log").read_text().splitlines()
            if any(mark in line for line in lines):
                found = [Asked(*line.split("|")) for line in lines[self._seen :]]
                self._seen = len(lines)
                return [one for one in found if "/mark/" not in one.line]
            time.sleep(0.001)
        raise RuntimeError("nginx noted nothing")


@contextmanager
def nginx(root: Path) -> Iterator[Nginx]:
    """Serve the files under `root`.

    What lies in `hour/` or `second/` is fresh that long, what lies in `past/` never is, and
    `never/` may not be stored. `/moved/x` redirects to `/x` for good. The other folders are in
    the configuration above.
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
        server = Nginx(f"http://127.0.0.1:{port}", Path(home), command)
        try:
            server.start()
            yield server
        finally:
            server.stop()


@contextmanager
def running_nginx(root: Path) -> Iterator[str]:
    """Serve the files under `root` and yield the address to ask, without a slash at the end."""
    with nginx(root) as server:
        yield server.url


def _wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.01)
    message = f"nginx did not start: {log.read_text() if log.exists() else 'no log'}"
    raise RuntimeError(message)
