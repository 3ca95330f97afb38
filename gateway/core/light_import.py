"""Imports generated message classes of a heavy package without running the package's ``__init__``."""

from __future__ import annotations

import importlib.util
import sys
import types
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def without_running(name: str) -> Iterator[None]:
    """Allow imports of modules below the package ``name`` without running its ``__init__``.

    The message classes of ``tensorflow-serving-api`` import those below ``tensorflow.core``; a plain import of these
    runs ``tensorflow/__init__.py``: 2.6 s and 550 MB for a dozen message definitions. Within the context an empty
    package with the same folder replaces it. Afterwards the package can be imported as usual.

    Raises
    ------
    ImportError
        The package is not installed.
    """
    if name in sys.modules:
        yield
        return
    spec = importlib.util.find_spec(name)
    if spec is None or spec.submodule_search_locations is None:
        raise ImportError(f"The message classes need the files of the package {name!r}, which is not installed.")
    package = types.ModuleType(name)
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules[name] = package
    try:
        yield
    finally:
        del sys.modules[name]
