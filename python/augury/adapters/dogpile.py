"""Backends for dogpile.cache, registered under the names ``augury`` and ``augury.bytes``.

    region = make_region().configure("augury", arguments={"capacity": 10_000})

``augury`` keeps values as they are, as ``dogpile.cache.memory`` does: who changes a value that he
was given changes it for all. ``augury.bytes`` stores what the region's serializer makes of it
(pickle, if none is named), so every reader has a copy and a capacity in bytes is exact.

``arguments`` are those of :class:`augury.Cache`, or ``cache``: one that is there already. The
region's ``expiration_time`` is dogpile's business and removes nothing; a ``ttl`` here does. Mutexes
are the region's own, which are right for one process. Contract: ``dogpile.cache.api.CacheBackend``.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from dogpile.cache.api import NO_VALUE, BytesBackend, CacheBackend

from augury.cache import Cache
from augury.errors import ConfigError

__all__ = ["AuguryBackend", "AuguryBytesBackend"]


def cache_of(arguments: Mapping[str, Any]) -> Cache[str, Any]:
    """The cache that the arguments name, or one made by them."""
    if "cache" not in arguments:
        try:
            return Cache(**arguments)
        except TypeError as error:
            raise ConfigError(
                f"arguments of the backend are those of augury.Cache, or cache: {error}"
            ) from error
    cache = arguments["cache"]
    if not isinstance(cache, Cache) or len(arguments) > 1:
        raise ConfigError(f"arguments {arguments!r}: expected cache to be an augury.Cache, alone")
    return cache


class AuguryBackend(CacheBackend):
    """Python objects, as they are. See the module."""

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        self._cache = cache_of(arguments)

    @property
    def augury(self) -> Cache[str, Any]:
        """The cache behind: its statistics, ``explain``, models."""
        return self._cache

    def get(self, key: str) -> Any:
        """What is stored, or NO_VALUE."""
        return self._cache.get(key, NO_VALUE)

    def get_multi(self, keys: Iterable[str]) -> list[Any]:
        """One answer per key."""
        return [self._cache.get(key, NO_VALUE) for key in keys]

    def set(self, key: str, value: Any) -> None:
        """Store it, if the policy does not turn it away."""
        self._cache.set(key, value)

    def set_multi(self, mapping: Mapping[str, Any]) -> None:
        """Store them."""
        for key in mapping:
            self._cache.set(key, mapping[key])

    def delete(self, key: str) -> None:
        """Remove it, if it is there."""
        self._cache.delete(key)

    def delete_multi(self, keys: Iterable[str]) -> None:
        """Remove those that are there."""
        for key in keys:
            self._cache.delete(key)


class AuguryBytesBackend(AuguryBackend, BytesBackend):
    """What the region's serializer makes of values. See the module."""

    get_serialized = AuguryBackend.get
    get_serialized_multi = AuguryBackend.get_multi
    set_serialized = AuguryBackend.set
    set_serialized_multi = AuguryBackend.set_multi
