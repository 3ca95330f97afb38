"""Compiles all imported modules: ``python -m containers.bytecode MODULE…`` imports the modules first.

It runs while an image is built. The bytecode, also of Python's own library, goes to ``PYTHONPYCACHEPREFIX``: a
container with a read-only root could never store it, and would compile at every start.
"""

from __future__ import annotations

import importlib
import importlib.util
import py_compile
import sys


def compile_used() -> int:
    """Compile every module that has been imported; return the number."""
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    sources = {str(file) for file in files if file and str(file).endswith(".py")}
    for source in sources:
        py_compile.compile(
            source,
            cfile=importlib.util.cache_from_source(source),
            doraise=True,
            # Files of an image never change, so that no check of their time or content is needed.
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
    return len(sources)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        importlib.import_module(name)
    sys.stdout.write(f"{compile_used()} modules compiled.\n")
