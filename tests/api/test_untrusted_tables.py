"""A VOTable that names its data by an address is refused, however it hides the address, and nothing is asked."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from astropy.table import Table

from gateway.core import errors
from gateway.tables.reader import read_table
from tests.support.gateway import gateway
from tests.support.sky_client import Counter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def inner() -> Iterator[Counter]:
    """A service of the gateway's own network, which nobody outside may have asked."""
    with Counter() as fake:
        yield fake


def votable(data: str, *, before: str = "", attributes: str = "") -> str:
    return (
        f'<?xml version="1.0"?>{before}<VOTABLE version="1.3" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"{attributes}>'
        f'<RESOURCE><TABLE><FIELD name="pgc" datatype="int"/><DATA>{data}</DATA></TABLE></RESOURCE></VOTABLE>'
    )


ROWS = "<TABLEDATA><TR><TD>2557</TD></TR></TABLEDATA>"
HIDDEN = {
    "binary": votable('<BINARY><STREAM href="{url}" encoding="base64"/></BINARY>'),
    "binary2": votable('<BINARY2><STREAM href="{url}"/></BINARY2>'),
    "fits": votable('<FITS extnum="1"><STREAM href="{url}"/></FITS>'),
    "parquet": votable('<PARQUET type="VOTable-remote-file"><STREAM href="{url}"/></PARQUET>'),
    "a prefix": votable(
        '<v:BINARY><v:STREAM href="{url}"/></v:BINARY>',
        attributes=' xmlns:v="http://www.ivoa.net/xml/VOTable/v1.3"',
    ),
    "a default of the DTD": votable(
        "<BINARY><STREAM/></BINARY>",
        before='<!DOCTYPE VOTABLE [<!ATTLIST STREAM href CDATA "{url}">]>',
    ),
    "an entity": votable(
        "&x;", before="<!DOCTYPE VOTABLE [<!ENTITY x \"<BINARY><STR&#69;AM href='{url}'/></BINARY>\">]>"
    ),
    "an outer entity": votable("&x;", before='<!DOCTYPE VOTABLE [<!ENTITY x SYSTEM "{url}">]>'),
    "many entities": votable(
        "&b;", before='<!DOCTYPE VOTABLE [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]><!-- {url} -->'
    ),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
@pytest.mark.parametrize("text", list(HIDDEN.values()), ids=list(HIDDEN))
def test_an_address_in_a_votable_is_never_asked(text: str, encoding: str, inner: Counter) -> None:
    with pytest.raises(errors.BadTable) as told:
        read_table(text.replace("{url}", f"{inner.url}/secret").encode(encoding))
    assert inner.requests == []
    assert "secret" not in told.value.detail


def test_a_file_of_the_gateways_disk_is_never_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.vot"
    Table({"name": ["the-secret"]}).write(secret, format="votable", tabledata_format="binary")
    body = HIDDEN["binary"].replace("{url}", secret.as_uri())
    with pytest.raises(errors.BadTable, match="lie elsewhere"):
        read_table(body.encode())


async def test_it_is_told_as_a_table_that_can_not_be_used(inner: Counter) -> None:
    body = HIDDEN["fits"].replace("{url}", inner.url).encode()
    async with gateway() as client:
        response = await client.post("/api/batch", content=body, headers={"Content-Type": "application/xml"})
    assert response.status_code == 422
    assert response.json()["type"] == "urn:inclinet:problem:bad-table"
    assert inner.requests == []


@pytest.mark.parametrize("inside", ["tabledata", "binary", "binary2"])
def test_a_votable_with_its_data_inside_is_read_as_ever(inside: str) -> None:
    out = io.BytesIO()
    Table({"pgc": [2557, 69327]}).write(out, format="votable", tabledata_format=inside)
    assert [row["pgc"] for row in read_table(out.getvalue()).records()] == [2557, 69327]


def test_an_old_votable_names_its_dtd_and_links_to_pages_and_neither_is_fetched(inner: Counter) -> None:
    text = votable(ROWS, before=f'<!DOCTYPE VOTABLE SYSTEM "{inner.url}/VOTable.dtd">').replace(
        "<TABLE>", f'<LINK href="{inner.url}/page"/><TABLE>'
    )
    assert [row["pgc"] for row in read_table(text.encode()).records()] == [2557]
    assert inner.requests == []


def test_what_is_no_xml_is_left_to_the_reader_to_tell() -> None:
    for data in (b"<no table>", b"<", b"<\0\xff", votable(ROWS)[:-9].encode()):
        with pytest.raises(errors.BadTable, match="damaged"):
            read_table(data)
