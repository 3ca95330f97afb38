"""What goes wrong, in the codes that gRPC and TensorFlow share and the texts of the real server."""

from __future__ import annotations

from grpc import StatusCode

MESSAGE_LIMIT_BYTES = 1024
"""The real server cuts the texts of its gRPC errors here (``model_servers/grpc_status_util.cc``)."""

_BY_NUMBER: dict[int, StatusCode] = {code.value[0]: code for code in StatusCode}


class StatusError(Exception):
    """A refusal or failure that the client is told about; ``code`` may be a number as TensorFlow counts them."""

    def __init__(self, code: StatusCode | int, message: str) -> None:
        self.code = _BY_NUMBER.get(code, StatusCode.UNKNOWN) if isinstance(code, int) else code
        self.message = message
        super().__init__(f"{self.code.name}: {message}")

    @property
    def wire_message(self) -> str:
        """The text as it goes out over gRPC: at most 1024 bytes and the mark of the cut."""
        data = self.message.encode()
        cut = data[:MESSAGE_LIMIT_BYTES].decode(errors="ignore")
        return self.message if len(data) <= MESSAGE_LIMIT_BYTES else f"{cut}...TRUNCATED"


def invalid(message: str) -> StatusError:
    """Return an INVALID_ARGUMENT."""
    return StatusError(StatusCode.INVALID_ARGUMENT, message)


def not_found(message: str) -> StatusError:
    """Return a NOT_FOUND."""
    return StatusError(StatusCode.NOT_FOUND, message)
