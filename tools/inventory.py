"""Lists the packages of the gateway's image: a bill of materials (CycloneDX) and a list of licences.

    python -m tools.inventory build

Names and versions are those of ``requirements-gateway.lock``, licences those that the installed packages declare. The
same lock makes the same files, byte for byte. The Debian packages of the base image are not included: a scanner of
images lists those.
"""

from __future__ import annotations

import importlib.metadata
import re
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from license_expression import (  # type: ignore[import-untyped] # it ships no types
    AND,
    OR,
    LicenseSymbol,
    get_spdx_licensing,
)
from packageurl import PackageURL

ROOT = Path(__file__).resolve().parent.parent
MESSAGES = "tensorflow-cpu"
"""A package outside of the gateway's lock; the image has its message classes, from the wheel in the other lock."""

ALLOWED = frozenset(
    {
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CC0-1.0",
        "ISC",
        "MIT",
        "MIT-0",
        "MIT-CMU",
        "PSF-2.0",
        "Zlib",
    }
)
"""Licences that require only their text and a notice."""

EXCEPTIONS = {
    "certifi": ("MPL-2.0", "asks for the source of changes to its own files, and none are made"),
    "pyongc": ("CC-BY-SA-4.0", "the data of OpenNGC: named in README.md and docs, not changed"),
    "pyvips-binary": ("LGPL-3.0-or-later", "libvips as libraries of their own that whoever has the image can replace"),
    "sep": ("LGPL-3.0-or-later", "a library of its own that whoever has the image can replace"),
}
"""Packages with further requirements, and how each is met."""

_SPELLINGS = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD 3-Clause License": "BSD-3-Clause",
    "ISC License": "ISC",
    "LGPLv3+": "LGPL-3.0-or-later",
    "MIT License": "MIT",
}
_LOCKED = re.compile(r"^([a-z0-9-]+)==([^\s;\\]+)", re.MULTILINE)
_SPDX = get_spdx_licensing()


class InventoryError(Exception):
    """A package is not installed as it is locked, or declares no licence that is understood."""


@dataclass(frozen=True, slots=True)
class Part:
    """A package of the image: its name, its version, and its licence as an SPDX expression."""

    name: str
    version: str
    licence: str


def parts() -> list[Part]:
    """Return every package of the gateway's image, by name.

    Raises
    ------
    InventoryError
        The environment is not that of the locks (``make env``), or a licence can't be read.
    """
    locked = dict(_LOCKED.findall((ROOT / "requirements-gateway.lock").read_text(encoding="utf-8")))
    whole = dict(_LOCKED.findall((ROOT / "requirements.lock").read_text(encoding="utf-8")))
    locked[MESSAGES] = whole[MESSAGES]
    return [Part(name, version, licence(name, version)) for name, version in sorted(locked.items())]


def licence(name: str, version: str) -> str:
    """Return the licence that an installed package declares, as an SPDX expression."""
    try:
        stated = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        raise InventoryError(f"{name} {version} is locked and not installed: make env.") from None
    if stated["Version"] != version:
        raise InventoryError(f"{name} is installed as {stated['Version']} and locked as {version}: make env.")
    kinds = (kind.rpartition(" :: ")[2] for kind in stated.get_all("Classifier") or [] if kind.startswith("License ::"))
    fields = (text.strip() for field in ("License-Expression", "License") for text in stated.get_all(field) or [])
    for said in (*fields, *kinds):
        spelt = _SPELLINGS.get(said, said)
        if spelt and "\n" not in spelt and not _SPDX.validate(spelt).errors:
            return str(_SPDX.parse(spelt))
    raise InventoryError(f"{name} {version} states no licence that is understood.")


def is_allowed(part: Part) -> bool:
    """Return whether the requirements of a part's licence are met."""
    exception, _ = EXCEPTIONS.get(part.name, ("", ""))

    def holds(term: object) -> bool:
        if isinstance(term, AND):
            return all(map(holds, term.args))
        if isinstance(term, OR):
            return any(map(holds, term.args))
        return isinstance(term, LicenseSymbol) and (term.key in ALLOWED or term.key == exception)

    return holds(_SPDX.parse(part.licence))


def bill(found: list[Part]) -> str:
    """Return the bill of materials as CycloneDX 1.6 JSON."""
    version = importlib.metadata.version("inclinet-service")
    made = LicenseFactory()
    bom = Bom()
    bom.metadata.component = Component(
        name="inclinet-gateway",
        version=version,
        type=ComponentType.CONTAINER,
        licenses=[made.make_from_string("Apache-2.0")],
        bom_ref="inclinet-gateway",
    )
    for part in found:
        notes = [Property(name="inclinet:part", value="message classes only")] if part.name == MESSAGES else []
        address = PackageURL("pypi", name=part.name, version=part.version)
        bom.components.add(
            Component(
                name=part.name,
                version=part.version,
                bom_ref=address.to_string(),
                purl=address,
                licenses=[made.make_from_string(part.licence)],
                properties=notes,
            )
        )
    bom.register_dependency(bom.metadata.component, bom.components)
    content = "".join(f"{part.name}=={part.version}\n" for part in found)
    # a random number or the time would make two files of the same content differ
    bom.serial_number = uuid.uuid5(uuid.NAMESPACE_URL, f"inclinet-gateway/{version}\n{content}")
    bom.metadata.timestamp = None  # type: ignore[assignment] # the schema asks for none, the class sets one
    return f"{JsonV1Dot6(bom).output_as_string(indent=2)}\n"


def listed(found: list[Part]) -> str:
    """Return the licences as a Markdown table."""
    rows = ["# Licences of the gateway's image", "", "| package | version | licence | |", "| --- | --- | --- | --- |"]
    for part in found:
        note = EXCEPTIONS[part.name][1] if part.name in EXCEPTIONS else ""
        rows.append(f"| {part.name} | {part.version} | {part.licence} | {note} |")
    return "\n".join(rows) + "\n"


def main(folder: Path) -> int:
    """Write both files into ``folder``; return 1 where a licence's requirements are not met, else 0."""
    found = parts()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "inclinet-gateway.cdx.json").write_text(bill(found), encoding="utf-8")
    (folder / "licences.md").write_text(listed(found), encoding="utf-8")
    refused = [part for part in found if not is_allowed(part)]
    for part in refused:
        sys.stderr.write(f"{part.name} {part.version}: {part.licence} is not among the licences allowed.\n")
    sys.stdout.write(f"{len(found)} packages: {folder}/inclinet-gateway.cdx.json, {folder}/licences.md\n")
    return 1 if refused else 0


if __name__ == "__main__":
    try:
        sys.exit(main(Path(*sys.argv[1:])))
    except InventoryError as error:
        sys.exit(str(error))
