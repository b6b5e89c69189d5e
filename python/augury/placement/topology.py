"""Who has which slots: the primaries of a cluster as its nodes tell them.

Where it stands: read by watching (whose slot was it), planning (whose is it now) and applying
(is it still so). The text is that of CLUSTER NODES, which every version of Redis and Valkey has and
which tells slots that are half moved. Replicas are counted and get no load of their own: whether
somebody reads from them cannot be seen here. It must not know connections.
"""

import hashlib
import re
from binascii import crc_hqx
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from augury.errors import ClusterError

__all__ = ["SLOTS", "Node", "Topology", "ranges_of", "read_nodes", "slot_of"]

#: Slots of a cluster, by its specification.
SLOTS = 16_384
ADDRESS = re.compile(r"(.*):(\d{1,5})(?:@\d{1,5})?(?:,.*)?")
RANGE = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?", re.ASCII)
#: A slot that leaves to, or comes from, a node: shown by the node itself alone.
OPEN = re.compile(r"\[(\d{1,5})-[<>]-(\w{1,64})\]")


@dataclass(frozen=True, slots=True)
class Node:
    """A primary."""

    id: str
    host: str
    port: int
    #: First and last slot of each stretch, ascending.
    ranges: tuple[tuple[int, int], ...] = ()
    replicas: int = 0

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Topology:
    """The primaries of a cluster, by their ids, and the slots that are half moved."""

    nodes: tuple[Node, ...]
    open_slots: frozenset[int] = frozenset()

    def node(self, identity: str) -> Node:
        """The primary of this id.

        Raises:
            ClusterError: there is none.
        """
        for one in self.nodes:
            if one.id == identity:
                return one
        raise ClusterError(f"node {identity} is no primary of the cluster: make a new plan")

    def owners(self) -> list[str | None]:
        """The id of each slot's primary, or None where a slot has none; of length 16,384."""
        found: list[str | None] = [None] * SLOTS
        for one in self.nodes:
            for first, last in one.ranges:
                found[first : last + 1] = [one.id] * (last + 1 - first)
        return found

    def fingerprint(self) -> str:
        """What changes with any owner of any slot and any primary: a hash, in hexadecimal."""
        text = ";".join(f"{one.id}={one.ranges}" for one in self.nodes)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def moved(self, moves: Iterable[tuple[int, str]]) -> "Topology":
        """With these slots at these nodes.

        >>> two = Topology((Node("a", "h", 1, ((0, 9),)), Node("b", "h", 2)))
        >>> [one.ranges for one in two.moved([(4, "b")]).nodes]
        [((0, 3), (5, 9)), ((4, 4),)]
        """
        owners = self.owners()
        for slot, target in moves:
            owners[slot] = self.node(target).id
        slots: dict[str, list[int]] = {one.id: [] for one in self.nodes}
        for slot, owner in enumerate(owners):
            if owner is not None:
                slots[owner].append(slot)
        nodes = tuple(
            Node(one.id, one.host, one.port, ranges_of(slots[one.id]), one.replicas)
            for one in self.nodes
        )
        return Topology(nodes, self.open_slots)

    def to_dict(self) -> list[dict[str, Any]]:
        """As JSON can hold it."""
        return [
            {"id": one.id, "host": one.host, "port": one.port, "slots": list(map(list, one.ranges))}
            for one in self.nodes
        ]

    @classmethod
    def from_dict(cls, listed: Iterable[Mapping[str, Any]]) -> "Topology":
        """Back from :meth:`to_dict`.

        Raises:
            KeyError, TypeError, ValueError: it is nothing of the kind.
        """
        nodes = []
        for one in listed:
            ranges = tuple(checked(int(first), int(last)) for first, last in one["slots"])
            nodes.append(Node(str(one["id"]), str(one["host"]), int(one["port"]), ranges))
        return cls(tuple(nodes))


def slot_of(key: bytes) -> int:
    """The slot of a key: CRC16 of it, or of what stands in its first braces, if anything does.

    >>> slot_of(b"{user1000}.following") == slot_of(b"user1000") == 3443
    True
    """
    start = key.find(b"{")
    end = key.find(b"}", start + 1)
    if start >= 0 and end > start + 1:
        key = key[start + 1 : end]
    return crc_hqx(key, 0) % SLOTS


def checked(first: int, last: int) -> tuple[int, int]:
    """A stretch of slots, if it is one."""
    if not 0 <= first <= last < SLOTS:
        raise ValueError(f"slots {first}-{last} are none: from 0 to {SLOTS - 1}")
    return first, last


def ranges_of(slots: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Slots as stretches.

    >>> ranges_of([5, 1, 2, 3, 9])
    ((1, 3), (5, 5), (9, 9))
    """
    found: list[tuple[int, int]] = []
    for slot in sorted(slots):
        if found and found[-1][1] + 1 == slot:
            found[-1] = (found[-1][0], slot)
        else:
            found.append((slot, slot))
    return tuple(found)


def read_nodes(text: str, seed_host: str) -> Topology:
    """The primaries in an answer of CLUSTER NODES.

    Args:
        text: The answer: ``id address flags primary ping pong epoch link slot...`` in each line.
        seed_host: Of the node that was asked, which may not know its own address.

    Raises:
        ClusterError: the answer is none, or a primary with slots has failed.

    >>> line = "07c3 127.0.0.1:30001@31001 myself,master - 0 0 1 connected 0-5460 7000"
    >>> read_nodes(line, "localhost").nodes[0].ranges
    ((0, 5460), (7000, 7000))
    """
    primaries: dict[str, Node] = {}
    followers: list[str] = []
    moving: set[int] = set()
    for line in text.splitlines():
        words = line.split()
        if not words:
            continue
        address = ADDRESS.fullmatch(words[1]) if len(words) >= 8 else None
        if address is None:
            raise ClusterError(f"{line[:80]!r} is no line of CLUSTER NODES")
        flags = set(words[2].split(","))
        if "master" not in flags:
            followers.append(words[3])
            continue
        if flags & {"handshake", "noaddr"}:
            continue
        ranges, opened = read_slots(words[8:])
        moving |= opened
        if flags & {"fail", "fail?"} and ranges:
            raise ClusterError(
                f"node {words[0][:12]} at {words[1]} has slots and does not answer its fellows: "
                "wait for its replica to take over"
            )
        primaries[words[0]] = Node(words[0], address[1] or seed_host, int(address[2]), ranges)
    nodes = tuple(
        Node(one.id, one.host, one.port, one.ranges, followers.count(one.id))
        for one in sorted(primaries.values(), key=lambda one: one.id)
    )
    return Topology(nodes, frozenset(moving))


def read_slots(words: Iterable[str]) -> tuple[tuple[tuple[int, int], ...], set[int]]:
    """The stretches of slots, and those that are half moved."""
    ranges, opened = [], set()
    for word in words:
        half, found = OPEN.fullmatch(word), RANGE.fullmatch(word)
        try:
            if half:
                opened.add(checked(int(half[1]), int(half[1]))[0])
            elif found:
                ranges.append(checked(int(found[1]), int(found[2] or found[1])))
            else:
                raise ValueError("neither a stretch of slots nor one that is half moved")
        except ValueError as error:
            raise ClusterError(f"{word[:80]!r} in an answer of CLUSTER NODES: {error}") from error
    return tuple(sorted(ranges)), opened
