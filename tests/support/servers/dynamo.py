"""One DynamoDB Local."""

from __future__ import annotations

from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException

from tests.support.servers import programs
from tests.support.servers.process import Server


class DynamoServer(Server):
    """A DynamoDB of one's own, which takes any credentials. It forgets everything at a restart.

    It listens on all addresses of the machine and cannot be told otherwise.

    Args:
        arguments: more of its command line, as ``"-delayTransientStatuses"``.
    """

    name = "dynamodb"
    # Java is slow to start where others work too.
    patience = 45.0

    def __init__(self, *arguments: str) -> None:
        super().__init__()
        self._arguments = arguments

    @property
    def url(self) -> str:
        """As boto3 takes it for ``endpoint_url``."""
        return f"http://{self.host}:{self.port}"

    def command(self) -> Sequence[str]:
        """The program and its arguments."""
        jar = programs.dynamodb_folder()
        return [
            programs.java(),
            # It runs for seconds, so it is not worth much compiling.
            *("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m"),
            # No file of its own in the common temporary folder.
            *("-XX:-UsePerfData", f"-Djava.io.tmpdir={self.folder}"),
            *(f"-Djava.library.path={jar}/DynamoDBLocal_lib", "-jar", f"{jar}/DynamoDBLocal.jar"),
            *("-inMemory", "-disableTelemetry", "-port", str(self.port)),
            *self._arguments,
        ]

    def is_ready(self) -> bool:
        """Whether it answers, be it that the request is none."""
        connection = HTTPConnection(self.host, self.port, timeout=2)
        try:
            connection.request("GET", "/")
            return connection.getresponse().getheader("x-amzn-RequestId") is not None
        except HTTPException:
            return False
        finally:
            connection.close()
