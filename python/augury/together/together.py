"""Caches of several processes that learn together: what a program makes of it."""

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from types import TracebackType
from typing import Any, Self
from weakref import WeakSet, finalize

from augury.cache import Cache
from augury.errors import ConfigError
from augury.near.near_cache import NearCache
from augury.near.origins import origin_of
from augury.together.channel import Channel
from augury.together.group import Group
from augury.together.member import Counts, Member

__all__ = ["Together", "TogetherStats"]

#: Seconds between rounds.
LEAST_EVERY, MOST_EVERY = 0.05, 3600.0
#: Rounds that somebody is elected for, and that what was told is kept for.
LEASE_ROUNDS, KEPT_ROUNDS = 3, 60
#: Seconds that what was told is kept for at least.
LEAST_KEPT = 60.0
MOST_KEYS = 100_000
LONGEST_NAME = 100
ALL: "WeakSet[Together]" = WeakSet()
HELD: list[Any] = []


@dataclass(frozen=True, slots=True)
class TogetherStats:
    """What learning together has come to, since it was begun."""

    #: Rounds made, and those of them that failed for want of the server.
    rounds: int
    failures: int
    #: Times that this cache has told, and that it has taken over what is agreed.
    told: int
    heard: int
    #: Whether that was before it was asked for anything: it began warm.
    warm: bool
    #: Whether this member merges for all now, and the fencing token of what it has heard last.
    is_trainer: bool
    token: int
    #: Times that it has published what is agreed, and that it was refused: another one was elected.
    published: int
    stale: int
    #: What others wrote and was refused: damaged, too large, or something else.
    refused: int
    #: Members that what is agreed was learned by, objects that it tells of, and those known here.
    members: int
    agreed: int
    known: int
    #: Why the latest round did not do all that it should; empty where it did.
    trouble: str


class Together:
    """Has a cache learn together with those of other processes, through a Redis or Valkey.

    For caches that serve the same keys, each a part of the requests: what each sees of an object is
    little, and all together see as much as one cache before all of them would. Each tells how hot
    the objects are that it was asked for, one of them merges, and all take that over, in a thread
    of its own. A cache that is made later begins with what the others know. Without the server each
    learns alone, as without this.

    Keys leave the process as keyed hashes of 64 bits; values never. What comes from the server is
    checked and bounded, and can do no more than have the wrong entries kept. Keys that are neither
    text, bytes nor whole numbers are left out.

    Args:
        client: As for :class:`augury.NearCache`; its connections stay as they are.
        cache: A :class:`augury.Cache` or :class:`augury.NearCache` with a policy that learns
            (``auto`` or ``survival``), made just before: what others have learned is taken over
            whole as long as it was not asked for anything.
        name: Of the group. Caches of one group serve the same keys and have like capacities.
        secret: What the keys are hashed under; the same for all of the group. By default the name,
            by which whoever reads the server can try whether a key that they guess is among them.
        every: Seconds between rounds, from 0.05 to 3,600; None makes none but by :meth:`sync`.
        keys: Objects that are told of at most, 12 bytes each, from 1 to 100,000.
        wait: Seconds that the first round is waited for here, at most.

    Raises:
        ConfigError: An option cannot be, or a package is missing.

    >>> import augury, redis  # doctest: +SKIP
    >>> client = redis.RedisCluster(host="127.0.0.1", port=7000)  # doctest: +SKIP
    >>> near = augury.NearCache(client, "256 MB")  # doctest: +SKIP
    >>> together = augury.Together(client, near, name="shop")  # doctest: +SKIP
    """

    def __init__(
        self,
        client: Any,
        cache: "Cache[Any, Any] | NearCache",
        *,
        name: str = "default",
        secret: str | bytes | None = None,
        every: float | None = 10.0,
        keys: int = 32_768,
        wait: float = 1.0,
    ) -> None:
        learning: Any = cache.cache if isinstance(cache, NearCache) else cache
        check_cache(learning)
        check_name(name)
        check_every(every)
        check_keys(keys)
        self._cache, self._name, self._keys, self._every = learning, name, keys, every
        self._origin = origin_of(client)
        learning.learn_together(derived(name, secret), keys)
        self._is_closed = False
        self._begin()
        if every is not None and wait > 0:
            self._member.began.wait(wait)
        ALL.add(self)

    def _begin(self) -> None:
        origin, seconds = self._origin, 10.0 if self._every is None else self._every
        group = Group(
            Channel(origin.dial, origin.start),
            self._name,
            secrets.token_hex(8).encode(),
            lease=LEASE_ROUNDS * seconds,
            kept=max(LEAST_KEPT, KEPT_ROUNDS * seconds),
        )
        self._member = Member(self._cache, group, self._keys, seconds)
        self._end = finalize(self, self._member.stop, 1.0)
        self._end.atexit = False
        if self._every is not None:
            self._member.start()

    def sync(self) -> bool:
        """Make a round now, in this thread; whether all of it went well.

        What this cache has seen is told, and what is agreed is taken over, without waiting for the
        next round: before a program ends, or where ``every`` is None.
        """
        return not self._is_closed and self._member.round()

    def stats(self) -> TogetherStats:
        """What it has come to."""
        counts, token = self._member.counts, self._member.group.token
        named = {name: getattr(counts, name) for name in Counts.__slots__}
        return TogetherStats(is_trainer=token != 0, **named)

    def close(self) -> None:
        """End the thread and the connection; the cache goes on alone, with what it knows."""
        self._is_closed = True
        self._member.stop(5.0)
        self._end.detach()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    def __repr__(self) -> str:
        """The group, and the cache."""
        return f"<augury.Together in {self._name!r} of {self._cache!r}>"

    def _begin_anew(self) -> None:
        """In the child of a fork: another member, with a connection and a thread of its own."""
        self._end.detach()
        if not self._is_closed:
            self._begin()


def check_cache(cache: object) -> None:
    """Refuse what cannot learn."""
    if not isinstance(cache, Cache):
        raise ConfigError(f"cache {cache!r:.100}: expected an augury.Cache or augury.NearCache")
    policy = cache._options["policy"]
    if policy not in {"auto", "survival"}:
        raise ConfigError(f"policy {policy!r} learns nothing: expected a cache of auto or survival")


def check_name(name: object) -> None:
    """Refuse what cannot be the name of a group."""
    is_name = isinstance(name, str) and 1 <= len(name) <= LONGEST_NAME and name.isprintable()
    if not is_name or "}" in str(name):
        raise ConfigError(
            f"name {name!r:.120}: expected 1 to {LONGEST_NAME} printable characters without a brace"
        )


def check_every(every: object) -> None:
    """Refuse what are no seconds within the bounds."""
    if every is None:
        return
    is_number = isinstance(every, int | float) and not isinstance(every, bool)
    if not is_number or not LEAST_EVERY <= every <= MOST_EVERY:  # type: ignore[operator]
        raise ConfigError(
            f"every {every!r}: expected seconds from {LEAST_EVERY} to {MOST_EVERY:,.0f}, or None"
        )


def check_keys(keys: object) -> None:
    """Refuse what is no number of keys within the bounds."""
    if not isinstance(keys, int) or isinstance(keys, bool) or not 1 <= keys <= MOST_KEYS:
        raise ConfigError(f"keys {keys!r}: expected a whole number from 1 to {MOST_KEYS:,}")


def derived(name: str, secret: str | bytes | None) -> bytes:
    """The two keys that keys are hashed under: of text, and of numbers."""
    if not isinstance(secret, str | bytes | None):
        raise ConfigError("secret: expected text or bytes, or None")
    told = secret.encode() if isinstance(secret, str) else secret
    # BLAKE2 takes a key of 64 bytes at most.
    key = blake2b(told or b"").digest()
    return blake2b(name.encode(), key=key, digest_size=32, person=b"augury-together").digest()


def hold() -> None:
    """Before a fork: no lock of the engine's may be held by a thread that the child lacks."""
    for one in list(ALL):
        one._member.working.acquire()
        HELD.append(one._member.working)


def go_on() -> None:
    """In the parent."""
    while HELD:
        HELD.pop().release()


def begin_anew() -> None:
    """In the child."""
    go_on()
    for one in list(ALL):
        with suppress(Exception):
            one._begin_anew()


os.register_at_fork(before=hold, after_in_parent=go_on, after_in_child=begin_anew)
