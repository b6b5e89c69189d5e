"""The worked application: answers from the cache are those of the database, a PostgreSQL server."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from examples.query_cache.__main__ import runs, show
from examples.query_cache.measure import ask
from examples.query_cache.postgres import postgres
from examples.query_cache.query_cache import QueryCache
from examples.query_cache.shop import STATEMENTS, Base, Product, Question
from sqlalchemy import Engine, create_engine, event, update
from sqlalchemy.orm import Session, sessionmaker

PAGE = Question("page", 1)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """Of a server with a shop of two products."""
    with postgres() as url:
        engine = create_engine(url)
        Base.metadata.create_all(engine)
        yield engine
        engine.dispose()


@pytest.fixture
def sessions(engine: Engine) -> sessionmaker[Session]:
    """A factory of sessions, with the shop as it is at first."""
    with Session(engine) as session:
        session.query(Product).delete()
        session.add_all(Product(id=n, shelf=n, name=f"product {n}", cents=100) for n in (1, 2))
        session.commit()
    return sessionmaker(engine)


@pytest.fixture
def queries(engine: Engine) -> Iterator[list[str]]:
    """The statements that the database executes."""
    found: list[str] = []

    def note(*about: object) -> None:
        found.append(str(about[2]))

    event.listen(engine, "before_cursor_execute", note)
    yield found
    event.remove(engine, "before_cursor_execute", note)


def price(sessions: sessionmaker[Session], product: int = 1) -> int:
    """What the page of a product says."""
    with sessions() as session:
        cents: int = session.execute(STATEMENTS["page"], {"product": product}).one().cents
        return cents


def test_the_database_is_asked_once(sessions: sessionmaker[Session], queries: list[str]) -> None:
    """Per statement and parameters, whoever asks."""
    QueryCache(sessions, 100, ttl=60)
    assert [100] * 3 == [price(sessions) for _ in range(3)]
    assert 1 == len(queries)
    assert 100 == price(sessions, 2)
    assert 2 == len(queries)


@pytest.mark.parametrize("way", ["object", "statement"])
def test_a_write_is_seen_at_once(sessions: sessionmaker[Session], way: str) -> None:
    """By its own transaction before it commits, by the others after that."""
    cached = QueryCache(sessions, 100, ttl=60)
    assert 100 == price(sessions)
    with sessions() as session:
        if way == "object":
            product = session.get(Product, 1)
            assert product is not None
            product.cents = 200
            session.flush()
        else:
            session.execute(update(Product).where(Product.id == 1).values(cents=200))
        assert "200" in ask(session, PAGE)
        assert 100 == price(sessions)
        session.commit()
    assert 200 == price(sessions)
    assert [200, 200] == [price(sessions) for _ in range(2)]
    assert cached.cache.stats().hits > 0


def test_what_is_rolled_back_invalidates_nothing(
    sessions: sessionmaker[Session], queries: list[str]
) -> None:
    """The answer is still right, and still there."""
    QueryCache(sessions, 100, ttl=60)
    assert 100 == price(sessions)
    with sessions() as session:
        session.execute(update(Product).values(cents=300))
        session.rollback()
    queries.clear()
    assert 100 == price(sessions)
    assert [] == queries


def test_nobody_reads_what_is_older_than_what_he_has_written(
    sessions: sessionmaker[Session],
) -> None:
    """Threads raise prices and look at them at once."""
    QueryCache(sessions, 100, ttl=60)

    def raise_and_look(product: int) -> list[int]:
        seen = []
        for _ in range(60):
            with sessions() as session:
                ask(session, Question("price", product))
            seen.append(price(sessions, product))
            price(sessions, 3 - product)
        return seen

    with ThreadPoolExecutor(2) as pool:
        for seen in pool.map(raise_and_look, (1, 2)):
            assert list(range(101, 161)) == seen


def test_the_example_saves_queries(capsys: pytest.CaptureFixture[str]) -> None:
    """With the answers unchanged: 1,500 questions of a shop, and the comparison in print."""
    alone, cached = runs(1_500)
    changes = alone.queries - alone.answers
    assert alone.digest == cached.digest
    assert alone.answers == cached.answers == cached.hits + cached.queries - changes
    assert cached.queries < 0.8 * alone.queries
    show(alone, cached)
    printed = capsys.readouterr().out
    assert ["database alone", "with augury"] == re.findall(r"^\w+ \w+", printed, re.MULTILINE)[:2]
    assert f"{1 - cached.queries / alone.queries:.0%} of the queries saved" in printed
