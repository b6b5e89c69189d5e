"""Flask-Caching's backend.

    app.config["CACHE_TYPE"] = "augury.adapters.flask_caching.AuguryCache"

``CACHE_DEFAULT_TIMEOUT`` is Flask-Caching's. ``CACHE_THRESHOLD`` is the capacity in entries, unless
``CACHE_OPTIONS`` names a ``capacity``, such as ``"64 MB"``; its other items are arguments of
:class:`augury.Cache`, or ``serializer``. Readers are given copies, unless that is an
:class:`~augury.adapters.serializers.AsItIs`; ``CACHE_SERIALIZER`` takes one of cachelib's.
Contract: ``cachelib.BaseCache``.
"""

from typing import Any

from flask import Flask
from flask_caching.backends.base import BaseCache

from augury.adapters.counting import ABSENT, change
from augury.adapters.lifetimes import lifetime
from augury.adapters.serializers import Copied
from augury.cache import Cache
from augury.errors import ConfigError

__all__ = ["AuguryCache"]


class AuguryCache(BaseCache):
    """See the module."""

    def __init__(
        self,
        capacity: int | str = 500,
        default_timeout: int = 300,
        ignore_delete_many_errors: bool = False,
        serializer: Any = None,
        **options: Any,
    ) -> None:
        if "ttl" in options:
            raise ConfigError("CACHE_OPTIONS has ttl: say CACHE_DEFAULT_TIMEOUT instead")
        super().__init__(default_timeout, ignore_delete_many_errors)
        self.serializer: Any = Copied() if serializer is None else serializer
        self._cache: Cache[str, Any] = Cache(capacity, **options)

    @classmethod
    def factory(
        cls, app: Flask, config: dict[str, Any], args: list[Any], kwargs: dict[str, Any]
    ) -> "AuguryCache":
        """What Flask-Caching calls."""
        if not args:
            kwargs.setdefault("capacity", config["CACHE_THRESHOLD"])
        return cls(*args, **kwargs)

    @property
    def augury(self) -> Cache[str, Any]:
        """The cache behind: its statistics, ``explain``, models."""
        return self._cache

    def _ttl(self, timeout: Any) -> float:
        """Seconds; 0 is for ever, and so is what is negative to cachelib's in-process cache."""
        seconds = self._normalize_timeout(timeout)
        return lifetime(seconds if seconds > 0 else None)

    def get(self, key: str) -> Any:
        """The value, or None."""
        stored = self._cache.get(key, ABSENT)
        return None if stored is ABSENT else self.serializer.loads(stored)

    def set(self, key: str, value: Any, timeout: Any = None) -> bool:
        """Store it; False where the policy turned it away."""
        return self._cache.set(key, self.serializer.dumps(value), self._ttl(timeout))

    def add(self, key: str, value: Any, timeout: Any = None) -> bool:
        """Store it if there is nothing; False also where the policy turned it away."""
        return self._cache.add(key, self.serializer.dumps(value), self._ttl(timeout))

    def delete(self, key: str) -> bool:
        """Remove it; whether there was such an entry."""
        return self._cache.delete(key)

    def has(self, key: str) -> bool:
        """Whether there is such an entry; no request."""
        return key in self._cache

    def clear(self) -> bool:
        """Remove everything."""
        self._cache.clear()
        return True

    def inc(self, key: str, delta: int = 1) -> int | None:
        """Add to a number, or to 0, atomically; None where the policy turned it away.

        The timeout of a number that is there stays.
        """
        serializer = self.serializer

        def raised(stored: Any) -> Any:
            return serializer.dumps((serializer.loads(stored) or 0) + delta)

        while (stored := change(self._cache, key, raised)) is ABSENT:
            fresh = serializer.dumps(delta)
            if self._cache.add(key, fresh, self._ttl(None)):
                return delta
            if key not in self._cache:
                return None
        found: int = serializer.loads(stored)
        return found

    def dec(self, key: str, delta: int = 1) -> int | None:
        """Subtract, likewise."""
        return self.inc(key, -delta)
