"""Settings of the gateway: environment variables ``INCLINET_*``, validated at start-up."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from gateway.sky import SURVEYS, SkySettings

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]


Origin = Annotated[str, Field(pattern=r"^https?://[a-z0-9.-]+(:\d+)?$")]
"""Origin as browsers send it: lower case, no path, no slash at the end, no wildcard."""

Mirror = Annotated[str, Field(pattern=r"^https?://[^\s/?#]+[^\s#]*$")]

_MIRRORS = "A JSON list, the preferred one first; the public ones unless set."


class Settings(BaseSettings):
    """All settings of an operator. Each field is the environment variable ``INCLINET_`` plus its name."""

    model_config = SettingsConfigDict(env_prefix="INCLINET_", frozen=True, extra="forbid", protected_namespaces=())

    # -- the ensemble
    serving: str = Field(
        default="127.0.0.1:8500",
        title="Address of TensorFlow Serving",
        description="host:port of its gRPC face. A DNS name with several addresses is balanced round robin.",
        pattern=r"^[^\s/]+:\d+$",
    )
    serving_through_proxy: bool = Field(
        default=False,
        title="Ask TensorFlow Serving through a proxy",
        description="Let gRPC take grpc_proxy, https_proxy, http_proxy and no_proxy from the environment; "
        "otherwise it goes straight to the address.",
    )
    pin_versions: bool = Field(
        default=True,
        title="Pin versions",
        description="Ask for the manifest's version of every network and take no other's word. Otherwise the newest "
        "that is served answers, with a warning where it is another than the manifest's.",
    )
    manifest: Path = Field(
        default=Path("model_repo/manifest.json"),
        title="Manifest of the model release",
        description="The same release that TensorFlow Serving hosts.",
    )
    quorum: float = Field(
        default=2 / 3,
        gt=0,
        le=1,
        title="Quorum",
        description="Fraction of the flavors that must answer for an answer to be given.",
    )
    max_batch: Count = Field(
        default=32,
        title="Largest batch",
        description="Model inputs that share one Predict call; not above the server's max_batch_size.",
    )
    batches_in_flight: Count = Field(
        default=2,
        title="Batches in flight",
        description="Most batches that TensorFlow Serving works on at the same time; images that come meanwhile gather "
        "for the next, which leaves once it is as large as the smallest that is out, or after a quarter of a second.",
    )

    predict_timeout_s: Seconds = Field(
        default=10.0,
        title="Longest time for one Predict",
        description="A network that takes longer counts as missing; within the request's deadline in any case.",
    )
    predict_retry_s: Seconds = Field(
        default=3.0,
        title="Time to go on trying",
        description="While TensorFlow Serving is unavailable (a restart), within the request's deadline.",
    )

    # -- requests
    root_path: str = Field(
        default="",
        title="Root path",
        description="Path prefix under which a proxy publishes the gateway, such as /inclinet.",
        pattern=r"^(/[^/\s]+)*$",
    )
    trusted_proxies: str = Field(
        default="127.0.0.1",
        title="Trusted proxies",
        description="Addresses or networks, separated by commas, whose X-Forwarded-For and -Proto are believed; "
        "without it all clients of a proxy share one rate limit.",
    )
    request_timeout_s: Seconds = Field(
        default=30.0,
        title="Deadline of a request",
        description="Spent by every step of it; retries never extend it.",
    )
    upload_timeout_s: Seconds = Field(
        default=20.0,
        title="Time for an upload to arrive",
        description="A client that sends more slowly is answered 408.",
    )
    max_upload_bytes: Count = Field(
        default=10_000_000,
        title="Largest upload",
        description="Bytes of one image file; enforced while reading.",
    )
    max_pixels: Count = Field(
        default=40_000_000,
        title="Most pixels of an image",
        description="Enforced from the header, before any pixel is decoded.",
    )
    max_concurrency: Count = Field(
        default=32,
        title="Requests worked on at the same time",
        description="Further ones wait in the queue.",
    )
    max_queue: Annotated[int, Field(ge=0)] = Field(
        default=64,
        title="Requests that may wait",
        description="Beyond this the gateway answers 503 with Retry-After at once.",
    )
    rate_limit_per_minute: Annotated[int, Field(ge=0)] = Field(
        default=0,
        title="Requests a client may make in a minute",
        description="By the name of the API key, or by client address (see trusted_proxies); 0 turns the limit off.",
    )

    # -- who may ask
    api_keys_file: Path | None = Field(
        default=None,
        title="File of API keys",
        description="Lines name:sha256 as `inclinet key new NAME` writes them; where set, /api answers holders of a "
        "key only. Read again when it changes.",
    )
    cors_origins: tuple[Origin, ...] | None = Field(
        default=None,
        title="Origins whose pages may ask",
        description="A JSON list of exact origins such as https://survey.example.org; "
        "pages from elsewhere can't read answers.",
    )

    # -- many galaxies
    max_batch_rows: Count = Field(default=10_000, title="Most rows of a batch")
    max_batch_bytes: Count = Field(default=100_000_000, title="Most bytes of a batch, its images included")
    batch_concurrency: Count = Field(
        default=48,
        title="Rows of a batch worked on at the same time",
        description="They share Predict calls; more than the largest batch keeps that full while others decode.",
    )

    # -- the sky
    catalog: Path | None = Field(
        default=None,
        title="Local catalogue",
        description="HyperLEDA columns as CSV, Parquet or VOTable; asked before anything else. "
        "`inclinet catalog download` fetches one.",
    )
    contact: str = Field(
        default="",
        title="Contact",
        description="Mail address or URL that the operators of public services can complain to; sent as User-Agent.",
    )
    cache_dir: Path | None = Field(
        default=None,
        title="Folder of the cache",
        description="Keeps what the public services answered, as long as it is valid; nothing is kept unless set.",
    )
    cache_max_bytes: Count = Field(default=256 * 1024 * 1024, title="Size of the cache, bytes")
    survey: str = Field(
        default="sdss", title="Default survey", description="Asked for cutouts unless a request names one."
    )
    service_calls: Count = Field(
        default=6,
        title="Calls to a public service at the same time",
        description="For each service, by each gateway: divide a service's limit among replicas. More calls wait.",
    )
    sdss_release: Annotated[int, Field(ge=8)] = Field(
        default=18,
        title="SDSS data release",
        description="Of SkyServer; the original system used 12.",
    )
    sesame_urls: tuple[Mirror, ...] | None = Field(default=None, title="Mirrors of CDS Sesame", description=_MIRRORS)
    simbad_urls: tuple[Mirror, ...] | None = Field(default=None, title="Mirrors of SIMBAD TAP", description=_MIRRORS)
    ned_urls: tuple[Mirror, ...] | None = Field(default=None, title="Mirrors of NED", description=_MIRRORS)
    hyperleda_urls: tuple[Mirror, ...] | None = Field(default=None, title="Mirrors of HyperLEDA", description=_MIRRORS)
    vizier_urls: tuple[Mirror, ...] | None = Field(default=None, title="Mirrors of VizieR TAP", description=_MIRRORS)
    skyserver_urls: tuple[Mirror, ...] | None = Field(default=None, title="Mirrors of SkyServer", description=_MIRRORS)
    hips2fits_urls: tuple[Mirror, ...] | None = Field(default=None, title="Mirrors of hips2fits", description=_MIRRORS)

    # -- what the operator sees
    log_level: str = Field(default="INFO", title="Log level", pattern=r"^(DEBUG|INFO|WARNING|ERROR)$")
    log_client_address: bool = Field(default=False, title="Log the addresses of clients")
    otlp_endpoint: str | None = Field(
        default=None,
        title="Collector of traces",
        description="Base URL of a collector that takes OTLP over HTTP, such as http://collector:4318; "
        "nothing is traced unless set.",
        pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$",
    )
    trace_share: float = Field(
        default=1.0, ge=0, le=1, title="Share of traced requests", description="0 to 1; the others cost nothing."
    )

    def sky(self) -> SkySettings:
        """Return the settings of the sky."""
        mirrors = {
            name: urls
            for name in type(self).model_fields
            if name.endswith("_urls") and (urls := getattr(self, name)) is not None
        }
        return SkySettings(
            sdss_release=self.sdss_release,
            default_survey=self.survey,
            contact=self.contact,
            cache_dir=self.cache_dir,
            cache_max_bytes=self.cache_max_bytes,
            names_concurrency=self.service_calls,
            cutouts_concurrency=self.service_calls,
            catalogue=self.catalog,
            **mirrors,
        )

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies_are_addresses(cls, value: str) -> str:
        for one in filter(None, (part.strip() for part in value.split(","))):
            if one != "*":
                ip_network(one)
        return value

    @field_validator("survey")
    @classmethod
    def _survey_is_known(cls, value: str) -> str:
        if value not in SURVEYS:
            raise ValueError(f"one of {', '.join(SURVEYS)}")
        return value

    @field_validator("root_path")
    @classmethod
    def _no_trailing_slash(cls, value: str) -> str:
        return value.rstrip("/")
