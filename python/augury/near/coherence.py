"""For which keys what is in memory may be served, and until when: the protocol of a near cache.

A state machine without sockets, threads or a clock of its own; who drives it tells it what has
happened and when, one thing after another, and does through `Hands` what it decides. Times are
seconds on one clock that never stops.

**What is promised.** A read that begins at r never returns a value older than a write of its key
that somebody was told of before ``r - max_staleness``.

**Why it holds, on one server.** A value is kept only if it was read on the tracking connection, and
nothing was heard of its key between the question and the keeping (the cache's permits). A renewal
sent at s is answered after every word of writes that the server had acknowledged by s, and words
are acted on in the order in which they come. So when the lease is moved to ``s + max_staleness``,
nothing older than a write acknowledged before s is in memory, and who looks at the clock when he
serves serves nothing from ``s + max_staleness`` on.

**In a cluster** the lease of a node runs from the latest time as of which the node and a majority
of all primaries have said alike what is its own: `peers` has why. A quarter of `max_staleness` is
kept back for what is moved without an election. A slot that is about to leave key by key is not
kept at all: what is absent on the old owner may be written on the new one. After a write of its own
that was not answered by whom it reads from, as far as is known, a client keeps nothing of that slot
until a renewal sent later is answered: it may have been answered by an owner that is not known here
yet.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from augury.near.hands import Hands
from augury.near.link import Asked, Changed, LinkError, Read
from augury.near.peers import NEVER, Peer, confirmation
from augury.near.slots import SLOTS, slot_of
from augury.near.topology import Address, View

__all__ = ["Coherence", "Counts"]

#: Renewals within the time that a lease lasts.
RENEWALS = 4
#: Share of `max_staleness` that is kept back in a cluster.
MARGIN = 0.25
#: Leases, and seconds, after which a silent connection is given up.
SILENT_LEASES = 4
SILENT_SECONDS = 2.0
#: Seconds between attempts to connect: at first, and at most.
FIRST_PAUSE = 0.05
LONGEST_PAUSE = 1.0
#: Errors that say that another node is to be asked, or none at this time.
ELSEWHERE = ("MOVED", "ASK", "CLUSTERDOWN", "TRYAGAIN", "LOADING", "MASTERDOWN")


@dataclass(slots=True)
class Counts:
    """What has happened."""

    invalidations: int = 0
    flushes: int = 0
    renewals: int = 0
    lapses: int = 0
    connections: int = 0
    losses: int = 0
    slots_forgotten: int = 0
    #: The latest reason why something is not served from memory.
    trouble: str = ""


class Coherence:
    """See the module's head.

    Args:
        hands: Does what is decided.
        make_link: Makes the protocol of a new connection.
        start: Addresses to begin with.
        is_cluster: Whether they are nodes of a cluster.
        max_staleness: Seconds.
        prefixes: Keys that begin otherwise are not kept; any are, if None.
        seed: Of the pauses between attempts.
    """

    def __init__(
        self,
        hands: Hands,
        make_link: Any,
        start: Iterable[Address],
        *,
        is_cluster: bool,
        max_staleness: float,
        prefixes: tuple[bytes, ...] | None = None,
        seed: int = 1,
    ) -> None:
        self._hands = hands
        self._make_link = make_link
        self._start = tuple(dict.fromkeys(start))
        self._is_cluster = is_cluster
        self._prefixes = prefixes
        self._lasts = max_staleness * (1 - MARGIN if is_cluster else 1)
        self._period = self._lasts / RENEWALS
        self._patience = max(SILENT_SECONDS, SILENT_LEASES * max_staleness)
        self._random = random.Random(seed)
        self.peers: dict[Address, Peer] = {}
        #: Whom to try again, when, and after which pause.
        self._absent: dict[Address, tuple[float, float]] = dict.fromkeys(
            self._start, (NEVER, FIRST_PAUSE)
        )
        self._under_way: set[Address] = set()
        #: By slot, who keeps it; without a cluster the only one is everybody's.
        self._keepers: list[Peer | None] = [None] * SLOTS
        #: When a write of this client to the slot was last answered.
        self._written = [NEVER] * SLOTS
        self.counts = Counts()

    # What happens.

    def connected(self, address: Address, now: float) -> Peer:
        """There is a connection; what comes from it is given to `received`."""
        self._under_way.discard(address)
        self._absent.pop(address, None)
        peer = Peer(address, self._make_link())
        self.peers[address] = peer
        self.counts.connections += 1
        peer.next_renewal = now + self._period
        self._hands.send(peer, peer.link.open(now))
        return peer

    def unreachable(self, address: Address, now: float, reason: str) -> None:
        """There is none; it is tried again later, as long as somebody names it."""
        self._under_way.discard(address)
        _, pause = self._absent.get(address, (now, FIRST_PAUSE))
        self._try_later(address, now, min(2 * pause, LONGEST_PAUSE))
        self.counts.trouble = f"{address[0]}:{address[1]}: {reason}"

    def received(self, peer: Peer, data: bytes, now: float) -> None:
        """Bytes have come."""
        try:
            for happened in peer.link.receive(data):
                if isinstance(happened, Changed):
                    self._changed(peer, happened.keys)
                elif isinstance(happened, Read):
                    self._answered(peer, happened, now)
                else:
                    self._renewed(peer, happened.sent, happened.view, happened.is_primary, now)
                if self.peers.get(peer.address) is not peer:
                    return
        except LinkError as error:
            self.lost(peer, now, str(error))

    def lost(self, peer: Peer, now: float, reason: str, pause: float = FIRST_PAUSE) -> None:
        """The connection is of no use any more; the server is tried again after the pause."""
        if self.peers.get(peer.address) is peer:
            self.counts.losses += 1
            self.counts.trouble = f"{peer.address[0]}:{peer.address[1]}: {reason}"
            self._part_with(peer)
            self._try_later(peer.address, now, pause)

    def read(self, asked: Asked, now: float) -> None:
        """Somebody wants these keys, all of one slot in a cluster."""
        key = asked.keys[0]
        peer = self.keeper_of(key)
        is_sound = (
            peer is not None
            and now < peer.until
            and (not self._is_cluster or self._written[slot_of(key)] < peer.confirmed)
            and all(map(self._is_told_of, asked.keys))
        )
        if peer is None or not is_sound:
            self._refuse(asked)
            return
        try:
            self._hands.send(peer, peer.link.read(asked))
        except LinkError:
            self._refuse(asked)

    def wrote(self, key: bytes, now: float, by: Address | None) -> None:
        """A write of this client was answered by that node, or may have been done by any.

        From any thread, before the key is removed. Who has answered the write does not read less.
        """
        if self._is_cluster:
            keeper = self.keeper_of(key)
            if by is None or keeper is None or keeper.address != by:
                self._written[slot_of(key)] = now

    def tick(self, now: float) -> float:
        """Do what is due; when to be called again at the latest."""
        for peer in list(self.peers.values()):
            if peer.link.sent is None:
                if now >= peer.next_renewal:
                    self._hands.send(peer, peer.link.renew(now))
                    peer.next_renewal = now + self._period
            elif now - peer.link.sent >= self._patience:
                self.lost(peer, now, f"silent for {now - peer.link.sent:.1f} s")
                continue
            if not peer.has_lapsed and now >= peer.until:
                self._lapse(peer)
        if not (self.peers or self._absent or self._under_way):
            for address in self._start:
                self._try_later(address, now, LONGEST_PAUSE)
        for address, (when, _) in list(self._absent.items()):
            if now >= when and address not in self._under_way:
                self._under_way.add(address)
                self._hands.connect(address)
        return self._next(now)

    # What is asked.

    def keeper_of(self, key: bytes) -> Peer | None:
        """Who vouches for the key, if anybody does while its lease lasts."""
        return self._keepers[slot_of(key) if self._is_cluster else 0]

    def vouches_for(self, key: bytes, now: float) -> bool:
        """Whether what is in memory under the key may be served now. From any thread."""
        keeper = self.keeper_of(key)
        return keeper is not None and now < keeper.until

    @property
    def vouched_slots(self) -> int:
        """Slots of which values are kept; all without a cluster, or none."""
        if not self._is_cluster:
            return SLOTS if self._keepers[0] is not None else 0
        return sum(len(peer.slots) for peer in self.peers.values() if peer.until > NEVER)

    # What follows.

    def _changed(self, peer: Peer, keys: tuple[bytes, ...] | None) -> None:
        if keys is None:
            self.counts.flushes += 1
            self._hands.forget(peer.slots if self._is_cluster else None)
            return
        self.counts.invalidations += len(keys)
        for key in keys:
            self._hands.changed(key)

    def _answered(self, peer: Peer, read: Read, now: float) -> None:
        if read.asked.is_over:
            return
        if read.values is None and read.error.startswith(ELSEWHERE):
            # Look at the cluster now rather than later.
            self.counts.trouble = read.error
            peer.next_renewal = now
        is_own = not self._is_cluster or slot_of(read.asked.keys[0]) in peer.slots
        if read.values is None or not is_own or now >= peer.until:
            self._refuse(read.asked)
            return
        read.asked.is_over = True
        self._hands.land(read.asked, read.values)

    def _renewed(
        self, peer: Peer, sent: float, view: View | None, is_primary: bool, now: float
    ) -> None:
        self.counts.renewals += 1
        peer.renewed = sent
        if view is not None:
            self._seek(view, now)
            self._learn(peer, view)
        elif is_primary:
            self._keepers[0] = peer
        else:
            reason = "it is a replica: a near cache needs the client of a primary"
            self.lost(peer, now, reason, LONGEST_PAUSE)
        self._settle()

    def _learn(self, peer: Peer, view: View) -> None:
        """Take in what a node says of itself."""
        before, node = peer.node, view.myself
        twin = any(
            other.node is not None and other.node.identity == node.identity
            for other in self.peers.values()
            if other is not peer
        )
        if twin or not node.is_primary or not node.slots:
            self._part_with(peer)
            return
        peer.node, peer.view = node, view
        if before is not None and before.epoch != node.epoch:
            # Slots may have left and come back between two looks.
            self._keep(peer, frozenset())
        self._keep(peer, node.slots - node.leaving if node.leaving else node.slots)

    def _part_with(self, peer: Peer) -> None:
        """What was read on its connection is nobody's to vouch for; who waits reads elsewhere."""
        del self.peers[peer.address]
        self._hands.close(peer)
        self._keep(peer, frozenset())
        self._settle()
        self._refuse_all(peer)

    def _seek(self, view: View, now: float) -> None:
        """Have connections to all primaries that are named, and to nobody who is not."""
        known = {peer.node.identity for peer in self.peers.values() if peer.node is not None}
        known.add(view.myself.identity)
        for node in view.primaries:
            address = node.address
            if address is None or node.is_failing or node.identity in known:
                continue
            if address not in self.peers and address not in self._absent:
                self._absent[address] = (now, FIRST_PAUSE)
        views = [view, *(peer.view for peer in self.peers.values() if peer.view is not None)]
        named = {node.address for one in views for node in one.primaries}
        for address in self._absent.keys() - named - self._under_way - set(self._start):
            del self._absent[address]

    def _keep(self, peer: Peer, slots: frozenset[int]) -> None:
        """Keep values of these slots of the peer's, and forget those of others of its."""
        if not self._is_cluster:
            if self._keepers[0] is peer:
                self._keepers[0] = None
                self._hands.vouch(NEVER)
                self._hands.forget(None)
            return
        gone = peer.slots - slots
        peer.slots = slots
        if gone:
            # On nobody's word from here on, then removed.
            self._hands.vouch(NEVER)
            for slot in gone:
                if self._keepers[slot] is peer:
                    self._keepers[slot] = None
            peer.placed = frozenset()
            self.counts.slots_forgotten += len(gone)
            self._hands.forget(gone)

    def _settle(self) -> None:
        """Work out who vouches for what until when, from all that was said."""
        peers = self.peers.values()
        for peer in peers:
            peer.confirmed = confirmation(peer, peers) if self._is_cluster else peer.renewed
            if peer.confirmed + self._lasts > peer.until:
                peer.until, peer.has_lapsed = peer.confirmed + self._lasts, False
                self._place(peer)
            elif peer.has_lapsed and peer.confirmed == NEVER:
                self._withdraw(peer)
        keepers = [peer.until for peer in peers if peer.until > NEVER]
        self._hands.vouch(min(keepers, default=NEVER))

    def _place(self, peer: Peer) -> None:
        """It is confirmed: its slots are kept by nobody else."""
        if peer.placed is peer.slots:
            return
        for other in self.peers.values():
            if other is not peer and not other.slots.isdisjoint(peer.slots):
                self._keep(other, other.slots - peer.slots)
        for slot in peer.slots:
            self._keepers[slot] = peer
        peer.placed = peer.slots

    def _withdraw(self, peer: Peer) -> None:
        """Others do not say of it what it says: until they do, nothing of it is kept."""
        self._keep(peer, frozenset())
        peer.until, peer.placed = NEVER, frozenset()

    def _lapse(self, peer: Peer) -> None:
        """Its lease has run out: who waits for it reads elsewhere."""
        peer.has_lapsed = True
        self.counts.lapses += 1
        self._refuse_all(peer)
        if peer.confirmed == NEVER:
            self._withdraw(peer)
            self._settle()

    def _refuse_all(self, peer: Peer) -> None:
        for asked in list(peer.link.waiting()):
            self._refuse(asked)

    def _refuse(self, asked: Asked) -> None:
        if not asked.is_over:
            asked.is_over = True
            self._hands.refuse(asked)

    def _is_told_of(self, key: bytes) -> bool:
        return self._prefixes is None or key.startswith(self._prefixes)

    def _try_later(self, address: Address, now: float, pause: float) -> None:
        self._absent[address] = (now + pause * self._random.uniform(0.5, 1.0), pause)

    def _next(self, now: float) -> float:
        times = [now + self._period]
        for peer in self.peers.values():
            sent = peer.link.sent
            times.append(peer.next_renewal if sent is None else sent + self._patience)
            if not peer.has_lapsed:
                times.append(peer.until)
        times += [when for at, (when, _) in self._absent.items() if at not in self._under_way]
        return min(times)
