"""The same questions with and without the cache: what they cost, and that the answers agree."""

import hashlib
import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Engine, event, update
from sqlalchemy.orm import Session, sessionmaker

from examples.query_cache.query_cache import QueryCache
from examples.query_cache.shop import STATEMENTS, Product, Question

__all__ = ["Run", "ask", "measure"]


@dataclass(frozen=True)
class Run:
    """What came of it."""

    name: str
    #: Answers, and those that came from the cache.
    answers: int
    hits: int
    #: Statements that the database executed.
    queries: int
    #: Of all the answers in their order.
    digest: str
    #: Milliseconds per answer: the middle one, and that which 99% of them do not exceed.
    median: float
    p99: float


def ask(session: Session, question: Question) -> str:
    """The answer, or what a change of price has done."""
    if question.kind == "price":
        session.execute(
            update(Product).where(Product.id == question.product).values(cents=Product.cents + 1)
        )
        session.commit()
        return "changed"
    return str(session.execute(STATEMENTS[question.kind], {"product": question.product}).all())


def measure(
    name: str, engine: Engine, asked: Iterable[Question], capacity: int | str | None
) -> Run:
    """Ask them one after the other, each in a session of its own; no cache where there is None."""
    sessions = sessionmaker(engine)
    cached = None if capacity is None else QueryCache(sessions, capacity, ttl=600)
    executed, times, digest = list[str](), list[float](), hashlib.sha256()

    def count(*about: object) -> None:
        executed.append(str(about[2]))

    event.listen(engine, "before_cursor_execute", count)
    try:
        for question in asked:
            began = time.perf_counter()
            with sessions() as session:
                answer = ask(session, question)
            if question.kind != "price":
                times.append((time.perf_counter() - began) * 1e3)
            digest.update(answer.encode())
    finally:
        event.remove(engine, "before_cursor_execute", count)
    hits = 0 if cached is None else cached.cache.stats().hits
    cuts = statistics.quantiles(times, n=100)
    return Run(name, len(times), hits, len(executed), digest.hexdigest(), cuts[49], cuts[98])
