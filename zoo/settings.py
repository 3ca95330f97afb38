"""Settings of the zoo: environment variables ``INCLINET_ZOO_*``, validated at start-up."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from gateway.settings import Count, Seconds


class ZooSettings(BaseSettings):
    """All settings of the zoo's operator. The sky's own settings are those of the gateway."""

    model_config = SettingsConfigDict(env_prefix="INCLINET_ZOO_", frozen=True, extra="forbid")

    database: str = Field(
        default="sqlite:///.inclinet/zoo/zoo.sqlite",
        title="Database",
        description="sqlite:///path, or postgresql+psycopg://user:password@host/name. Tables are made at the start.",
        pattern=r"^(sqlite|postgresql\+psycopg):",
        repr=False,
    )
    pictures: Path | None = Field(
        default=None,
        title="Folder of own pictures",
        description="Pictures that tables of targets name in their column file; JPEG, PNG, WebP, GIF, TIFF or FITS.",
    )
    standards: Path | None = Field(
        default=None,
        title="Standards",
        description="The archive that `python -m zoo standards` wrote; those that come with the zoo unless set.",
    )
    api_keys_file: Path | None = Field(
        default=None,
        title="File of API keys",
        description="Lines name:sha256 as `inclinet key new NAME` writes them. A key names who measures with it.",
    )
    moderators: tuple[str, ...] = Field(
        default=("moderator",),
        title="Moderators",
        description="A JSON list of names of keys that may make projects and moderate.",
    )
    anonymous: bool = Field(
        default=True,
        title="Let people measure without a key",
        description="Known by a token that their browser keeps; they count once they are calibrated.",
    )
    root_path: str = Field(
        default="",
        title="Root path",
        description="Path prefix under which a proxy publishes the zoo, such as /zoo.",
        pattern=r"^(/[^/\s]+)*$",
    )
    trusted_proxies: str = Field(
        default="127.0.0.1",
        title="Trusted proxies",
        description="Addresses or networks, separated by commas, whose X-Forwarded-For and -Proto are believed.",
    )
    request_timeout_s: Seconds = Field(default=30.0, title="Deadline of a request")
    max_upload_bytes: Count = Field(default=20_000_000, title="Largest table of targets")
    max_targets: Count = Field(default=100_000, title="Most rows of a table of targets")
    max_concurrency: Count = Field(default=32, title="Requests worked on at the same time")
    max_queue: Annotated[int, Field(ge=0)] = Field(
        default=256, title="Requests that may wait", description="Beyond this the zoo answers 503 with Retry-After."
    )
    rate_limit_per_minute: Annotated[int, Field(ge=0)] = Field(
        default=600,
        title="Requests one person may make in a minute",
        description="Those without a key or token are counted by address; 0 turns the limit off.",
    )
    tokens_per_minute: Annotated[int, Field(ge=0)] = Field(
        default=60,
        title="Browser's tokens an address may get in a minute",
        description="A class behind one address needs one each; 0 turns the limit off.",
    )
    practice: Annotated[int, Field(ge=0)] = Field(
        default=5, title="Practice galaxies", description="Given first, with their true inclinations as feedback."
    )
    lease_minutes: Annotated[float, Field(gt=0)] = Field(
        default=60.0,
        title="Minutes that a galaxy is kept for a person",
        description="After that others get it too; an answer that comes later still counts.",
    )
    log_level: str = Field(default="INFO", title="Log level", pattern=r"^(DEBUG|INFO|WARNING|ERROR)$")
    log_client_address: bool = Field(default=False, title="Log the addresses of clients")
