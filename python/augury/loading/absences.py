"""Negative caching: keys of which a loader has said that there is no such thing.

They have a cache of their own, so that they never displace what is there; with its TTL and its
limit in bytes, as an attacker can ask for any number of them.
"""

import sys
from collections.abc import Callable, Hashable

from augury import _core
from augury.tags import Tags

__all__ = ["Absences"]

#: Bytes of an entry beside its key, about.
OVERHEAD = 160


class Absences:
    """What is known not to exist.

    Args:
        ttl: Seconds for which it is known.
        capacity: Bytes, counting keys by `sys.getsizeof` and 160 for the entry.
        tags: Those of the cache: what invalidates a tag's entries also ends its absences.
        timer: That of the cache.
    """

    def __init__(
        self,
        ttl: float,
        capacity: int,
        tags: Tags,
        timer: Callable[[], float] | None,
    ) -> None:
        self._cache = _core.Cache()
        self._cache.begin(
            capacity=capacity,
            policy="lru",
            sizeof=size_of,
            ttl=ttl,
            tti=None,
            jitter=0.0,
            timer=timer,
            listener=None,
            tags=tags,
            journal=0,
            samples=0,
            curve=False,
            seed=1,
        )

    def add(self, permit: _core.Permit, key: Hashable, tags: tuple[Hashable, ...] | None) -> None:
        """The key has nothing, unless it was written meanwhile."""
        self._cache.store(permit, key, True, None, tags, 0.0, 0.0, 0)

    def __contains__(self, key: Hashable) -> bool:
        """Whether it is known that the key has nothing."""
        return self._cache.get(key, False) is True

    def __len__(self) -> int:
        """Keys that are known to have nothing."""
        return len(self._cache)

    def forget(self, key: Hashable) -> None:
        """The key may have something from now on."""
        self._cache.delete(key)

    def clear(self) -> None:
        """All keys may."""
        self._cache.clear()


def size_of(key: object, _: object) -> int:
    """Bytes."""
    return sys.getsizeof(key) + OVERHEAD
