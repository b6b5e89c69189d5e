"""Answers of statements in `augury.Cache`, for sessions of SQLAlchemy.

A statement with the option :class:`Cached` is answered from the cache. An entry is named by what
SQLAlchemy's own cache of compiled statements goes by, and the parameters; it is tagged with the
tables that it reads. When a session that has written to a table has committed, the table's tag is
invalidated. What a statement is about is found out once, so those that are made once and have
parameters are the cheapest.

No answer is stored that is older than the last commit here: a reader notes how often each of its
tables has been written before it asks, and does not store if that has changed since. (At the
isolation level READ COMMITTED, PostgreSQL's default: a stricter reader may see an older state.)
Within a transaction that has written to a table, statements on that table go to the database. What
other processes write is not seen; a TTL bounds for how long.
"""

import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Executable, Result, Table, event
from sqlalchemy.orm import ORMExecuteState, Session, UserDefinedOption, loading, sessionmaker
from sqlalchemy.sql.visitors import iterate

from augury import Cache

__all__ = ["Cached", "QueryCache"]

#: Where a session keeps the tables that its transaction has written to.
WRITTEN = "query_cache_written"


class Cached(UserDefinedOption):
    """The answer of a statement with this option may come from the cache."""

    propagate_to_loaders = False


@dataclass(frozen=True)
class About:
    """What a statement is about: its name, if it can have one, and the tables that it reads."""

    name: tuple[object, ...] | None
    tables: frozenset[str]

    @classmethod
    def of(cls, statement: Any) -> "About":
        """By its structure and the values that stand in it."""
        key = statement._generate_cache_key()
        values = () if key is None else (value.effective_value for value in key.bindparams)
        return cls(None if key is None else (key.key, *values), frozenset(tables_of(statement)))


class QueryCache:
    """Caches the answers of every session that a factory makes.

    Args:
        sessions: The factory.
        capacity: Answers, or bytes as for :class:`augury.Cache`.
        ttl: Seconds that an answer is served at most.
        **options: Further arguments of the cache.
    """

    def __init__(
        self, sessions: sessionmaker[Session], capacity: int | str, ttl: float, **options: Any
    ) -> None:
        self.cache: Cache[Any, Any] = Cache(capacity, ttl=ttl, **options)
        self._writes: Counter[str] = Counter()
        #: Between a look at the writes and what follows from it.
        self._lock = threading.Lock()
        self._statements: WeakKeyDictionary[Executable, About] = WeakKeyDictionary()
        event.listen(sessions, "do_orm_execute", self._execute)
        event.listen(sessions, "after_flush", self._flushed)
        event.listen(sessions, "after_commit", self._committed)
        event.listen(sessions, "after_rollback", lambda session: written(session).clear())

    def _execute(self, state: ORMExecuteState) -> Result[Any] | None:
        if not state.is_select:
            written(state.session).update(tables_of(state.statement))
            return None
        if not any(isinstance(option, Cached) for option in state.user_defined_options):
            return None
        if (about := self._statements.get(state.statement)) is None:
            about = self._statements[state.statement] = About.of(state.statement)
        tables = about.tables
        if about.name is None or tables & written(state.session):
            return None
        given = state.parameters if isinstance(state.parameters, dict) else {}
        name = (about.name, *sorted(given.items()))
        if (frozen := self.cache.get(name)) is None:
            before = {table: self._writes[table] for table in tables}
            frozen = state.invoke_statement().freeze()
            with self._lock:
                if all(self._writes[table] == count for table, count in before.items()):
                    self.cache.set(name, frozen, tags=tables)
        merge: Any = loading.merge_frozen_result
        merged: Result[Any] = merge(state.session, state.statement, frozen, load=False)()
        return merged

    def _flushed(self, session: Session, _: object) -> None:
        for changed in (session.new, session.dirty, session.deleted):
            written(session).update(each.__table__.name for each in changed)

    def _committed(self, session: Session) -> None:
        with self._lock:
            for table in written(session):
                self._writes[table] += 1
                self.cache.invalidate_tag(table)
        written(session).clear()


def written(session: Session) -> set[str]:
    """The tables that the session's transaction has written to."""
    found: set[str] = session.info.setdefault(WRITTEN, set())
    return found


def tables_of(statement: Any) -> Iterable[str]:
    """The names of the tables that a statement reads or writes."""
    return (found.name for found in iterate(statement) if isinstance(found, Table))
