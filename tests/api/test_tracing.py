"""Spans of OpenTelemetry: what is recorded, whose child it is, and what it costs when it is off."""

from __future__ import annotations

import asyncio
import re
import sys
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from gateway.app import TracingMissing, create_app
from gateway.measure import many
from gateway.settings import Settings
from gateway.telemetry import otlp
from tests.support.collector import FakeCollector
from tests.support.fake_serving import FakeServing
from tests.support.gateway import RELEASE, gateway
from tests.support.logs import logged
from tests.support.manifests import models_of
from tests.support.pictures import disc, encoded
from tests.support.sky_fakes import FakeSky

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

FILE = {"file": ("galaxy.png", encoded(disc(128), "PNG"))}
TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """Takes the place of what sends spans; they are all there once the gateway has ended."""
    memory = InMemorySpanExporter()
    monkeypatch.setattr(otlp, "exporter", lambda _endpoint: memory)
    return memory


class Spans:
    """The finished spans, to be asked for by name."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self.all: Sequence[ReadableSpan] = exporter.get_finished_spans()

    def of(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.all if span.name == name]

    def one(self, name: str) -> ReadableSpan:
        (span,) = self.of(name)
        return span

    def parent(self, span: ReadableSpan) -> ReadableSpan:
        assert span.parent is not None, f"{span.name} has no parent"
        (found,) = [one for one in self.all if span.parent.span_id == number(one)]
        return found


def number(span: ReadableSpan) -> int:
    assert span.context is not None
    return int(span.context.span_id)


def known(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


async def test_a_question_is_one_trace_from_the_caller_to_the_sky_and_the_networks(
    exporter: InMemorySpanExporter,
) -> None:
    serving = FakeServing(models_of(RELEASE))
    sent = {"traceparent": f"00-{TRACE}-{CALLER}-01", "tracestate": "survey=7"}
    with FakeSky() as sky:
        urls: dict[str, Any] = dict(sky.urls)
        async with gateway(serving, otlp_endpoint=NOWHERE, **urls) as client:
            response = await client.get("/api/objname/NGC%207331", headers=sent, timeout=60)
        upstream = [seen.headers for fake in sky.services.values() for seen in fake.requests]
    assert response.status_code == 200
    spans = Spans(exporter)
    for span in spans.all:
        assert span.context is not None
        assert f"{span.context.trace_id:032x}" == TRACE
    request = spans.one("GET /api/objname/{name:path}")
    assert request.kind is SpanKind.SERVER
    assert request.parent is not None
    assert f"{request.parent.span_id:016x}" == CALLER
    assert known(request)["http.response.status_code"] == 200
    for stage in ("queue", "resolve", "cutout", "decode", "predict"):
        assert spans.parent(spans.one(stage)) is request, stage
    assert known(spans.one("resolve"))["inclinet.target"] == "NGC 7331"
    call = spans.one("GET SkyServer")
    assert call.kind is SpanKind.CLIENT
    assert spans.parent(call) is spans.one("cutout")
    assert known(call)["server.address"] == "127.0.0.1"
    batch = spans.one("batch")
    assert spans.parent(batch) is spans.one("predict")
    predicts = spans.of("Predict")
    assert {known(span)["inclinet.model"] for span in predicts} == set(models_of(RELEASE))
    assert {known(span)["rpc.response.status_code"] for span in predicts} == {"OK"}
    assert all(spans.parent(span) is batch for span in predicts)
    # and on to whoever is asked, each call by its own span
    assert set(serving.traces) == {f"00-{TRACE}-{number(span):016x}-01" for span in predicts}
    (seen,) = [headers for headers in upstream if headers["traceparent"].split("-")[2] == f"{number(call):016x}"]
    assert seen["traceparent"] == f"00-{TRACE}-{number(call):016x}-01"
    assert seen["tracestate"] == "survey=7"


async def test_an_upload_is_traced_without_its_content_or_the_clients_address(exporter: InMemorySpanExporter) -> None:
    async with gateway(otlp_endpoint=NOWHERE) as client:
        await client.post("/api/file", files=FILE, headers={"Authorization": "Bearer secret"})
    spans = Spans(exporter)
    assert spans.parent(spans.one("upload")).name == "POST /api/file"
    told = " ".join(f"{span.name} {known(span)}" for span in spans.all)
    for secret in ("galaxy.png", "PNG", "secret", "127.0.0.1"):
        assert secret not in told


async def test_failures_are_told_by_their_kind_alone(exporter: InMemorySpanExporter) -> None:
    serving = FakeServing(models_of(RELEASE), failing=dict.fromkeys(models_of(RELEASE), grpc.StatusCode.INTERNAL))
    async with gateway(serving, otlp_endpoint=NOWHERE) as client:
        await client.post("/api/file", files={"file": ("notes.txt", b"no image")})
        await client.post("/api/file", files=FILE)
    spans = Spans(exporter)
    assert [known(span).get("error.type") for span in spans.of("decode")] == ["unsupported-image", None]
    assert known(spans.one("predict"))["error.type"] == "quorum-lost"
    assert {known(span)["error.type"] for span in spans.of("Predict")} == {"INTERNAL"}
    bad, lost = spans.of("POST /api/file")
    # a client's mistake is no failure of this service
    assert bad.status.status_code is StatusCode.UNSET
    assert lost.status.status_code is StatusCode.ERROR
    assert not any(span.events for span in spans.all)


async def test_probes_are_not_traced(exporter: InMemorySpanExporter) -> None:
    async with gateway(otlp_endpoint=NOWHERE, root_path="/inclinet") as client:
        for path in ("/livez", "/readyz", "/metrics", "/inclinet/livez"):
            await client.get(path)
    assert Spans(exporter).all == ()


@pytest.mark.parametrize(
    ("share", "flags", "traced"), [(0.0, "01", False), (0.0, None, False), (1.0, "00", False), (1.0, None, True)]
)
async def test_a_caller_can_opt_out_of_tracing_and_not_into_it(
    *, share: float, flags: str | None, traced: bool, exporter: InMemorySpanExporter
) -> None:
    headers = {} if flags is None else {"traceparent": f"00-{TRACE}-{CALLER}-{flags}"}
    async with gateway(otlp_endpoint=NOWHERE, trace_share=share) as client:
        await client.get("/api/models", headers=headers)
    assert bool(Spans(exporter).all) is traced


async def test_forged_trace_headers_start_a_trace_of_their_own(exporter: InMemorySpanExporter) -> None:
    async with gateway(otlp_endpoint=NOWHERE) as client:
        for forged in ("00-zz-zz-01", "x" * 5000, f"00-{'0' * 32}-{CALLER}-01", ""):
            response = await client.get("/api/models", headers={"traceparent": forged})
            assert response.status_code == 200
    assert [span.parent for span in Spans(exporter).of("GET /api/models")] == [None] * 4


async def test_the_log_names_the_trace(exporter: InMemorySpanExporter) -> None:
    with logged() as log:
        async with gateway(otlp_endpoint=NOWHERE) as client:
            await client.post("/api/file", files=FILE, headers={"traceparent": f"00-{TRACE}-{CALLER}-01"})
    assert log.of("request")[0]["trace_id"] == TRACE
    assert Spans(exporter).all


async def test_only_the_first_rows_of_a_batch_are_traced(
    exporter: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many, "TRACED_ROWS", 2)
    parts = [("file", (f"{number}.png", FILE["file"][1])) for number in range(5)]
    async with gateway(otlp_endpoint=NOWHERE) as client:
        response = await client.post("/api/batch", files=[*parts, ("file", ("notes.txt", b"no image"))])
    assert len(response.text.splitlines()) == 6
    spans = Spans(exporter)
    rows = spans.of("row")
    assert sorted(known(span)["inclinet.row"] for span in rows) == [0, 1]
    assert {spans.parent(span).name for span in rows} == {"POST /api/batch"}
    assert len(spans.of("decode")) == 2


async def test_requests_that_share_a_batch_are_linked_to_it(exporter: InMemorySpanExporter) -> None:
    serving = FakeServing(models_of(RELEASE))
    serving.hold = asyncio.Event()
    async with gateway(serving, otlp_endpoint=NOWHERE, batches_in_flight=1) as client:
        asked = [asyncio.create_task(client.post("/api/file", files=FILE)) for _ in range(3)]
        while "inclinet_images_waiting 2.0" not in (await client.get("/metrics")).text:  # noqa: ASYNC110 - its own word
            await asyncio.sleep(0.01)
        serving.hold.set()
        assert {(await one).status_code for one in asked} == {200}
    spans = Spans(exporter)
    lone, shared = sorted(spans.of("batch"), key=lambda span: len(span.links))
    assert (known(lone)["inclinet.batch.images"], known(shared)["inclinet.batch.images"]) == (1, 2)
    (link,) = shared.links
    theirs = {number(span) for span in spans.of("predict")} - {number(spans.parent(lone)), number(spans.parent(shared))}
    assert {link.context.span_id} == theirs


async def test_a_collector_gets_the_spans_by_otlp() -> None:
    with FakeCollector() as collector:
        async with gateway(otlp_endpoint=f"{collector.url}/") as client:
            await client.post("/api/file", files=FILE)
    names = {span.name for span in collector.spans}
    assert names == {"POST /api/file", "upload", "queue", "decode", "predict", "batch", "Predict"}
    assert collector.resource["service.name"] == "inclinet-gateway"
    assert collector.resource["inclinet.release"] == "test"
    assert re.fullmatch(r"\d+\.\d+.*", collector.resource["service.version"])
    assert set(collector.content_types) == {"application/x-protobuf"}


async def test_a_collector_that_refuses_costs_a_line_of_log_and_no_request() -> None:
    with logged() as log, FakeCollector(status=400) as collector:
        async with gateway(otlp_endpoint=collector.url) as client:
            response = await client.post("/api/file", files=FILE)
    assert response.status_code == 200
    assert collector.requests
    assert any("export" in line["event"] for line in log.lines if line["level"] == "error")


async def test_off_no_tracer_is_made_and_nothing_is_sent_along() -> None:
    serving = FakeServing(models_of(RELEASE))
    async with gateway(serving) as client:
        await client.post("/api/file", files=FILE, headers={"traceparent": f"00-{TRACE}-{CALLER}-01"})
    assert serving.traces == []
    assert len(serving.batches) == 5


def test_a_collector_without_the_packages_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gateway.telemetry.otlp", None)
    monkeypatch.delattr("gateway.telemetry.otlp")
    with pytest.raises(TracingMissing, match=r"pip install 'inclinet-service\[tracing\]'"):
        create_app(Settings(otlp_endpoint=NOWHERE), manifest=RELEASE)


@pytest.mark.parametrize("endpoint", ["collector:4318", "grpc://collector", "http://a b", "http://collector?x=1"])
def test_an_endpoint_that_is_no_address_fails_at_the_start(endpoint: str) -> None:
    with pytest.raises(ValueError, match="otlp_endpoint"):
        Settings(otlp_endpoint=endpoint)
