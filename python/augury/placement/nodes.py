"""The nodes of a cluster, each by a connection of its own, and what they say of themselves.

Where it stands: under watching, planning and applying, which ask nodes and not the cluster: a
client that follows redirections would hide what they look for. Answers are checked here and become
plain data. It must not know loads or plans.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit

from augury.errors import ClusterError, ConfigError
from augury.extras import require
from augury.placement.topology import Node, Topology, read_nodes
from augury.recording.server import without_password

__all__ = ["Nodes", "as_map"]

#: Seconds that a node may take to answer.
PATIENCE = 10.0
SCHEMES = {"redis": "redis", "valkey": "redis", "rediss": "rediss", "valkeys": "rediss"}


class Nodes:
    """Connections to the nodes of one cluster, made when they are needed.

    Args:
        url: Of any node: ``redis://[[user]:password@]host[:port]``, ``rediss`` for TLS, ``valkey``
            and ``valkeys`` for the same.
        password: For a URL without one.

    Raises:
        ConfigError: the URL is none, or redis-py is not installed (``augury[cluster]``).
    """

    def __init__(self, url: str, password: str | None = None) -> None:
        self.name = without_password(url)
        self._redis = require("redis", "cluster")
        scheme, _, rest = url.partition("://")
        try:
            if scheme not in SCHEMES:
                raise ValueError(f"expected one of {', '.join(SCHEMES)} before ://")
            pool = self._redis.ConnectionPool.from_url(f"{SCHEMES[scheme]}://{rest}")
        except ValueError as error:
            raise ConfigError(f"{self.name}: is no URL of a cluster's node: {error}") from error
        silent = require("redis.maint_notifications", "cluster").MaintNotificationsConfig
        self._settings: dict[str, Any] = {
            "socket_timeout": PATIENCE,
            "socket_connect_timeout": PATIENCE,
            **pool.connection_kwargs,
            "protocol": 3,
            "maint_notifications_config": silent(enabled=False),
            "decode_responses": False,
        }
        if password is not None and not self._settings.get("password"):
            self._settings["password"] = password
        query = urlsplit(url).query
        self._scheme, self._options = SCHEMES[scheme], f"?{query}" if query else ""
        self._class = pool.connection_class
        self._clients: dict[tuple[str, int], Any] = {}
        self.seed = Node(
            "", self._settings.get("host", "localhost"), int(self._settings.get("port", 6379))
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def client(self, node: Node) -> Any:
        """A client of redis-py for this node alone."""
        place = (node.host, node.port)
        if place not in self._clients:
            settings = self._settings | {"host": node.host, "port": node.port}
            pool = self._redis.ConnectionPool(connection_class=self._class, **settings)
            self._clients[place] = self._redis.Redis.from_pool(pool)
        return self._clients[place]

    def ask(self, node: Node, *command: str | int | bytes) -> Any:
        """What a node answers.

        Raises:
            ClusterError: it refuses, or does not answer.
        """
        with self.failures(node, str(command[0])):
            return self.client(node).execute_command(*command)

    @contextmanager
    def failures(self, node: Node, what: str) -> Iterator[None]:
        """Errors of redis-py as our own, with the node's address."""
        try:
            yield
        except (self._redis.exceptions.RedisError, OSError) as error:
            raise ClusterError(f"{node.address}: {what}: {error}") from error

    def url(self, node: Node) -> str:
        """The URL of a node, with user and password."""
        user, password = (
            quote(str(self._settings.get(name) or ""), safe="") for name in ("username", "password")
        )
        who = f"{user}:{password}@" if user or password else ""
        host = f"[{node.host}]" if ":" in node.host else node.host
        return f"{self._scheme}://{who}{host}:{node.port}{self._options}"

    def credentials(self) -> tuple[str, ...]:
        """What MIGRATE needs to get in at another node."""
        user, password = (self._settings.get(name) for name in ("username", "password"))
        if not password:
            return ()
        return ("AUTH2", str(user), str(password)) if user else ("AUTH", str(password))

    def topology(self) -> Topology:
        """Who has which slots, as all primaries tell it.

        Raises:
            ClusterError: they disagree, a slot has no owner, or one has failed.
        """
        first = self.told_by(self.seed)
        opened = set(first.open_slots)
        for node in first.nodes:
            other = self.told_by(node)
            if other.fingerprint() != first.fingerprint():
                raise ClusterError(
                    f"{node.address} and {self.seed.address} do not agree who has which slots: "
                    "wait until they do and try again"
                )
            opened |= other.open_slots
        if missing := first.owners().count(None):
            raise ClusterError(f"{self.name}: {missing:,} slots have no node: assign them first")
        return Topology(first.nodes, frozenset(opened))

    def told_by(self, node: Node) -> Topology:
        """What one node knows of all."""
        answer = self.ask(node, "CLUSTER", "NODES")
        text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)
        return read_nodes(text, node.host)

    def information(self, node: Node, section: str) -> dict[str, str]:
        """Fields of a section of INFO."""
        with self.failures(node, "INFO"):
            found: Mapping[str, Any] = self.client(node).info(section)
        return {name: str(value) for name, value in found.items()}


def as_map(answer: Any) -> dict[str, Any]:
    """A map of the protocol, or a flat list of names and values, with names as text.

    >>> as_map([b"key-count", 3]) == as_map({b"key-count": 3})
    True
    """
    pairs = answer.items() if isinstance(answer, Mapping) else zip(answer[::2], answer[1::2])  # noqa: B905
    return {
        name.decode("ascii", "replace") if isinstance(name, bytes) else str(name): value
        for name, value in pairs
    }
