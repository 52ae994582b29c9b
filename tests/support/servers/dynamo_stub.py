"""Stands before a DynamoDB and does what DynamoDB Local never does."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

Answer = tuple[int, dict[str, Any]]
Instead = Callable[[str, dict[str, Any], Callable[[dict[str, Any]], Answer]], Answer | None]
"""Given an operation, its arguments and what asks the server: the answer, or None for the
server's own. ConnectionAbortedError closes the connection instead."""


def error(code: str, message: str = "not now", **more: Any) -> Answer:
    """What DynamoDB answers where it will not do something."""
    kind = f"com.amazonaws.dynamodb.v20120810#{code}"
    return 400, {"__type": kind, "message": message, "Message": message, **more}


class Stub:
    """A server that asks another one.

    Attributes:
        url: of this one.
        instead: answers in the place of the server.
        seen: the operations in the order of their arrival.
    """

    def __init__(self, url: str, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.instead: Instead | None = None
        self.seen: list[str] = []
        self.target = urlsplit(url).netloc


@contextmanager
def stub_before(url: str) -> Iterator[Stub]:
    """A :class:`Stub` before the server of this URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # A body does not wait until the head before it has been confirmed.
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            operation = self.headers["X-Amz-Target"].rpartition(".")[2]
            stub.seen.append(operation)

            def ask(arguments: dict[str, Any]) -> Answer:
                connection = HTTPConnection(stub.target, timeout=10)
                try:
                    headers = {
                        name: value
                        for name, value in self.headers.items()
                        if name.lower() not in ("host", "content-length")
                    }
                    connection.request("POST", "/", json.dumps(arguments), headers)
                    answer = connection.getresponse()
                    return answer.status, json.loads(answer.read())
                finally:
                    connection.close()

            arguments = json.loads(body)
            try:
                answer = stub.instead(operation, arguments, ask) if stub.instead else None
            except ConnectionAbortedError:
                self.close_connection = True
                return
            status, told = ask(arguments) if answer is None else answer
            sent = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """Clients go away without a word."""

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    stub = Stub(url, server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
