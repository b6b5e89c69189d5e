"""The command: python -m examples.web_shop [VISITS]."""

import sys

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from examples.query_cache.postgres import postgres
from examples.query_cache.shop import Base, fill
from examples.web_shop.app import shop
from examples.web_shop.measure import Run, visit_all
from examples.web_shop.servers import fronted, served
from examples.web_shop.visitors import visits

SHARE_OF_WRITES = 0.01


def runs(count: int, writes: float = SHARE_OF_WRITES) -> tuple[Run, Run]:
    """The shop alone and through the proxy, each filled anew."""
    with postgres() as database:
        engine = create_engine(database, pool_size=10)
        with served(shop(engine)) as origin:

            def anew() -> None:
                Base.metadata.drop_all(engine)
                Base.metadata.create_all(engine)
                with Session(engine) as session:
                    fill(session, seed=1)

            anew()
            alone = visit_all("shop alone", origin, engine, visits(count, 2, writes))
            anew()
            with fronted(origin, "--memory", "16 MB") as front:
                cached = visit_all("with augury", front, engine, visits(count, 2, writes))
        engine.dispose()
    return alone, cached


def show(alone: Run, cached: Run) -> None:
    """Print the comparison."""
    if alone.digest != cached.digest:
        raise SystemExit("the answers differ")
    print(f"{'':12}{'answers':>9}{'hits':>8}{'queries':>9}{'median ms':>11}{'p99 ms':>8}")
    for run in (alone, cached):
        print(f"{run.name:12}{run.answers:9,}{run.hits:8,}{run.queries:9,}", end="")
        print(f"{run.median:11.2f}{run.p99:8.2f}")
    print(f"The same answers, and {1 - cached.queries / alone.queries:.0%} of the queries saved.")


if __name__ == "__main__":
    show(*runs(*map(int, sys.argv[1:2] or ["5000"])))
