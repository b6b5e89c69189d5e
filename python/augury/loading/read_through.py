"""The read-through part of :class:`augury.Cache`: its public verbs, over a reader."""

from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Generic, TypeVar

from augury import _core
from augury.loading.costs import LoadStats
from augury.loading.many import Reader
from augury.loading.prefetching import PrefetchStats
from augury.loading.reader import MISSING
from augury.loading.renewing import RefreshStats
from augury.tags import Tags

__all__ = ["ReadThrough"]

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class ReadThrough(_core.Cache, Generic[K, V]):
    """Loads what is missing: one load for all who ask at once.

    >>> import augury
    >>> cache = augury.Cache(1000, ttl=60, stale=30, load_timeout=5)
    >>> cache.get_or_load("user:42", lambda key: {"id": key})
    {'id': 'user:42'}
    >>> cache.loads().loads, cache.loads().namespaces["user"].loads
    (1, 1)
    """

    _reader: Reader
    _tags: Tags

    def _read_by(self, reader: Reader) -> None:
        """Load by this reader from now on."""
        self._reader = reader
        self.watch_with(reader.written)
        self.watch(reader.flights.is_watching)
        self.load_with(reader.load, reader.settings.loads_items, reader.settings.early_refresh)
        reader.attend(self)

    if TYPE_CHECKING:
        # The extension's own, with the types of this cache.
        def get_or_load(
            self,
            key: K,
            loader: Callable[[K], V] | None = None,
            *,
            ttl: float | None = None,
            tags: Iterable[Hashable] | None = None,
            timeout: float | None = None,
            namespace: str | None = None,
            session: Hashable = None,
        ) -> V:
            """The value under the key, loaded where there is none."""

        def get_many(self, keys: Iterable[K], *, session: Hashable = None) -> dict[K, V]:
            """Those that are there: a hit or a miss each."""

        def set_many(
            self,
            entries: Mapping[K, V],
            ttl: float | None = None,
            *,
            tags: Iterable[Hashable] | None = None,
        ) -> list[K]:
            """Store several; the keys of those that are not resident now."""

        def delete_many(self, keys: Iterable[K]) -> int:
            """Remove several; how many there were."""

    async def aget_or_load(
        self,
        key: K,
        loader: Callable[[K], V | Awaitable[V]] | None = None,
        *,
        ttl: float | None = None,
        tags: Iterable[Hashable] | None = None,
        timeout: float | None = None,
        namespace: str | None = None,
        session: Hashable = None,
    ) -> V:
        """As :meth:`get_or_load`, in a task of asyncio.

        Tasks and threads share their loads. A coroutine function runs as a task of its own, any
        other loader in a thread of the loop's executor; whoever is cancelled while waiting leaves
        the load as it is.

        >>> import asyncio, augury
        >>> cache = augury.Cache(1000)
        >>> async def load(key):
        ...     return key.upper()
        >>> async def ask():
        ...     return await asyncio.gather(*(cache.aget_or_load("a", load) for _ in range(50)))
        >>> set(asyncio.run(ask())), cache.loads().loads
        ({'A'}, 1)
        """
        found: V = self.ready(key, MISSING, session)
        if found is not MISSING:
            return found
        value: V = await self._reader.load_in_task(self, key, loader, ttl, tags, timeout, namespace)
        return value

    def get_or_load_many(
        self,
        keys: Iterable[K],
        bulk_loader: Callable[[list[K]], Mapping[K, V]] | None = None,
        *,
        ttl: float | None = None,
        tags: Iterable[Hashable] | None = None,
        timeout: float | None = None,
        namespace: str | None = None,
        session: Hashable = None,
    ) -> dict[K, V]:
        """Keys and values, what is missing loaded by one call of ``bulk_loader(missing_keys)``.

        It returns a mapping; keys that are not in it do not exist, and are not in the result.
        Keys that others load at this moment are waited for instead. Without a bulk loader the
        cache's ``loader`` is called for each key.

        Raises:
            ConfigError: There is no loader, or an argument cannot be.
            LoadError: ``timeout`` seconds have passed, or loads wait for each other.

        >>> import augury
        >>> cache = augury.Cache(1000)
        >>> cache["b"] = 0
        >>> cache.get_or_load_many("abc", lambda keys: {key: ord(key) for key in keys})
        {'a': 97, 'b': 0, 'c': 99}
        """
        reader = self._reader
        order = reader.settings.bulk_order(bulk_loader, ttl, tags, namespace)
        return reader.load_many(self, keys, order, timeout, session)

    async def aget_or_load_many(
        self,
        keys: Iterable[K],
        bulk_loader: Callable[[list[K]], Mapping[K, V] | Awaitable[Mapping[K, V]]] | None = None,
        *,
        ttl: float | None = None,
        tags: Iterable[Hashable] | None = None,
        timeout: float | None = None,
        namespace: str | None = None,
        session: Hashable = None,
    ) -> dict[K, V]:
        """As :meth:`get_or_load_many`, in a task of asyncio."""
        reader = self._reader
        order = reader.settings.bulk_order(bulk_loader, ttl, tags, namespace)
        return await reader.load_many_in_task(self, keys, order, timeout, session)

    @property
    def reader(self) -> Reader:
        """What loads for this cache; for decorators and adapters."""
        return self._reader

    def loads(self) -> LoadStats:
        """What loading has done and cost, by namespace too."""
        return self._reader.stats()

    def prefetches(self) -> PrefetchStats:
        """What was fetched ahead, and what came of it; all 0 in a cache without ``prefetch``.

        >>> import augury
        >>> cache = augury.Cache(100, loader=str, prefetch=0.1)
        >>> for _ in range(20):
        ...     for page in range(1_000):
        ...         _ = cache.get_or_load(page, session="a scan")
        >>> cache.prefetches().issued > 0
        True
        """
        ahead = self._reader.ahead
        return PrefetchStats() if ahead is None else ahead.stats()

    def refreshes(self) -> RefreshStats:
        """What was loaded anew before it expired; all 0 in a cache without ``refresh_ahead``.

        >>> import augury
        >>> augury.Cache(100, loader=str, ttl=60, refresh_ahead=0.1).refreshes().issued
        0
        """
        renewing = self._reader.renewing
        return RefreshStats() if renewing is None else renewing.stats()

    def invalidate_tag(self, tag: Hashable) -> None:
        """Remove every entry that was stored with this tag, at once and at no cost per entry.

        What is removed is no longer served or iterated over from now on; its room is given back
        when it is next asked for, or evicted. What is being loaded with the tag is not stored.

        >>> import augury
        >>> cache = augury.Cache(100)
        >>> cache.set("user:1:orders", [7, 9], tags=["user:1"])
        True
        >>> cache.invalidate_tag("user:1")
        >>> "user:1:orders" in cache
        False
        """
        self._reader.flights.supersede_tag(tag)
        known = self._tags.get(tag)
        if known is not None:
            known.invalidate()

    def clear(self) -> None:
        """Remove every entry. What is being loaded is not stored."""
        self._reader.cleared()
        super().clear()
