"""Whom the application asks: the database, or a cache in front of it."""

import socket
from collections.abc import Callable
from typing import Any, Protocol

import psycopg

import augury
from benchmarks.application.servers import RedisServer
from benchmarks.application.workload import Workload

__all__ = ["Bare", "Contestant", "Database", "InProcess", "Ping", "Redis", "fill"]

TABLE = "CREATE TABLE item (id bigint PRIMARY KEY, shelf int, price int, payload bytea)"
INDEX = "CREATE INDEX item_shelf ON item (shelf)"
QUERY = """
    SELECT payload || int4send((
        SELECT count(*)::int4 FROM item other
        WHERE other.shelf = item.shelf AND other.price <= item.price
    ))
    FROM item WHERE id = %s
"""


def fill(url: str, workload: Workload) -> None:
    """Make the table anew, with a row for each key."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS item")
        connection.execute(TABLE)
        with connection.cursor() as cursor, cursor.copy("COPY item FROM STDIN") as copy:
            for key in workload.objects.tolist():
                copy.write_row(workload.row(key))
        connection.execute(INDEX)
        connection.execute("VACUUM ANALYZE item")


class Contestant(Protocol):
    """Who answers requests."""

    #: Queries that reached the database.
    queries: int

    def ask(self, key: int) -> bytes | None:
        """The answer; None from one that answers nothing."""


class Database:
    """The database alone, on a connection of its own, by a prepared statement."""

    def __init__(self, url: str) -> None:
        self.queries = 0
        self._connection = psycopg.connect(url, autocommit=True)
        self._cursor = self._connection.cursor(binary=True)

    def ask(self, key: int) -> bytes:
        """Query it."""
        self.queries += 1
        row = self._cursor.execute(QUERY, (key,), prepare=True).fetchone()
        assert row is not None
        found: bytes = row[0]
        return found

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()


class InProcess:
    """`augury.Cache`, which loads what it misses; from the workload while it is filled."""

    def __init__(self, workload: Workload) -> None:
        self.queries = 0
        self._source: Callable[[int], bytes] = workload.answer
        self.cache: augury.Cache[int, bytes] = augury.Cache(
            f"{workload.capacity} B", loader=self._load
        )
        self.ask = self.cache.get_or_load
        # One after the other: a list of them all would leave holes behind where memory is measured.
        for key in workload.first:
            self.ask(int(key))
        self.queries = 0

    def _load(self, key: int) -> bytes:
        self.queries += 1
        return self._source(key)

    def before(self, database: Database) -> "InProcess":
        """The same, in front of a database from now on."""
        self._source = database.ask
        return self


class Redis:
    """redis-server, asked first, and told what the database has said."""

    def __init__(self, server: RedisServer, database: Database) -> None:
        self.queries = 0
        self._get, self._set = server.client.get, server.client.set
        self._query = database.ask

    def ask(self, key: int) -> bytes:
        """GET, or query and SET."""
        found: Any = self._get(str(key))
        if found is None:
            self.queries += 1
            found = self._query(key)
            self._set(str(key), found)
        answer: bytes = found
        return answer


class Ping:
    """The round trip to redis-server, by its client."""

    queries = 0

    def __init__(self, server: RedisServer) -> None:
        self._ping = server.client.ping

    def ask(self, _: int) -> None:
        """Go there and back."""
        self._ping()


class Bare:
    """The round trip to redis-server, by a socket."""

    queries = 0

    def __init__(self, server: RedisServer) -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, _: int) -> None:
        """Go there and back."""
        self._socket.sendall(b"PING\r\n")
        self._socket.recv(64)

    def close(self) -> None:
        """Let go of the connection."""
        self._socket.close()
