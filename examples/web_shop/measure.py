"""The same visits with and without the proxy: what they cost, and that the answers agree."""

import hashlib
import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass

import httpx
from sqlalchemy import Engine, event

from examples.web_shop.visitors import Visit

__all__ = ["Run", "visit_all"]


@dataclass(frozen=True)
class Run:
    """What came of it."""

    name: str
    #: Answers to those who looked, and those that the proxy had.
    answers: int
    hits: int
    #: Statements that the database executed.
    queries: int
    #: Of all the answers in their order.
    digest: str
    #: Milliseconds per answer: the middle one, and that which 99% of them do not exceed.
    median: float
    p99: float


def visit_all(name: str, url: str, engine: Engine, asked: Iterable[Visit]) -> Run:
    """One visit after the other, over one connection."""
    executed, times, digest, hits = list[str](), list[float](), hashlib.sha256(), 0

    def count(*about: object) -> None:
        executed.append(str(about[2]))

    event.listen(engine, "before_cursor_execute", count)
    try:
        with httpx.Client(base_url=url, cookies={"visitor": "7"}, timeout=60) as client:
            for visit in asked:
                began = time.perf_counter()
                reply = client.request(visit.method, visit.target, content=visit.body or None)
                if visit.method == "GET":
                    times.append((time.perf_counter() - began) * 1e3)
                    hits += "; hit" in reply.headers.get("cache-status", "")
                digest.update(b"%d %b\n" % (reply.status_code, reply.content))
    finally:
        event.remove(engine, "before_cursor_execute", count)
    cuts = statistics.quantiles(times, n=100)
    return Run(name, len(times), hits, len(executed), digest.hexdigest(), cuts[49], cuts[98])
