"""Django's cache backend.

    CACHES = {"default": {"BACKEND": "augury.adapters.django.AuguryCache"}}

``LOCATION``, ``TIMEOUT``, ``KEY_PREFIX``, ``VERSION`` and ``KEY_FUNCTION`` are Django's.
``OPTIONS``:

- ``CAPACITY``: entries (a number) or bytes (``"64 MB"``); or ``MAX_ENTRIES``, 300 by default, as
  for Django's own backends. ``CULL_FREQUENCY`` is not used: what is evicted, one entry at a time,
  and whether a newcomer is worth a place is up to the policy.
- ``SERIALIZER``: a class, or its path, with ``dumps`` and ``loads``. By default each reader is
  given a copy (:class:`~augury.adapters.serializers.Copied`), as Django demands; with
  ``"augury.adapters.serializers.AsItIs"`` objects are stored as they are.
- Anything else is an argument of :class:`augury.Cache` in capitals, such as ``POLICY`` or
  ``JITTER``.

Aliases with the same location and options share one cache. All of it is in this process, so the
asynchronous methods answer without a thread, but for those that store what may have to be copied:
to copy a query set is to ask the database. Contract: Django's "cache framework" topic and
``django.core.cache.backends.base``.
"""

import threading
from collections.abc import Mapping
from typing import Any

from asgiref.sync import sync_to_async
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from augury.adapters.counting import ABSENT, change
from augury.adapters.lifetimes import lifetime
from augury.adapters.serializers import Copied
from augury.cache import Cache

__all__ = ["AuguryCache"]

#: Options that Django's own backends have, and this one reads itself.
DJANGOS = frozenset({"MAX_ENTRIES", "CULL_FREQUENCY", "CAPACITY", "SERIALIZER"})

_shared: dict[str, list[tuple[dict[str, Any], Cache[str, Any]]]] = {}
_sharing = threading.Lock()


def shared(location: str, options: dict[str, Any]) -> Cache[str, Any]:
    """The cache of this place and these arguments, which is made when it is first asked for."""
    with _sharing:
        there = _shared.setdefault(location, [])
        for known, cache in there:
            if known == options:
                return cache
        try:
            cache = Cache(**options)
        except (TypeError, ValueError) as error:
            raise ImproperlyConfigured(f"OPTIONS of the augury cache: {error}") from error
        there.append((options, cache))
        return cache


def serializer_of(asked: Any) -> Any:
    """The serializer from a path, a class or itself."""
    if isinstance(asked, str):
        asked = import_string(asked)
    made = asked() if isinstance(asked, type) else asked
    if not (callable(getattr(made, "dumps", None)) and callable(getattr(made, "loads", None))):
        raise ImproperlyConfigured(f"SERIALIZER {asked!r}: expected methods dumps and loads")
    return made


class AuguryCache(BaseCache):  # type: ignore[misc]
    """See the module."""

    def __init__(self, location: str, params: Mapping[str, Any]) -> None:
        super().__init__(params)
        asked: Mapping[str, Any] = params.get("OPTIONS") or {}
        if "TTL" in asked:
            raise ImproperlyConfigured("OPTIONS has TTL: say TIMEOUT beside OPTIONS instead")
        options = {name.lower(): asked[name] for name in asked if name not in DJANGOS}
        options["capacity"] = asked.get("CAPACITY", self._max_entries)
        self._serializer = serializer_of(asked.get("SERIALIZER", Copied))
        self._cache = shared(location, options)

    @property
    def augury(self) -> Cache[str, Any]:
        """The cache behind: its statistics, ``explain``, models. Keys have prefix and version."""
        return self._cache

    def _ttl(self, timeout: Any) -> float:
        """Seconds to live; 0 where it is over at once."""
        if timeout is DEFAULT_TIMEOUT:
            timeout = self.default_timeout
        return max(0.0, lifetime(timeout))

    def add(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None
    ) -> bool:
        """Store it if there is nothing; False also where the policy turns it away."""
        name, stored = self.make_and_validate_key(key, version), self._serializer.dumps(value)
        if ttl := self._ttl(timeout):
            return self._cache.add(name, stored, ttl)
        return name not in self._cache

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        """The value, or ``default``."""
        stored = self._cache.get(self.make_and_validate_key(key, version), ABSENT)
        return default if stored is ABSENT else self._serializer.loads(stored)

    def set(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None
    ) -> None:
        """Store it, if the policy does not turn it away."""
        self._set(key, value, timeout, version)

    def _set(self, key: Any, value: Any, timeout: Any, version: Any) -> bool:
        name, stored = self.make_and_validate_key(key, version), self._serializer.dumps(value)
        if ttl := self._ttl(timeout):
            return self._cache.set(name, stored, ttl)
        self._cache.delete(name)
        return True

    def set_many(
        self, data: Mapping[Any, Any], timeout: Any = DEFAULT_TIMEOUT, version: Any = None
    ) -> list[Any]:
        """Store them; the keys of those that were turned away."""
        return [key for key in data if not self._set(key, data[key], timeout, version)]

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        """Let it live this long from now; whether there is such an entry."""
        name = self.make_and_validate_key(key, version)
        if ttl := self._ttl(timeout):
            return self._cache.touch(name, ttl)
        return self._cache.delete(name)

    def delete(self, key: Any, version: Any = None) -> bool:
        """Remove it; whether there was such an entry."""
        return self._cache.delete(self.make_and_validate_key(key, version))

    def has_key(self, key: Any, version: Any = None) -> bool:
        """Whether there is such an entry; no request."""
        return self.make_and_validate_key(key, version) in self._cache

    def incr(self, key: Any, delta: int = 1, version: Any = None) -> Any:
        """Add to a number, atomically; its timeout stays."""
        name, serializer = self.make_and_validate_key(key, version), self._serializer
        stored = change(
            self._cache, name, lambda stored: serializer.dumps(serializer.loads(stored) + delta)
        )
        if stored is ABSENT:
            raise ValueError(f"Key {key!r} not found")
        return serializer.loads(stored)

    def clear(self) -> None:
        """Remove everything at this location, whatever its prefix and version."""
        self._cache.clear()

    async def aget(self, key: Any, default: Any = None, version: Any = None) -> Any:
        """See :meth:`get`."""
        return self.get(key, default, version)

    async def aset_many(
        self, data: Mapping[Any, Any], timeout: Any = DEFAULT_TIMEOUT, version: Any = None
    ) -> list[Any]:
        """See :meth:`set_many`."""
        many: list[Any] = await sync_to_async(self.set_many)(data, timeout, version)
        return many

    async def atouch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        """See :meth:`touch`."""
        return self.touch(key, timeout, version)

    async def adelete(self, key: Any, version: Any = None) -> bool:
        """See :meth:`delete`."""
        return self.delete(key, version)

    async def ahas_key(self, key: Any, version: Any = None) -> bool:
        """See :meth:`has_key`."""
        return self.has_key(key, version)

    async def aincr(self, key: Any, delta: int = 1, version: Any = None) -> Any:
        """See :meth:`incr`."""
        return self.incr(key, delta, version)

    async def aclear(self) -> None:
        """See :meth:`clear`."""
        self.clear()
