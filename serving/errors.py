"""Errors, with the codes that gRPC and TensorFlow share and the texts of the real server."""

from __future__ import annotations

from grpc import StatusCode

MESSAGE_LIMIT_BYTES = 1024
"""Length to which the real server cuts the texts of its gRPC errors (``model_servers/grpc_status_util.cc``)."""

_BY_NUMBER: dict[int, StatusCode] = {code.value[0]: code for code in StatusCode}


class StatusError(Exception):
    """A refusal or failure for the client; ``code`` may be a number as TensorFlow counts them."""

    def __init__(self, code: StatusCode | int, message: str) -> None:
        self.code = _BY_NUMBER.get(code, StatusCode.UNKNOWN) if isinstance(code, int) else code
        self.message = message
        super().__init__(f"{self.code.name}: {message}")

    @property
    def wire_message(self) -> str:
        """Return the text that is sent over gRPC: at most 1024 bytes with the mark of the cut."""
        data = self.message.encode()
        cut = data[:MESSAGE_LIMIT_BYTES].decode(errors="ignore")
        return self.message if len(data) <= MESSAGE_LIMIT_BYTES else f"{cut}...TRUNCATED"


def invalid(message: str) -> StatusError:
    """Return an INVALID_ARGUMENT error."""
    return StatusError(StatusCode.INVALID_ARGUMENT, message)


def not_found(message: str) -> StatusError:
    """Return a NOT_FOUND error."""
    return StatusError(StatusCode.NOT_FOUND, message)
