"""What a near cache has in memory, as the protocol sees it: keys of the server, and slots.

A key of the server may be in the cache as bytes and as text; both are one key here. Removing a key
also takes away the permits of its loads, so what is read of it at this moment is not kept; that is
the cache's own (`augury.loading.flights`). Callable from any thread.
"""

from typing import Any
from weakref import ref

from augury import _core
from augury.cache import Cache
from augury.near.slots import forms_of, key_bytes, slot_of

__all__ = ["Memory"]


class Memory:
    """The entries of one near cache.

    Args:
        cache: Where they are.
        leased: What serves them; held weakly, so that it ends when nobody else has it.
    """

    def __init__(self, cache: Cache[Any, Any], leased: _core.Leased) -> None:
        self.cache = cache
        self._leased = ref(leased)

    def drop(self, key: bytes) -> None:
        """Remove the key, whichever way it was written."""
        for form in forms_of(key):
            self.cache.delete(form)

    def forget(self, slots: frozenset[int] | None) -> None:
        """Remove all keys of these slots, or all."""
        if slots is None or self.cache.reader.ahead is not None:
            # What was fetched ahead waits where iteration does not see it.
            self.cache.clear()
            return
        self.cache.reader.cleared()
        for key in self.cache:
            known = key_bytes(key)
            if known is None or slot_of(known) in slots:
                self.cache.delete(key)

    def vouch(self, until: float) -> None:
        """Let hits be served until then, in seconds on the clock of leases."""
        leased = self._leased()
        if leased is not None:
            leased.vouch(until)
