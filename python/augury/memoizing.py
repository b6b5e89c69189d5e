"""Functions in front of which a cache stands.

A known call of a plain function stays within the extension; of a coroutine function it takes one
coroutine, as an unknown one does. Keys are made as `functools.lru_cache` makes them.
"""

import functools
import inspect
import os
import threading
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, NamedTuple, ParamSpec, Protocol, TypeVar, overload
from weakref import WeakSet

from augury import _core
from augury.cache import Cache
from augury.capacity import Capacity
from augury.errors import ConfigError

__all__ = ["CacheInfo", "memoize"]

P = ParamSpec("P")
R = TypeVar("R")
#: Between positional and named arguments in a key.
MARK = object()
MISSING: Any = object()
#: Options of a cache that are about its own loads.
OF_LOADING = {
    "loader", "bulk_loader", "load_timeout", "stale", "stale_if_error", "early_refresh",
    "negative_ttl", "negative_capacity", "prefetch", "refresh_ahead",
}  # fmt: skip
#: Calls remembered of a function of which nothing else is said.
CAPACITY = 1_000


class CacheInfo(NamedTuple):
    """As `functools.lru_cache` gives it."""

    hits: int
    misses: int
    maxsize: int
    currsize: int


class MemoizedFunction(Protocol[P, R]):
    """A function with a cache, as :func:`memoize` returns it."""

    #: The function itself.
    __wrapped__: Callable[P, R]
    #: What stands in front of it: entries under the keys of calls.
    cache: Cache[Any, Any]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Look the call up, or make it."""

    def cache_key(self, *args: P.args, **kwargs: P.kwargs) -> Hashable:
        """Return the key of a call, for example to delete it from the cache."""

    def cache_info(self) -> CacheInfo:
        """Count."""

    def cache_clear(self) -> None:
        """Forget all calls; what has been learned and counted stays."""

    def cache_parameters(self) -> dict[str, Any]:
        """Return what was asked for."""


@overload
def memoize(function: Callable[P, R], /) -> MemoizedFunction[P, R]: ...
@overload
def memoize(
    *,
    capacity: int | str | Capacity = CAPACITY,
    ttl: float | None = None,
    policy: str = "auto",
    typed: bool = False,
    key: Callable[..., Hashable] | None = None,
    **options: Any,
) -> Callable[[Callable[P, R]], MemoizedFunction[P, R]]: ...
def memoize(
    function: Callable[..., Any] | None = None,
    /,
    *,
    capacity: int | str | Capacity = CAPACITY,
    ttl: float | None = None,
    policy: str = "auto",
    typed: bool = False,
    key: Callable[..., Hashable] | None = None,
    **options: Any,
) -> Any:
    """Remember what a function returned: functions, methods, coroutine functions.

    Of several threads or tasks that ask for the same at once one makes the call, and the others
    wait for it; what it raises is raised for all of them and not remembered. As with
    `functools.lru_cache` arguments must be hashable, those of a method include the object, and
    ``f(1, b=2)`` and ``f(1, 2)`` are different calls.

    Args:
        function: The function, where the decorator is used without arguments.
        capacity: Calls, as a number, or bytes of keys and results, as text.
        ttl: Seconds that a result holds; for ever if None.
        policy: As for :class:`~augury.Cache`.
        typed: Whether ``1`` and ``1.0`` are different arguments.
        key: Makes the key from the arguments, in place of all of them.
        options: Others of :class:`~augury.Cache`, but those of its loads.

    Raises:
        CapacityError: The capacity cannot be.
        ConfigError: Another argument cannot be.

    >>> import augury
    >>> @augury.memoize(capacity=100)
    ... def square(number):
    ...     print("computed")
    ...     return number * number
    >>> square(4), square(4)
    computed
    (16, 16)
    >>> square.cache_info()
    CacheInfo(hits=1, misses=1, maxsize=100, currsize=1)
    """
    parameters = {"capacity": capacity, "ttl": ttl, "policy": policy, "typed": typed, "key": key}
    if key is not None and not callable(key):
        raise ConfigError(f"key {key!r}: expected a function of the arguments, or None")
    if foreign := OF_LOADING & options.keys():
        raise ConfigError(
            f"{', '.join(sorted(foreign))}: not for memoize, whose loads are the calls themselves"
        )
    if key is not None and typed:
        raise ConfigError("typed is for keys of all arguments; with key= the function decides")

    def decorate(function: Callable[..., Any]) -> Any:
        if not callable(function):
            raise ConfigError(f"memoize({function!r}): expected a function")
        cache: Cache[Any, Any] = Cache(capacity, ttl=ttl, policy=policy, **options)
        remembered = Remembered(cache, function)
        is_async = inspect.iscoroutinefunction(function)
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise ConfigError(
                f"memoize({function!r}): a generator can be gone through once; memoize a function "
                "that returns a list of it"
            )
        memoized = _core.Memoized(cache, remembered.load, MARK, typed)
        if is_async:
            found: Any = coroutine_function(cache, function, key or memoized.cache_key)
        elif key is not None:
            found = keyed_function(remembered, key)
        else:
            found = memoized
        functools.update_wrapper(found, function)
        found.cache = cache
        found.cache_key = key or memoized.cache_key
        found.cache_clear = remembered.clear
        found.cache_info = functools.partial(info, cache)
        found.cache_parameters = lambda: parameters | options
        return found

    return decorate if function is None else decorate(function)


class Pending:
    """A call that is being made: others with the same arguments wait for it."""

    __slots__ = ("error", "is_done", "lock", "owner", "value")

    def __init__(self, owner: int) -> None:
        #: The thread that makes it.
        self.owner = owner
        self.lock = threading.Lock()
        self.lock.acquire()
        self.value: Any = None
        self.error: Exception | None = None
        #: Whether it has come to a value or an error.
        self.is_done = False


class Waits:
    """Which thread waits for which call: so that none waits for itself by way of others."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.of: dict[int, Pending] = {}

    def outcome(self, pending: Pending, thread: int) -> bool:
        """Wait until the call is made; false, at once, where that would be for ever."""
        with self.lock:
            awaited: Pending | None = pending
            while awaited is not None:
                if awaited.owner == thread:
                    return False
                awaited = self.of.get(awaited.owner)
            self.of[thread] = pending
        try:
            with pending.lock:
                return pending.is_done
        finally:
            with self.lock:
                self.of.pop(thread, None)


class Remembered:
    """A function and its calls under way."""

    def __init__(self, cache: Cache[Any, Any], function: Callable[..., Any]) -> None:
        self.cache = cache
        self.function = function
        #: Grows with every clearing: a call that began before one is not stored.
        self.clearings = 0
        self.begin()
        REMEMBERED.add(self)

    def begin(self) -> None:
        """With no call under way: at first, and in the child of a fork, where nobody makes one."""
        self.under_way: dict[Hashable, Pending] = {}

    def clear(self) -> None:
        """Forget all calls, those under way too."""
        self.clearings += 1
        self.cache.clear()

    def load(self, key: Hashable, arguments: tuple[Any, ...], named: dict[str, Any] | None) -> Any:
        """Make the call, or wait for it where another thread makes it.

        One frame lies between a function and its calls of itself: recursion goes two thirds as
        deep as with `functools.lru_cache`.
        """
        thread, clearings, under_way = threading.get_ident(), self.clearings, self.under_way
        mine = Pending(thread)
        other = under_way.setdefault(key, mine)
        if other is not mine and WAITS.outcome(other, thread):
            if other.error is not None:
                raise other.error
            return other.value
        try:
            value = self.function(*arguments, **named) if named else self.function(*arguments)
            if clearings == self.clearings:
                # What was stored under the key meanwhile is newer.
                self.cache.add(key, value)
            mine.value, mine.is_done = value, True
        except Exception as error:
            mine.error, mine.is_done = error, True
            raise
        finally:
            mine.lock.release()
            if other is mine:
                under_way.pop(key, None)
        return value


WAITS = Waits()
REMEMBERED: "WeakSet[Remembered]" = WeakSet()


def begin_anew() -> None:
    """In the child of a fork."""
    WAITS.__init__()  # type: ignore[misc]
    for remembered in REMEMBERED:
        remembered.begin()


os.register_at_fork(after_in_child=begin_anew)


def keyed_function(remembered: Remembered, key: Callable[..., Hashable]) -> Callable[..., Any]:
    """The function with keys of its user's."""
    get, load = remembered.cache.get, remembered.load

    def memoized(*arguments: Any, **named: Any) -> Any:
        known = key(*arguments, **named)
        found = get(known, MISSING)
        return load(known, arguments, named) if found is MISSING else found

    return memoized


def coroutine_function(
    cache: Cache[Any, Any], function: Callable[..., Awaitable[Any]], key: Callable[..., Hashable]
) -> Callable[..., Awaitable[Any]]:
    """The coroutine function; what is remembered is what its coroutine returned.

    Of many tasks at once with the same arguments one makes the call; one that is cancelled while
    it waits leaves the call as it is.
    """
    get, reader = cache.get, cache.reader

    async def memoized(*arguments: Any, **named: Any) -> Any:
        known = key(*arguments, **named)
        found = get(known, MISSING)
        if found is MISSING:

            def call(_: Hashable) -> Awaitable[Any]:
                return function(*arguments, **named)

            return await reader.load_in_task(cache, known, call, None, None, None, None)
        return found

    return memoized


def info(cache: Cache[Any, Any]) -> CacheInfo:
    """Count."""
    stats = cache.stats()
    return CacheInfo(stats.hits, stats.misses, cache.capacity, len(cache))
