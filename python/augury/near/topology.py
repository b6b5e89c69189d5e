"""What a node of a cluster says of the cluster: CLUSTER NODES, read.

It is the one answer that has all a lease needs: who the node itself is, which slots it serves,
which of them are on their way elsewhere, and whom it takes for failing. Other nodes are known by it
too, so that nothing else has to be asked for. The text comes from a socket: whatever is wrong with
it is a `TopologyError`, and never more is kept than there are nodes and slots.

Source: https://valkey.io/commands/cluster-nodes/.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from augury.near.slots import SLOTS

__all__ = ["Address", "Node", "TopologyError", "View", "read_nodes"]

Address = tuple[str, int]
#: A cluster has at most so many nodes, and recommends far fewer.
MOST_NODES = 16_384
FAILING = {"fail", "fail?"}


class TopologyError(ValueError):
    """The text is no answer to CLUSTER NODES."""


@dataclass(frozen=True, slots=True)
class Node:
    """One line."""

    identity: str
    #: None where the node does not know it, as its own before it has met another.
    address: Address | None
    is_self: bool
    is_primary: bool
    #: Whether who answers takes it for failing, or perhaps failing.
    is_failing: bool
    #: Of its configuration: grows when it wins slots.
    epoch: int
    slots: frozenset[int]
    #: Those of its slots that are on their way to another node; a node says that of itself alone.
    leaving: frozenset[int] = frozenset()

    @property
    def claim(self) -> tuple[str, int, frozenset[int]]:
        """What two nodes have to say alike of a third, so that one confirms the other."""
        return self.identity, self.epoch, self.slots


@dataclass(frozen=True, slots=True)
class View:
    """The cluster as one node sees it."""

    myself: Node
    nodes: dict[str, Node] = field(default_factory=dict)

    @property
    def primaries(self) -> list[Node]:
        """Those with slots, failing ones too: a majority is one of all of them."""
        return [node for node in self.nodes.values() if node.is_primary and node.slots]

    def confirms(self, node: Node) -> bool:
        """Whether it says of this node what the node says of itself, and that it is not failing."""
        known = self.nodes.get(node.identity)
        return (
            known is not None
            and known.is_primary
            and not known.is_failing
            and known.claim == node.claim
        )


def read_nodes(text: str) -> View:
    r"""The answer to CLUSTER NODES.

    Raises:
        TopologyError: It is none, has no line or several for the node itself, or a slot has two.

    >>> view = read_nodes(
    ...     "a1 10.0.0.1:7000@17000 myself,master - 0 0 3 connected 0-2 9 [9->-b2]\n"
    ...     "b2 10.0.0.2:7000@17000,host.example master - 0 0 4 connected 3-8\n"
    ... )
    >>> sorted(view.myself.slots), sorted(view.myself.leaving), view.nodes["b2"].address
    ([0, 1, 2, 9], [9], ('10.0.0.2', 7000))
    """
    nodes: dict[str, Node] = {}
    for line in text.splitlines():
        if not line.strip():
            continue
        node = read_line(line)
        if node.identity in nodes or len(nodes) == MOST_NODES:
            raise TopologyError(
                f"node {node.identity[:40]!r} is there twice, or there are too many"
            )
        nodes[node.identity] = node
    if not are_apart(tuple(node.slots for node in nodes.values() if node.slots)):
        raise TopologyError("a slot is given to two nodes")
    own = [node for node in nodes.values() if node.is_self]
    if len(own) != 1:
        raise TopologyError(f"{len(own)} lines for the node itself: expected one")
    return View(own[0], nodes)


def read_line(line: str) -> Node:
    """One node."""
    parts = line.split()
    if len(parts) < 8:
        raise TopologyError(f"a line of {len(parts)} fields: expected 8 or more")
    identity, place, flags, _, _, _, epoch, _ = parts[:8]
    marks = set(flags.split(","))
    leaving = set()
    for part in parts[8:]:
        slot, arrow, _ = part.strip("[]").partition("->-")
        if arrow and part.startswith("["):
            leaving.add(number_in(slot, SLOTS))
    return Node(
        identity=identity,
        address=address_in(place),
        is_self="myself" in marks,
        is_primary="master" in marks,
        is_failing=not marks.isdisjoint(FAILING),
        epoch=number_in(epoch, 2**64),
        slots=slots_of(tuple(part for part in parts[8:] if not part.startswith("["))),
        leaving=frozenset(leaving),
    )


def address_in(place: str) -> Address | None:
    """``ip:port@busport,hostname``: the first two."""
    host, colon, port = place.partition(",")[0].partition("@")[0].rpartition(":")
    if not colon:
        raise TopologyError(f"address {place[:60]!r}: expected ip:port@busport")
    number = number_in(port, 65_536)
    return (host.strip("[]"), number) if host and number else None


# A node says nearly the same several times a second.
@lru_cache(maxsize=256)
def slots_of(ranges: tuple[str, ...]) -> frozenset[int]:
    """The slots of a node."""
    return frozenset(slot for part in ranges for slot in slots_in(part))


@lru_cache(maxsize=64)
def are_apart(all_slots: tuple[frozenset[int], ...]) -> bool:
    """Whether no slot is in two of them."""
    return sum(map(len, all_slots)) == len(frozenset().union(*all_slots))


def slots_in(text: str) -> Iterator[int]:
    """``7`` or ``0-5460``."""
    first, dash, last = text.partition("-")
    start = number_in(first, SLOTS)
    yield from range(start, (number_in(last, SLOTS) if dash else start) + 1)


def number_in(text: str, limit: int) -> int:
    """A number below the limit."""
    if not (text.isascii() and text.isdigit() and len(text) <= 20 and int(text) < limit):
        raise TopologyError(f"{text[:40]!r}: expected a number below {limit:,}")
    return int(text)
