"""The command: python -m examples.query_cache [QUESTIONS]."""

import sys

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from examples.query_cache.measure import Run, measure
from examples.query_cache.postgres import postgres
from examples.query_cache.shop import Base, fill, questions

SHARE_OF_WRITES = 0.001


def runs(count: int) -> list[Run]:
    """Without and with the cache, each on a shop that is filled anew."""
    found = []
    with postgres() as url:
        engine = create_engine(url)
        for name, capacity in (("database alone", None), ("with augury", 1_000)):
            Base.metadata.drop_all(engine)
            Base.metadata.create_all(engine)
            with Session(engine) as session:
                fill(session, seed=1)
            asked = questions(count, seed=2, writes=SHARE_OF_WRITES)
            found.append(measure(name, engine, asked, capacity))
        engine.dispose()
    return found


def show(alone: Run, cached: Run) -> None:
    """Print the comparison."""
    if alone.digest != cached.digest:
        raise SystemExit("the answers differ")
    print(f"{'':16}{'answers':>9}{'hits':>8}{'queries':>9}{'median ms':>11}{'p99 ms':>8}")
    for run in (alone, cached):
        print(f"{run.name:16}{run.answers:9,}{run.hits:8,}{run.queries:9,}", end="")
        print(f"{run.median:11.2f}{run.p99:8.2f}")
    print(f"The same answers, and {1 - cached.queries / alone.queries:.0%} of the queries saved.")


if __name__ == "__main__":
    show(*runs(*map(int, sys.argv[1:2] or ["20000"])))
