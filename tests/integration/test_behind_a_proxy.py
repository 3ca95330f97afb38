"""An institute's proxy before the service: what goes through it, what goes straight, and what is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import numpy as np
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from typer.testing import CliRunner

from gateway.core import errors
from gateway.core.models import Deadline
from gateway.inference.predictor import Predictor
from gateway.sky.http.retry_policy import RetryPolicy
from gateway.sky.http.service import Service
from gateway.telemetry import otlp
from inclinet.http.proxies import ProxyUnusable
from inclinet.main import app
from tests.support.collector import FakeCollector
from tests.support.fake_serving import FakeServing
from tests.support.forward_proxy import ForwardProxy
from tests.support.live import live_gateway
from tests.support.manifests import manifest, models_of
from tests.support.models import write_repository
from tests.support.pictures import disc, encoded
from tests.support.service import UpProcess
from tests.support.sky_client import Client, parse, soon
from tests.support.socks_proxy import SocksProxy
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from typer.testing import Result

    from tests.support.sky_client import Counter

RELEASE = manifest(3)
BATCH = np.zeros((1, 128, 128, 3), np.uint8)
DEAD = "http://127.0.0.1:9"
UNUSABLE = "socks4://127.0.0.1:9"
SAID = "names a proxy of the kind socks4://, which is not known"


@pytest.fixture
def proxy() -> Iterator[ForwardProxy]:
    with ForwardProxy() as one:
        yield one


async def read(address: str, *, through_proxy: bool = False) -> int:
    predictor = Predictor(
        address,
        RELEASE,
        quorum_fraction=1.0,
        call_timeout_s=30,
        retry_s=0.2,
        observe=lambda _model, _code, _seconds: None,
        through_proxy=through_proxy,
    )
    try:
        (reading,) = await predictor.read(BATCH, Deadline.after(30))
        return len(reading.flavors)
    finally:
        await predictor.aclose()


@pytest.mark.parametrize("variable", ["grpc_proxy", "https_proxy", "http_proxy", "HTTP_PROXY", "all_proxy"])
@pytest.mark.parametrize("through_proxy", [False, True])
async def test_networks_on_loopback_are_asked_straight(
    variable: str,
    through_proxy: bool,  # noqa: FBT001 - parameter
    proxy: ForwardProxy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(variable, proxy.url)
    async with FakeServing(models_of(RELEASE)) as serving:
        assert await read(serving.address, through_proxy=through_proxy) == 3
    assert proxy.seen == []


async def test_networks_elsewhere_are_asked_through_the_proxy_only_if_a_setting_says_so(
    proxy: ForwardProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", proxy.url)
    async with FakeServing(models_of(RELEASE)) as serving:
        proxy.leads["serving.invalid:8500"] = serving.address
        with pytest.raises(errors.QuorumLost):
            await read("serving.invalid:8500")
        assert proxy.seen == []
        assert await read("serving.invalid:8500", through_proxy=True) == 3
    assert set(proxy.seen) == {"CONNECT serving.invalid:8500"}


@pytest.mark.parametrize("no_proxy", ["", "::1", "127.0.0.1,localhost,::1,[::1]:80,10.0.0.0/8,fd00::/8, .local", "%,["])
async def test_an_archive_is_asked_through_the_proxy_and_loopback_straight_whatever_no_proxy_holds(
    no_proxy: str, proxy: ForwardProxy, one: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", proxy.url)
    monkeypatch.setenv("no_proxy", no_proxy)
    proxy.leads["archive.invalid:80"] = one.url.rpartition("/")[2]
    client = Client(RetryPolicy())
    away = Service("Fake", ("http://archive.invalid/api",))
    assert await client.get(away, "?q=1", parse, deadline=soon()) == "answer 1"
    here = Service("Here", (f"{one.url}/api",))
    assert await client.get(here, "?q=1", parse, deadline=soon()) == "answer 2"
    await client.aclose()
    assert proxy.seen == ["GET http://archive.invalid/api?q=1"]


@pytest.mark.parametrize("scheme", ["socks5", "SOCKS5H"])
async def test_an_archive_is_asked_through_a_socks_proxy_which_resolves_its_name(
    scheme: str, one: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SocksProxy({"archive.invalid:80": one.url.rpartition("/")[2]}) as proxy:
        monkeypatch.setenv("all_proxy", proxy.url.replace("socks5", scheme))
        client = Client(RetryPolicy(attempts=1))
        away = Service("Fake", ("http://archive.invalid/api",))
        assert await client.get(away, "?q=1", parse, deadline=soon()) == "answer 1"
        await client.aclose()
    assert proxy.seen == ["archive.invalid:80"]


def test_a_collector_behind_a_socks_proxy_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:9")
    with pytest.raises(ProxyUnusable, match="name the collector's host in no_proxy"):
        otlp.exporter("http://collector.invalid:4318")


async def test_an_archive_that_no_proxy_names_is_asked_straight(
    proxy: ForwardProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", ".invalid")
    client = Client(RetryPolicy(attempts=1))
    with pytest.raises(errors.UpstreamUnavailable, match=r"^Fake could not be reached\."):
        await client.get(Service("Fake", ("https://archive.invalid/api",)), "", parse, deadline=soon())
    await client.aclose()
    assert proxy.seen == []


async def test_a_proxy_that_refuses_is_told_apart_from_an_archive_that_is_down(
    proxy: ForwardProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", proxy.url)
    proxy.refuse = 407
    client = Client(RetryPolicy(attempts=1))
    with pytest.raises(
        errors.UpstreamUnavailable, match=r"^Fake could not be reached through the environment's proxy\."
    ):
        await client.get(Service("Fake", ("https://archive.invalid/api",)), "", parse, deadline=soon())
    await client.aclose()
    assert proxy.seen == ["CONNECT archive.invalid:443"]


async def test_an_archive_behind_a_proxy_that_can_not_be_used_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", UNUSABLE)
    client = Client(RetryPolicy(attempts=1))
    with pytest.raises(errors.UpstreamUnavailable, match=SAID):
        await client.get(Service("Fake", ("https://archive.invalid/api",)), "", parse, deadline=soon())
    await client.aclose()


def test_spans_go_straight_to_a_collector_on_loopback_and_through_the_proxy_elsewhere(
    proxy: ForwardProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", proxy.url)

    def send_a_span(endpoint: str) -> None:
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(otlp.exporter(endpoint)))
        provider.get_tracer("test").start_span("one").end()
        provider.shutdown()

    with FakeCollector() as collector:
        send_a_span(collector.url)
        assert [span.name for span in collector.spans] == ["one"]
    assert proxy.seen == []
    proxy.refuse = 403
    send_a_span("http://collector.invalid:4318")
    assert proxy.seen == ["POST http://collector.invalid:4318/v1/traces"]


ENVIRONMENTS = [
    {"http_proxy": DEAD, "https_proxy": DEAD},
    {"HTTP_PROXY": DEAD, "HTTPS_PROXY": DEAD, "NO_PROXY": "localhost,127.0.0.1,::1"},
    {"all_proxy": UNUSABLE},
    {"http_proxy": DEAD, "no_proxy": "::1"},
    {"http_proxy": "http://[", "https_proxy": "nonsense://"},
]


def inclinet(*arguments: str | Path, **environment: str) -> Result:
    return CliRunner(env={"COLUMNS": "400"} | environment).invoke(app, [*map(str, arguments)])


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "galaxy.png"
    path.write_bytes(encoded(disc(128), "PNG"))
    return path


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=str)
def test_the_command_line_asks_a_gateway_on_loopback_in_any_environment(
    environment: dict[str, str], picture: Path, tmp_path: Path
) -> None:
    with live_gateway() as gateway:
        asked = inclinet("image", picture, "--url", gateway.url, **environment)
        assert (asked.exit_code, asked.stderr) == (0, "")
        done = inclinet("batch", picture, "-o", tmp_path / "r.csv", "--url", gateway.url, **environment)
        assert done.exit_code == 0, done.stderr


@pytest.mark.parametrize(
    ("command", "value"),
    [("image", UNUSABLE), ("batch", UNUSABLE), ("name", UNUSABLE), ("image", "http://proxy:port"), ("batch", "no://x")],
)
def test_the_command_line_says_in_one_sentence_why_a_gateway_elsewhere_can_not_be_asked(
    command: str, value: str, picture: Path, tmp_path: Path
) -> None:
    more: list[str | Path] = ["-o", tmp_path / "r.csv"] if command == "batch" else []
    done = inclinet(command, picture, *more, "--url", "http://gateway.invalid", all_proxy=value)
    assert done.exit_code == 2
    assert done.stderr.startswith("The environment's all_proxy names ")
    assert done.stderr.count("\n") == 1


def test_the_service_starts_and_answers_behind_a_proxy_that_leads_nowhere(tmp_path: Path) -> None:
    release = write_repository(tmp_path / "release")
    with ForwardProxy() as proxy:
        environment = dict.fromkeys(("grpc_proxy", "http_proxy", "https_proxy", "ALL_PROXY"), proxy.url)
        environment["no_proxy"] = "::1,fd00::/8"
        up = UpProcess(tmp_path, f"--manifest={release.root / 'manifest.json'}", environment=environment)
        with up:
            files = {"file": ("galaxy.png", encoded(disc(128), "PNG"))}
            assert httpx.post(f"{up.url}/api/file", files=files, timeout=60).status_code == 200
        assert proxy.seen == []


def test_the_service_says_in_one_sentence_why_it_can_not_ask_the_sky(tmp_path: Path) -> None:
    release = write_repository(tmp_path / "release", flavors=1)
    manifest_path = f"--manifest={release.root / 'manifest.json'}"
    up = UpProcess(tmp_path, manifest_path, "--serving=127.0.0.1:9", environment={"all_proxy": UNUSABLE})
    up.launch()
    wait_until(up.ended, "it to give up", 120)
    assert up.stop() == 2
    assert SAID in up.output()
    assert "Traceback" not in up.output()


def test_a_batch_by_workers_says_in_one_sentence_why_it_can_not_ask_the_sky(tmp_path: Path) -> None:
    release = write_repository(tmp_path / "release", flavors=1)
    (tmp_path / "galaxies.csv").write_text("pgc\n2557\n")
    manifest_path = f"--manifest={release.root / 'manifest.json'}"
    arguments = (tmp_path / "galaxies.csv", "-o", tmp_path / "out.csv", "--dask", manifest_path)
    done = inclinet("batch", *arguments, "--serving=127.0.0.1:9", all_proxy=UNUSABLE)
    assert done.exit_code == 2
    assert SAID in done.stderr
