"""dogpile's backends beyond dogpile's own tests, and SQLAlchemy's pattern of caching on them."""

from collections.abc import Iterator
from typing import Any

import pytest
from dogpile.cache import make_region
from dogpile.cache.api import NO_VALUE
from dogpile.cache.region import CacheRegion
from sqlalchemy import Engine, ForeignKey, create_engine, event, select
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    ORMExecuteState,
    Session,
    UserDefinedOption,
    loading,
    mapped_column,
    relationship,
    sessionmaker,
)

from augury import Cache, ConfigError
from threads import at_once


def region(name: str, **arguments: Any) -> CacheRegion:
    """A configured region."""
    return make_region().configure(name, arguments=arguments)


def test_entry_points_are_registered() -> None:
    """Both names are known to dogpile without an import of ours."""
    value: list[int] = []
    for name, is_same in (("augury", True), ("augury.bytes", False)):
        made = region(name)
        made.set("key", value)
        assert value == made.get("key")
        assert is_same == (made.get("key") is value)


def test_arguments_are_those_of_the_cache_or_a_cache() -> None:
    """And nothing else."""
    assert 1_000_000 == region("augury.bytes", capacity="1 MB").backend.augury.capacity
    cache: Cache[str, Any] = Cache(10)
    assert region("augury", cache=cache).backend.augury is cache
    for wrong in ({"cache": {}}, {"cache": cache, "capacity": 5}, {"colour": "red"}):
        with pytest.raises(ConfigError, match=r"cache|colour"):
            region("augury", **wrong)
    configured = make_region().configure_from_config(
        {"cache.backend": "augury", "cache.arguments.capacity": "20"}, "cache."
    )
    assert 20 == configured.backend.augury.capacity


def test_a_ttl_removes_where_dogpile_only_looks_away() -> None:
    """Its own expiration leaves values in place; a TTL of the cache does not."""
    now = [0.0]
    made = region("augury", ttl=10, timer=lambda: now[0])
    made.set("key", 1)
    now[0] = 10.0
    assert made.get("key", ignore_expiration=True) is NO_VALUE


def test_one_thread_creates() -> None:
    """Dogpile's lock over augury's values."""
    made, calls = region("augury"), list[int]()

    def create() -> int:
        calls.append(1)
        return 7

    assert [7] * 8 == at_once(lambda: made.get_or_create("key", create), threads=8)
    assert [1] == calls


class Base(DeclarativeBase):
    """Of the models below."""


class Author(Base):
    """Has books."""

    __tablename__ = "author"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    books: Mapped[list["Book"]] = relationship()


class Book(Base):
    """Is by an author."""

    __tablename__ = "book"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    author_id: Mapped[int] = mapped_column(ForeignKey("author.id"))


class FromCache(UserDefinedOption):
    """The pattern of SQLAlchemy's dogpile example: results of a statement come from a region."""

    propagate_to_loaders = False

    def __init__(self, of: CacheRegion) -> None:
        super().__init__()
        self.region = of


def cached(state: ORMExecuteState) -> Any:
    """Answer a statement that has the option from its region, by its SQL and parameters."""
    for option in state.user_defined_options:
        if isinstance(option, FromCache):
            key = state.statement._generate_cache_key()
            assert key is not None
            parameters = state.parameters if isinstance(state.parameters, dict) else {}
            name = repr(key.to_offline_string({}, state.statement, parameters))
            frozen = option.region.get_or_create(name, lambda: state.invoke_statement().freeze())
            return loading.merge_frozen_result(state.session, state.statement, frozen, load=False)()
    return None


@pytest.fixture
def database() -> Iterator[tuple[Engine, list[str]]]:
    """An author with two books, and the statements that have been executed."""
    engine, statements = create_engine("sqlite://"), list[str]()
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        books = [Book(title="Notes"), Book(title="Sketch")]
        session.add(Author(id=1, name="Ada", books=books))
        session.commit()
    event.listen(engine, "before_cursor_execute", lambda *about: statements.append(str(about[2])))
    yield engine, statements
    engine.dispose()


@pytest.mark.parametrize("name", ["augury", "augury.bytes"])
def test_sqlalchemys_pattern_of_caching(name: str, database: tuple[Engine, list[str]]) -> None:
    """A statement is executed once per parameter, and its rows come to any session as objects."""
    engine, statements = database
    made, sessions = region(name), sessionmaker(engine)
    event.listen(sessions, "do_orm_execute", cached)

    def titles(author: int) -> list[str]:
        statement = select(Book).where(Book.author_id == author).order_by(Book.title)
        with sessions() as session:
            books = session.scalars(statement.options(FromCache(made))).all()
            assert all(book in session for book in books)
            return [book.title for book in books]

    assert [["Notes", "Sketch"]] * 3 == [titles(1) for _ in range(3)]
    assert 1 == len(statements)
    assert [] == titles(2)
    assert 2 == len(statements)
    made.invalidate()
    assert ["Notes", "Sketch"] == titles(1)
    assert 3 == len(statements)
