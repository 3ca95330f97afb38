"""A model as the services see it: a session, its signatures, and how large a request may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from serving import status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serving.session import Session
    from serving.tensors import Tensor

DEFAULT_SIGNATURE = "serving_default"


@dataclass(slots=True)
class Model:
    """What a loaded version offers.

    Attributes
    ----------
    session : serving.session.Session
    max_batch_size : int, optional
        With batching enabled, the rows that one request may have.
    """

    session: Session
    max_batch_size: int | None = None

    def run(
        self, feeds: Sequence[tuple[str, Tensor]], fetches: Sequence[str], *, timeout_ms: int | None
    ) -> list[Tensor]:
        """Run the graph; as :meth:`serving.session.Session.run`, within the limits of batching."""
        if self.max_batch_size is not None:
            _check_batch([tensor for _, tensor in feeds], self.max_batch_size)
        return self.session.run(feeds, fetches, timeout_ms=timeout_ms)

    def close(self) -> None:
        """Give the model's memory back."""
        self.session.close()


def _check_batch(tensors: Sequence[Tensor], max_batch_size: int) -> None:
    shapes = [tensor.shape for tensor in tensors]
    if not all(shapes):
        raise status.invalid("Batching input tensors must have at least one dimension.")
    rows = {shape[0] for shape in shapes}
    if len(rows) > 1:
        raise status.invalid(
            "Batching input tensors supplied in a given op invocation must have equal 0th-dimension size."
        )
    for size in rows:
        if size > max_batch_size:
            raise status.invalid(f"Task size {size} is larger than maximum input batch size {max_batch_size}")
