"""A world for the protocol of a near cache: servers, a cluster of them, and what is in memory.

Plain and without any cleverness of its own: servers hold values, remember who has read what, and
write answers and invalidations into one stream each; the world knows what was acknowledged when.
Nodes learn of changes of the cluster as real ones do: by an election after a majority has taken the
old owner for failing, or by a hand-over of which everybody hears within the margin, the old owner
of an election any time later.
"""

import itertools
from collections import defaultdict
from typing import Any

import hiredis

from augury.near.coherence import MARGIN, Coherence
from augury.near.link import Asked, Link
from augury.near.peers import NEVER, Peer
from augury.near.slots import SLOTS, slot_of
from augury.near.topology import Address

__all__ = ["KEYS", "PARTS", "STALENESS", "World"]

STALENESS = 1.0
#: Parts of the slots that are owned together, and a key in each.
PARTS = 6
WIDTH = -(-SLOTS // PARTS)
BEGINNINGS = range(0, SLOTS, WIDTH)


def part_of(key: bytes) -> int:
    """Which part of the slots the key is in."""
    return slot_of(key) // WIDTH


KEYS = [
    next(key for n in itertools.count() if part_of(key := b"key:%d" % n) == part)
    for part in range(PARTS)
]


class Server:
    """One node: values, who tracks what, and what it believes of the cluster."""

    def __init__(self, name: str, port: int) -> None:
        self.name, self.address = name, ("10.0.0.1", port)
        self.values: dict[bytes, int] = {}
        self.tracked: set[bytes] = set()
        #: Streams of the connection that there is: to it and from it.
        self.inward: Any = None
        self.outward = bytearray()
        self.is_primary = True
        #: By name: address, parts, epoch and whether it is failing; of primaries.
        self.view: dict[str, tuple[Address, frozenset[int], int, bool]] = {}

    def changed(self, key: bytes, is_cast: bool) -> None:
        """Tell of a change to who has read the key, or wants to know of all."""
        if key in self.tracked or (is_cast and self.inward is not None):
            self.tracked.discard(key)
            self.outward += b">2\r\n$10\r\ninvalidate\r\n*1\r\n$%d\r\n%b\r\n" % (len(key), key)

    def flush(self) -> None:
        """Say that everything has changed."""
        self.tracked.clear()
        if self.inward is not None:
            self.outward += b">2\r\n$10\r\ninvalidate\r\n_\r\n"

    def disconnect(self) -> None:
        """Forget the connection."""
        self.inward, self.outward = None, bytearray()
        self.tracked.clear()

    def nodes(self) -> bytes:
        """What CLUSTER NODES says."""
        lines = []
        for name, (address, parts, epoch, fails) in sorted(self.view.items()):
            flags = ["myself"] * (name == self.name) + ["master"] + ["fail"] * fails
            ranges = " ".join(
                f"{BEGINNINGS[part]}-{min(BEGINNINGS[part] + WIDTH, SLOTS) - 1}" for part in parts
            )
            place = f"{address[0]}:{address[1]}@1"
            lines.append(f"{name} {place} {','.join(flags)} - 0 0 {epoch} connected {ranges}")
        if self.name not in self.view:
            lines.append(f"{self.name} :0@0 myself,slave - 0 0 0 connected")
        return "\n".join(lines).encode()

    def serve(self, is_cluster: bool) -> None:
        """Answer all commands that have come."""
        while self.inward is not None and (command := self.inward.gets()) is not False:
            self.outward += self.answer([bytes(part) for part in command], is_cluster)

    def answer(self, command: list[bytes], is_cluster: bool) -> bytes:
        """One answer."""
        if command[0] == b"GET":
            key = command[1]
            owned = self.view.get(self.name, (None, frozenset(), 0, False))[1]
            if is_cluster and part_of(key) not in owned:
                return b"-MOVED 1 elsewhere\r\n"
            self.tracked.add(key)
            text = b"%d" % self.values.get(key, 0)
            return b"$%d\r\n%b\r\n" % (len(text), text)
        if command[0] == b"PING":
            return b"+PONG\r\n"
        if command[0] == b"ROLE":
            return b"*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"
        if command == [b"CLUSTER", b"NODES"]:
            text = self.nodes()
            return b"$%d\r\n%b\r\n" % (len(text), text)
        return b"+OK\r\n"


class World:
    """The servers, the near cache's memory, and what is true.

    Args:
        primaries: How many; 0 for one server that is no cluster.
        is_cast: Whether servers tell of all changes.
    """

    def __init__(self, primaries: int, is_cast: bool = False) -> None:
        self.now = 1_000.0
        self.is_cluster, self.is_cast = primaries > 0, is_cast
        count = max(primaries, 1)
        self.servers = {f"n{n}": Server(f"n{n}", 7000 + n) for n in range(count)}
        parts = {name: frozenset(range(PARTS)[at::count]) for at, name in enumerate(self.servers)}
        self.owner = {part: name for name, some in parts.items() for part in some}
        self.epochs = itertools.count(count + 1)
        for server in self.servers.values():
            server.view = {
                name: (other.address, parts[name], at + 1, False)
                for at, (name, other) in enumerate(self.servers.items())
            }
        #: What is to be learned by whom, and when at the latest; None: whenever.
        self.news: list[tuple[str, dict[str, Any], float | None]] = []
        self.stopped: set[str] = set()
        #: Who cannot be reached from here.
        self.hidden: set[Address] = set()
        #: Of each key: versions and when they were acknowledged; and the latest of our own.
        self.versions: dict[bytes, list[tuple[int, float]]] = defaultdict(list)
        self.own: dict[bytes, int] = {}
        #: The memory: entries, reads under way, and those whose value has come.
        self.entries: dict[bytes, int] = {}
        self.flying: list[Asked] = []
        self.landed: list[tuple[Asked, int]] = []
        self.until = NEVER
        self.dialled: list[Address] = []
        self.kept = 0
        self.peers: dict[Address, Peer] = {}
        start = [server.address for server in self.servers.values()]
        self.near = Coherence(
            self,
            self.make_link,
            start,
            is_cluster=self.is_cluster,
            max_staleness=STALENESS,
            prefixes=(b"key:",) if is_cast else None,
        )

    def make_link(self) -> Link:
        """As the driver makes one."""
        prefixes = (b"key:",) if self.is_cast else None
        return Link(hiredis.Reader(), hiredis.pack_command, self.is_cluster, prefixes)

    def at(self, address: Address) -> Server:
        """The server there."""
        return next(one for one in self.servers.values() if one.address == address)

    # The hands.

    def connect(self, address: Address) -> None:
        """To be answered by `arrive`."""
        self.dialled.append(address)

    def send(self, peer: Peer, data: bytes) -> None:
        """Into the server's stream."""
        server = self.at(peer.address)
        if server.inward is None:
            server.inward = hiredis.Reader()
        server.inward.feed(data)

    def close(self, peer: Peer) -> None:
        """The server forgets what was read."""
        self.at(peer.address).disconnect()
        del self.peers[peer.address]

    def changed(self, key: bytes) -> None:
        """As `Cache.delete` does."""
        self.entries.pop(key, None)
        self.flying = [asked for asked in self.flying if key not in asked.keys]
        self.landed = [one for one in self.landed if key not in one[0].keys]

    def forget(self, slots: frozenset[int] | None) -> None:
        """No read that is under way may be kept."""
        self.flying.clear()
        self.landed.clear()
        for key in list(self.entries):
            if slots is None or slot_of(key) in slots:
                del self.entries[key]

    def land(self, asked: Asked, values: list[bytes | None]) -> None:
        """Somebody reads it now; it is stored later, if nothing comes between."""
        key = asked.keys[0]
        due = [v for v, when in self.versions[key] if when < asked.ticket - STALENESS]
        assert values[0] is not None
        assert int(values[0]) >= max(due, default=0), f"{key!r}: read {values[0]!r}, due is {due}"
        if asked in self.flying:
            self.flying.remove(asked)
            self.landed.append((asked, int(values[0])))

    def refuse(self, asked: Asked) -> None:
        """Nothing is kept."""
        self.flying = [other for other in self.flying if other is not asked]

    def vouch(self, until: float) -> None:
        """For all that is there."""
        self.until = until

    # What happens.

    def tick(self) -> None:
        """The driver's turn."""
        self.near.tick(self.now)

    def arrive(self) -> None:
        """Connections that were asked for."""
        dialled, self.dialled = self.dialled, []
        for address in dialled:
            if address in self.hidden:
                self.near.unreachable(address, self.now, "hidden")
            else:
                self.peers[address] = self.near.connected(address, self.now)

    def serve(self, name: str) -> None:
        """A server works, if it runs."""
        if name not in self.stopped:
            self.servers[name].serve(self.is_cluster)

    def deliver(self, name: str, share: float) -> None:
        """Some of what the server has sent comes in."""
        server = self.servers[name]
        peer = self.peers.get(server.address)
        data = bytes(server.outward[: round(len(server.outward) * share)])
        if peer is not None and data:
            del server.outward[: len(data)]
            self.near.received(peer, data, self.now)

    def deliver_up_to_words(self, name: str) -> None:
        """What the server has sent comes in, up to the first word of a change."""
        data = self.servers[name].outward
        at = data.find(b">2\r\n")
        whole = len(data) or 1
        self.deliver(name, (at if at >= 0 else whole) / whole)

    def cut(self, name: str) -> None:
        """The connection is lost."""
        peer = self.peers.get(self.servers[name].address)
        if peer is not None:
            self.near.lost(peer, self.now, "cut")

    def read(self, key: bytes) -> None:
        """Somebody misses the key, and notes when."""
        asked = Asked((key,), self.now)
        self.flying.append(asked)
        self.near.read(asked, self.now)

    def store(self) -> None:
        """Values that have landed are kept."""
        for asked, version in self.landed:
            self.entries[asked.keys[0]] = version
            self.kept += 1
        self.landed.clear()

    def write(self, key: bytes, is_own: bool) -> None:
        """At the key's owner, who acknowledges it at once."""
        name = self.owner[part_of(key)]
        if name in self.stopped:
            return
        version = len(self.versions[key]) + 1
        self.servers[name].values[key] = version
        self.servers[name].changed(key, self.is_cast)
        self.versions[key].append((version, self.now))
        if is_own:
            self.own[key] = version
            self.near.wrote(key, self.now, self.servers[name].address)
            self.changed(key)

    def flush(self, name: str) -> None:
        """Every key of the server changes, and is told of in one word."""
        if name in self.stopped:
            return
        server = self.servers[name]
        for key in KEYS:
            if self.owner[part_of(key)] == name:
                version = len(self.versions[key]) + 1
                server.values[key] = version
                self.versions[key].append((version, self.now))
        server.flush()

    def advance(self, seconds: float) -> None:
        """Time passes, and who has to have heard of something by now has."""
        self.now += seconds
        for name, view, when in list(self.news):
            if when is not None and when <= self.now and name not in self.stopped:
                self.learn(name, view)

    def learn_all(self) -> None:
        """Everybody who runs hears of everything."""
        for name, view, _ in list(self.news):
            if name not in self.stopped:
                self.learn(name, view)

    def learn(self, name: str, view: dict[str, Any]) -> None:
        """A node takes over a view, in order; what it has lost it lets go of."""
        server = self.servers[name]
        before = server.view.get(name, (None, frozenset(), 0, False))[1]
        server.view = view
        self.news = [
            one for one in self.news if one[0] != name or one[1]["serial"] > view["serial"]
        ]
        server.view = {key: value for key, value in view.items() if key != "serial"}
        after = server.view.get(name, (None, frozenset(), 0, False))[1]
        if before and not after:
            server.values.clear()
            server.flush()
        for key in list(server.values):
            if part_of(key) in before - after:
                del server.values[key]
                server.changed(key, self.is_cast)
        for key in KEYS:
            if part_of(key) in before - after:
                server.changed(key, self.is_cast)

    def hand_over(self, part: int, target: str) -> None:
        """A slot is handed over by both, who know at once or nearly; the others hear of it."""
        source = self.owner[part]
        if source == target or {source, target} & self.stopped or self.news:
            return
        self._give(part, source, target)
        late = self.now + STALENESS * MARGIN * 0.9
        self._announce({target: None, **{n: late for n in self.servers if n != target}})
        self.learn_all_of(target)

    def fail_over(self, source: str) -> None:
        """Another node wins the slots of this one, which may be running and hear of it late."""
        others = [name for name in self._primaries() if name != source]
        voters = [name for name in others if name not in self.stopped]
        if self.news or len(voters) < len(self._primaries()) // 2 + 1:
            return
        for name in voters:
            view = self.servers[name].view
            view[source] = (*view[source][:3], True)
        target = f"n{len(self.servers)}"
        self.servers[target] = Server(target, 7000 + len(self.servers))
        for part in [part for part, name in self.owner.items() if name == source]:
            self._give(part, source, target)
        late = self.now + STALENESS * MARGIN * 0.9
        times = {name: late for name in self.servers if name != source}
        self._announce({**times, source: None}, gone=source)
        self.learn_all_of(target)

    def learn_all_of(self, name: str) -> None:
        """One node hears of everything."""
        for who, view, _ in list(self.news):
            if who == name:
                self.learn(name, view)

    def _primaries(self) -> list[str]:
        return sorted(set(self.owner.values()))

    def _give(self, part: int, source: str, target: str) -> None:
        values = self.servers[source].values
        taken = {key: value for key, value in values.items() if part_of(key) == part}
        self.servers[target].values.update(taken)
        self.owner[part] = target

    def _announce(self, times: dict[str, float | None], gone: str | None = None) -> None:
        epoch = next(self.epochs)
        view: dict[str, Any] = {"serial": epoch}
        now = defaultdict(set)
        for part, name in self.owner.items():
            now[name].add(part)
        for name, parts in now.items():
            server = self.servers[name]
            known = next(
                (one.view[name] for one in self.servers.values() if name in one.view), None
            )
            is_same = known is not None and known[1] == frozenset(parts)
            number = known[2] if known is not None and is_same else epoch
            view[name] = (server.address, frozenset(parts), number, False)
        assert gone is None or gone not in view
        self.news += [(name, dict(view), when) for name, when in times.items()]

    # What must hold.

    def check(self) -> None:
        """Nothing older than promised may be served at this moment."""
        for key, version in self.entries.items():
            is_served = self.now < self.until or self.near.vouches_for(key, self.now)
            if not is_served:
                continue
            due = [v for v, when in self.versions[key] if when < self.now - STALENESS]
            least = max([self.own.get(key, 0), *due])
            assert version >= least, f"{key!r}: served version {version}, due is {least}"

    def settle(self) -> None:
        """Everything runs and is heard: what was wrong is over after a while."""
        self.stopped.clear()
        self.hidden.clear()
        for _ in range(80):
            self.learn_all()
            self.tick()
            self.arrive()
            for name in self.servers:
                self.serve(name)
                self.deliver(name, 1.0)
            self.advance(0.1)
