"""The use of each column of a table, as the API describes it."""

from __future__ import annotations

from pydantic import Field

from gateway.api.schemas.base import Schema


class ColumnUse(Schema):
    """What a column of a table is taken for."""

    column: str = Field(description="The column's name; of a split coordinate all of them.", examples=["RAJ2000"])
    unit: str | None = Field(description="Unit that the table declares.", examples=["deg"])
    read_as: str = Field(description="How its cells are read.", examples=["degrees"])


class FirstRow(Schema):
    """One of the first rows of a table, as it would be asked."""

    key: str = Field(description="The row's own key.", examples=["PGC 2557"])
    asked: str | None = Field(description="What would be asked.", examples=["PGC 2557"])
    problem: str | None = Field(description="Why nothing can be asked.", examples=[None])
    warnings: list[str] = Field(description="What of the row is passed over.", examples=[[]])


class ColumnsAnswer(Schema):
    """What the columns of a table are taken for."""

    columns: dict[str, ColumnUse] = Field(description="Role to column: key, pgc, name, ra, dec, fov, pa, file.")
    more_names: list[str] = Field(
        description="Columns of catalogue numbers that name a row where its name is empty.", examples=[["IC"]]
    )
    ignored: list[str] = Field(description="Columns that say nothing of what is asked.", examples=[["mag"]])
    warnings: list[str] = Field(description="What a person should look at.", examples=[[]])
    first_rows: list[FirstRow] = Field(description="The first rows, at most three.")
