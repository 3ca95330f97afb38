"""What goes wrong, in the codes that gRPC, TensorFlow and absl share, with the texts of the real server."""

from __future__ import annotations

import grpc

MESSAGE_LIMIT_BYTES = 1024
"""The real server cuts the texts of its gRPC errors here (``model_servers/grpc_status_util.cc``)."""

DATA_LOSS = grpc.StatusCode.DATA_LOSS

_BY_NUMBER: dict[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}


class StatusError(Exception):
    """A refusal or failure that the client is told about.

    Parameters
    ----------
    code : grpc.StatusCode
    message : str
        The whole text; what a gRPC client gets of it is :attr:`wire_message`.
    """

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(f"{code.name}: {message}")
        self.code = code
        self.message = message

    @property
    def number(self) -> int:
        """The code as TensorFlow and absl count it."""
        return int(self.code.value[0])

    @property
    def wire_message(self) -> str:
        """The text as it goes out over gRPC: at most 1024 bytes and the mark of the cut."""
        data = self.message.encode()
        if len(data) <= MESSAGE_LIMIT_BYTES:
            return self.message
        return data[:MESSAGE_LIMIT_BYTES].decode(errors="ignore") + "...TRUNCATED"


def from_number(number: int, message: str) -> StatusError:
    """Return the error for a numeric code, as TensorFlow's C interface reports it."""
    return StatusError(_BY_NUMBER.get(number, grpc.StatusCode.UNKNOWN), message)


def invalid(message: str) -> StatusError:
    """INVALID_ARGUMENT."""
    return StatusError(grpc.StatusCode.INVALID_ARGUMENT, message)


def not_found(message: str) -> StatusError:
    """NOT_FOUND."""
    return StatusError(grpc.StatusCode.NOT_FOUND, message)


def failed_precondition(message: str) -> StatusError:
    """FAILED_PRECONDITION."""
    return StatusError(grpc.StatusCode.FAILED_PRECONDITION, message)


def unimplemented(message: str) -> StatusError:
    """UNIMPLEMENTED."""
    return StatusError(grpc.StatusCode.UNIMPLEMENTED, message)
