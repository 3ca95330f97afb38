"""Removes files from an installed environment that no program here needs: ``python trim.py SITE_PACKAGES``.

It runs while an image is built, before the environment is used. If it removes too much, the build fails a step later,
where ``gateway_check.py`` sends every kind of question to a gateway.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
from pathlib import Path

FOLDERS = {
    "tests": "of every package",
    "test": "as above",
    "__pycache__": "bytecode is made at the end, of what is used",
    "numpy/distutils": "builds extensions",
    "numpy/f2py": "as above",
    "astropy/convolution": "a reader of tables, units and coordinates loads neither this nor the next",
    "astropy/cosmology": "",
    "astropy/modeling": "",
    "astropy/nddata": "",
    "astropy/samp": "",
    "astropy/stats": "",
    "astropy/timeseries": "",
    "astropy/visualization": "",
    "botocore/data/[!s]*": "descriptions of Amazon's services; S3, and what lets one in, begin with an s",
    "google/api": "Google's own services, of which only the statuses of calls are used",
    "google/type": "",
    "pyarrow/include": "for compilers, and so are the next",
    "pyarrow/includes": "",
    "pyarrow/src": "",
}
KEPT_FOLDERS = ("astropy/tests", "numpy/_core/tests")
"""Folders that their own package imports."""

FILES = {
    "*.pyi": "stubs, for type checkers",
    "*.pyx": "sources, for compilers, and so are the next",
    "*.pxd": "",
    "*.pxi": "",
    "*.c": "",
    "*.h": "",
    "*.hpp": "",
    "*.a": "",
    "numpy/_core/tests/test_*": "numpy.testing wants their folder only",
    "numpy/_core/tests/data/*": "",
    "numpy/_core/_simd.*.so": "a module of numpy's own tests",
    "astropy_iers_data/data/eopc04*": "rotation of the Earth since 1962, for observers: 8 MB with the next one",
    "astropy_iers_data/data/finals2000A*": "",
    "astropy/io/votable/data/*.xsd": "schemas, against which a table is checked on demand only",
    "PIL/_avif.*.so": "a format that is not read, and its decoder",
    "pillow.libs/libavif*": "",
    "PIL/_imagingft.*.so": "draws text, and so do the next",
    "pillow.libs/libfreetype*": "",
    "pillow.libs/libharfbuzz*": "",
    "pillow.libs/libbrotli*": "",
    "PIL/_imagingcms.*.so": "colour profiles, which libvips applies where a picture has one",
    "pillow.libs/liblcms2*": "",
    "PIL/_imagingtk.*.so": "windows",
    "grpc/_cython/_credentials/roots.pem": "of encrypted channels: the networks stand beside the gateway",
    "*.dist-info/RECORD": "what an installer would remove again",
    "*.dist-info/sboms/*": "of one package each; `make sbom` makes one of all",
    "rapidfuzz/**/*_avx2.*.so": "the same once more for newer processors; it does without",
    "rapidfuzz/distance/metrics_cpp.*.so": "compares forty names, for which its version in Python is enough",
    "pygments/lexers/[a-z]*.py": "colours for listings of every language: rich asks for none",
    "pygments/lexers/_*_builtins.py": "",
    "pyarrow/*flight*": "a client of a remote service, as the next are",
    "pyarrow/libarrow_s3*": "",
    "pyarrow/_s3fs*": "",
    "pyarrow/libarrow_python.so": "what its programs load goes by the name of its interface, .so.N",
    "pyarrow/libarrow_python.so.*.*": "",
    "numba/np/ufunc/tbbpool*.so": "threads by libraries that are not there, and so is the next",
    "numba/np/ufunc/omppool*.so": "",
    "fastapi_offline/static/redoc*": "a second page of the API, which is off",
}

REPACKED = ".libs"
"""Folders of libraries that the wheel's builder moved there: ``strip`` would break their ELF segments."""


def trim(root: Path) -> None:
    """Remove the files listed above and the debugging symbols of extension modules.

    Parameters
    ----------
    root : Path
        The ``site-packages`` of an environment.
    """
    for name in FOLDERS:
        for folder in sorted(root.rglob(name), reverse=True):
            if folder.is_dir() and folder.relative_to(root).as_posix() not in KEPT_FOLDERS:
                shutil.rmtree(folder)
    for pattern in FILES:
        for file in root.rglob(pattern):
            file.unlink()
    modules = [
        module
        for module in root.rglob("*.so")
        if not any(part.endswith(REPACKED) for part in module.relative_to(root).parts)
    ]
    strip = shutil.which("strip")
    if strip is None:
        sys.exit("strip is not installed: binutils has it.")
    subprocess.run([strip, "--strip-unneeded", *map(str, modules)], check=True)
    # An old strip may damage files of a newer linker, so each module is loaded as a test.
    for module in modules:
        ctypes.CDLL(str(module))


def size_mb(root: Path) -> float:
    """Return the size of all files below a folder, MB (10^6 bytes)."""
    return sum(file.lstat().st_size for file in root.rglob("*") if not file.is_dir()) / 1e6


if __name__ == "__main__":
    site_packages = Path(sys.argv[1])
    before = size_mb(site_packages)
    trim(site_packages)
    sys.stdout.write(f"{site_packages}: {before:.0f} MB, now {size_mb(site_packages):.0f} MB\n")
