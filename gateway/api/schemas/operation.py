"""Failures, and the state of a replica."""

from __future__ import annotations

from pydantic import Field

from gateway.api.schemas.base import Schema


class Problem(Schema):
    """A failure, as RFC 9457 describes them. Some kinds have further members."""

    type: str = Field(description="Stable identifier of the kind.", examples=["urn:inclinet:problem:bad-image"])
    title: str = Field(description="The kind in words.", examples=["Image can't be used"])
    status: int = Field(description="HTTP status.", examples=[422])
    detail: str = Field(description="What happened this time.", examples=["The image file is truncated."])
    instance: str = Field(default="", description="Path that was asked.", examples=["/api/file"])


class Health(Schema):
    """The state of this replica."""

    status: str = Field(description="`ok`, or what is missing or served instead.", examples=["ok"])
    flavors_available: int | None = Field(default=None, description="Flavors that can be asked.", examples=[4])
    quorum: int | None = Field(default=None, description="Flavors that must be.", examples=[3])
