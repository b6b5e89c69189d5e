"""What the protocol of a near cache has done for it: connections, memory, and those who wait."""

from typing import Protocol

from augury.near.link import Asked
from augury.near.peers import Peer
from augury.near.topology import Address

__all__ = ["Hands"]


class Hands(Protocol):
    """What the machine has done; nothing here may call it back."""

    def connect(self, address: Address) -> None:
        """Try to reach it; `connected` or `unreachable` is to follow."""

    def send(self, peer: "Peer", data: bytes) -> None:
        """Write to the peer's connection."""

    def close(self, peer: "Peer") -> None:
        """Close its connection; nothing more is to be told of it."""

    def changed(self, key: bytes) -> None:
        """Remove the key, and have no read of it kept that is under way."""

    def forget(self, slots: frozenset[int] | None) -> None:
        """Remove all keys of these slots, or of all, and have no read kept that is under way."""

    def land(self, asked: Asked, values: list[bytes | None]) -> None:
        """These values were read, and may be kept."""

    def refuse(self, asked: Asked) -> None:
        """Read it without us, and keep nothing."""

    def vouch(self, until: float) -> None:
        """What is in memory may be served until then, whatever its key."""
