"""The servers that a near cache is connected to, and whom to believe what is whose.

A primary may have lost a slot and not know it: it was stopped, or cut off, while another was
elected. It answers a PING as before, and the word of writes goes elsewhere. But whoever wins slots
by an election has the votes of a majority of the primaries, and who votes takes the old owner for
failing from then on, and later for what it has become. So a primary is believed as of a time s if
it and others, together more than half of all primaries, have answered what was sent at s or later,
and have said alike which slots it has, by which epoch, and that it does not fail: one of them would
have voted.

What is moved without an election (a manual failover, a slot that is handed over) is told to all at
once; `coherence` keeps back some time for that. What cannot be known here, the cluster does not
know
either: a primary cut off from the others, and not from us, answers plain reads no better until a
majority has noticed.
"""

from collections.abc import Collection
from dataclasses import dataclass

from augury.near.link import Link
from augury.near.topology import Address, Node, View

__all__ = ["NEVER", "Peer", "confirmation"]

NEVER = float("-inf")


@dataclass(slots=True, eq=False)
class Peer:
    """A server that we have a tracking connection to."""

    address: Address
    link: Link
    #: What it says of itself, once it has; nothing on a server that is no cluster.
    node: Node | None = None
    view: View | None = None
    #: When the latest renewal that was answered was sent.
    renewed: float = NEVER
    #: Of which slots values are kept: those of its own that are not about to leave.
    slots: frozenset[int] = frozenset()
    #: Those that it was noted down for.
    placed: frozenset[int] = frozenset()
    #: Up to when it, and a majority, have confirmed that; and until when hits are served by it.
    confirmed: float = NEVER
    until: float = NEVER
    next_renewal: float = NEVER
    has_lapsed: bool = True


def confirmation(peer: Peer, peers: Collection[Peer]) -> float:
    """The latest time as of which the peer, of these, is to be believed; `NEVER` if it is not."""
    node = peer.node
    if node is None or node.is_failing:
        return NEVER
    views = [other.view for other in peers if other.view is not None]
    agreeing = sorted(
        other.renewed
        for other in peers
        if other is not peer and other.view is not None and other.view.confirms(node)
    )
    # Of the largest cluster that anybody knows, less the peer itself.
    others = max(len(view.primaries) for view in views) // 2
    if len(agreeing) < others:
        return NEVER
    return min([peer.renewed, *agreeing[len(agreeing) - others :]])
