"""Health and metrics, on an address of their own.

GET /healthz    200 while the proxy runs
GET /readyz     200 if the origin answers, 503 if it cannot be reached
GET /metrics    for Prometheus
"""

from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder

from augury import _core
from augury.proxy.app import Proxy
from augury.proxy.fields import first
from augury.proxy.origin import OriginFailed
from augury.proxy.replying import Send, send_text

__all__ = ["Admin", "Metrics"]


class Admin:
    """An ASGI application beside the proxy."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._registry = CollectorRegistry()
        self._registry.register(Metrics(proxy))

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Send,
    ) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        if scope["method"] != "GET":
            await send_text(send, 405, "GET alone is understood here", [(b"allow", b"GET")])
        elif scope["path"] == "/healthz":
            await send_text(send, 200, "ok")
        elif scope["path"] == "/readyz":
            await self._ready(send)
        elif scope["path"] == "/metrics":
            accept = first(scope["headers"], b"accept") or b""
            encode, kind = choose_encoder(accept.decode("latin-1"))
            body = encode(self._registry)
            fields = [(b"content-type", kind.encode()), (b"content-length", b"%d" % len(body))]
            await send({"type": "http.response.start", "status": 200, "headers": fields})
            await send({"type": "http.response.body", "body": body})
        else:
            await send_text(send, 404, "there are /healthz, /readyz and /metrics")

    async def _ready(self, send: Send) -> None:
        origin = self._proxy.fetcher.asker.origin
        try:
            arrival = await origin.ask("HEAD", b"/", [(b"host", origin.host)])
            await arrival.close()
        except OriginFailed as error:
            await send_text(send, 503, str(error))
        else:
            await send_text(send, 200, "ok")


class Metrics:
    """What Prometheus is told, read when it asks."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy

    def collect(self) -> Iterator[Metric]:
        """Every family."""
        proxy, counters = self._proxy, self._proxy.counters
        answers = CounterMetricFamily(
            "augury_proxy_answers", "Answers by how they came about", labels=["cache"]
        )
        for label, count in counters.answers.items():
            answers.add_metric([label], count)
        yield answers
        for name, text, number in (
            ("client_bytes", "Bytes of bodies sent to clients", counters.client_bytes),
            (
                "origin_bytes",
                "Bytes of bodies from the origin",
                counters.origin_bytes,
            ),
            ("origin_requests", "Requests to the origin", counters.origin_requests),
            ("origin_errors", "Requests that it did not answer", counters.origin_errors),
            ("stored", "Answers stored", counters.stored),
            ("revalidations", "Validations behind a client's back", counters.revalidations),
            ("ahead", "Fetches ahead of demand", counters.ahead),
            ("stood_in", "Stale answers in place of an error", counters.stood_in),
            ("collapsed", "Requests answered by another's flight", counters.collapsed),
            ("invalidations", "Targets and groups invalidated", counters.invalidations),
            ("disconnects", "Clients that left early", counters.disconnects),
            ("evictions", "Answers that had to leave", proxy.answers.cache.stats().evictions),
        ):
            yield CounterMetricFamily(f"augury_proxy_{name}", text, value=number)
        cache = proxy.answers.cache
        for name, text, number in (
            ("in_flight", "Requests being answered", counters.in_flight),
            ("entries", "Answers that are stored", len(cache)),
            ("used_bytes", "Bytes that they take", cache.used),
            ("capacity_bytes", "Bytes that they may take", cache.capacity),
        ):
            yield GaugeMetricFamily(f"augury_proxy_{name}", text, value=number)
        info = GaugeMetricFamily("augury_build_info", "The version", labels=["version"])
        info.add_metric([_core.__version__], 1)
        yield info
