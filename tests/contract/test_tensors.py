"""How tensors are decoded and encoded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.client import request_for, tensor
from tests.contract.repository import ECHOED
from tests.support.graphs import BOOL, DOUBLE, FLOAT, INT32, INT64, STRING, UINT8

if TYPE_CHECKING:
    from tests.contract.client import Server

HALF, BFLOAT16, COMPLEX64 = ECHOED["half"], ECHOED["bfloat16"], ECHOED["complex64"]


def echoed(server: Server, signature: str, proto: Any) -> Any:
    return server.predict(request_for("echo", {"x": proto}, signature=signature)).outputs["y"]


DECODED: dict[str, tuple[str, Any, str, list[Any], list[int]]] = {
    "typed field": ("float", tensor(FLOAT, (2,), float_val=[1.5, 2.5]), "float_val", [1.5, 2.5], [2]),
    "content": ("int32", tensor(INT32, (2,), tensor_content=b"\1\0\0\0\2\0\0\0"), "int_val", [1, 2], [2]),
    "content wins over the field": (
        "uint8",
        tensor(UINT8, (2,), tensor_content=b"\1\2", int_val=[7, 8]),
        "int_val",
        [1, 2],
        [2],
    ),
    "the last value is repeated": ("int64", tensor(INT64, (3,), int64_val=[4, 5]), "int64_val", [4, 5, 5], [3]),
    "no value is zero": ("double", tensor(DOUBLE, (2,)), "double_val", [0.0, 0.0], [2]),
    "no string is an empty one": ("string", tensor(STRING, (2,)), "string_val", [b"", b""], [2]),
    "surplus values are dropped": ("int32", tensor(INT32, (1,), int_val=[1, 2, 3]), "int_val", [1], [1]),
    "uint8 wraps": ("uint8", tensor(UINT8, (2,), int_val=[300, -1]), "int_val", [44, 255], [2]),
    "an unknown rank is a scalar": ("float", tensor(FLOAT, None, float_val=[3.0]), "float_val", [3.0], []),
    "strings are bytes": (
        "string",
        tensor(STRING, (2,), string_val=[b"\xff\0", b"x" * 99]),
        "string_val",
        [b"\xff\0", b"x" * 99],
        [2],
    ),
    "booleans": ("bool", tensor(BOOL, (2,), bool_val=[True, False]), "bool_val", [True, False], [2]),
    "half": ("half", tensor(HALF, (1,), half_val=[0x3C00]), "half_val", [0x3C00], [1]),
    "bfloat16": ("bfloat16", tensor(BFLOAT16, (1,), half_val=[0x3F80]), "half_val", [0x3F80], [1]),
    "complex": ("complex64", tensor(COMPLEX64, (1,), scomplex_val=[1.0, 2.0]), "scomplex_val", [1.0, 2.0], [1]),
}


@pytest.mark.parametrize("case", DECODED)
def test_a_tensor_comes_back_in_its_typed_field_and_at_full_length(server: Server, case: str) -> None:
    signature, proto, field, values, shape = DECODED[case]
    answer = echoed(server, signature, proto)
    assert list(getattr(answer, field)) == values
    assert [dim.size for dim in answer.tensor_shape.dim] == shape
    assert answer.tensor_content == b""
    assert answer.dtype == proto.dtype
