"""The page on which a cache is watched, served by the program that the cache is in.

The extension draws and serves it, in a thread of its own; this module tells it what there is to
show. What is asked is what any caller could ask: counters, the curve, explanations. Only while a
page is served some of what leaves is noted, and entries are looked at in turn for their sizes and
shares.
"""

import atexit
import heapq
import json
import math
import time
import weakref
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from augury import _core
from augury.errors import ConfigError

if TYPE_CHECKING:
    from augury.cache import Cache

__all__ = ["CachePage"]

#: Rows of a table, and evictions that are shown.
ROWS = 10
EVICTIONS = 20
#: Entries looked at for their size and share at each look at the page, and at each beat.
LOOKED_AT = 2_000
#: Characters of a name, and what `repr` may come to.
LONGEST = 200

WITHOUT_CURVE = (
    "This cache does not measure other capacities, as that costs time with every request: make it "
    "with Cache(..., curve=True)."
)
WITHOUT_REASONS = (
    "The policy {policy} chooses among no rankings: make the cache with the policy auto."
)
WITHOUT_PREFETCH = (
    "Nothing is fetched ahead: give the cache a loader, and Cache(..., prefetch=0.1) for loads "
    "ahead of at most a tenth of those on demand."
)
WITHOUT_SHARES = (
    "How often a key is asked for is remembered by the policy auto alone; this cache has {policy}."
)
WITHOUT_SIZES = (
    "The capacity is in entries, each of which counts as one: sizes are measured where it is in "
    'bytes, as in Cache("64 MB").'
)

#: Pages that are served, to be closed before the interpreter ends.
_served: "weakref.WeakSet[CachePage]" = weakref.WeakSet()


@dataclass(frozen=True, slots=True)
class Facts:
    """What a cache knows of itself and the extension does not."""

    #: What the page calls it.
    name: str
    policy: str
    #: ``bytes``, ``entries`` or ``units``.
    unit: str
    #: Whether it measures its curve.
    has_curve: bool


class CachePage:
    """A page that is served: see :meth:`augury.Cache.serve_page`, which makes it.

    It keeps its cache alive until it is closed. After a fork it is served by the parent alone.
    """

    def __init__(
        self,
        cache: "Cache[Any, Any]",
        facts: Facts,
        *,
        host: str,
        port: int,
        password: str | None,
    ) -> None:
        check(host, port, facts.name, password)
        self._source = Source(cache, facts)
        self._server = _core.PageServer(
            host, port, password, self._source.seen, self._source.glance
        )
        cache.note_leavers()
        _served.add(self)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._server.address[1]

    @property
    def url(self) -> str:
        """Its address, for a browser on the same machine or, by its host, another."""
        host, port = self._server.address
        return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"

    def close(self) -> None:
        """Stop serving it; a second time does nothing."""
        self._server.close()
        _served.discard(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<CachePage {self.url}>"


@atexit.register
def close_all() -> None:
    """Before the interpreter ends nothing of it may be asked any more."""
    for page in list(_served):
        page.close()


def check(host: object, port: object, name: object, password: object) -> None:
    """Arguments that cannot be.

    Raises:
        ConfigError: One of them.
    """
    if not isinstance(port, int) or isinstance(port, bool) or not 0 <= port <= 65_535:
        raise ConfigError(f"port {port!r} cannot be: a number from 0 (any that is free) to 65535")
    if not isinstance(name, str) or not name or len(name) > LONGEST:
        raise ConfigError(f"name {name!r} cannot be: text of 1 to {LONGEST} characters")
    if password is not None and (not isinstance(password, str) or not password):
        raise ConfigError("password cannot be: text, or None for no password")
    if not isinstance(host, str):
        raise ConfigError(f"host {host!r} cannot be: an IP address, or localhost")


class Source:
    """What there is to see of a cache, as JSON, from the thread that serves the page.

    Args:
        cache: The cache.
        facts: What the extension does not know of it.
    """

    def __init__(self, cache: "Cache[Any, Any]", facts: Facts) -> None:
        self._cache = cache
        self._facts = facts
        self._since = now()
        self._ranks = Ranks(cache)

    def glance(self) -> str:
        """The counters, and what LRU would have."""
        self._ranks.look()
        own, others = self._shadows() or (None, [])
        told = [[other["name"], other["hit_ratio"]] for other in others]
        return json.dumps({"at": now(), "counts": counts(self._cache), "own": own, "others": told})

    def seen(self) -> str:
        """Everything."""
        cache = self._cache
        self._ranks.look()
        facts, policy = self._facts, self._facts.policy
        experts, ruling = self._experts()
        seen = {
            "name": facts.name,
            "version": _core.__version__,
            "now": now(),
            "since": self._since,
            "policy": policy,
            "ruling": ruling,
            "counts": counts(cache),
            "unit": facts.unit,
            "capacity": cache.capacity,
            "used": cache.used,
            "entries": len(cache),
            "shadows": self._shadows_part(),
            "experts": experts or missing(WITHOUT_REASONS.format(policy=policy)),
            "curve": self._curve(),
            "hot": self._ranks.hot() or missing(WITHOUT_SHARES.format(policy=policy)),
            "big": self._ranks.big() if facts.unit != "entries" else missing(WITHOUT_SIZES),
            "prefetch": self._prefetch(),
            "evictions": shown([evicted(*left) for left in cache.leavers()[:EVICTIONS]]),
        }
        return json.dumps(seen)

    def _shadows(self) -> tuple[float, list[dict[str, Any]]] | None:
        """What the cache and LRU hit of late, at the capacity as it is."""
        if not self._facts.has_curve:
            return None
        for point in self._cache.miss_ratio_curve():
            if point.capacity == self._cache.capacity:
                lru = {"name": "lru", "hit_ratio": 1.0 - point.lru_miss_ratio}
                return 1.0 - point.miss_ratio, [lru]
        return None

    def _shadows_part(self) -> dict[str, Any]:
        if not self._facts.has_curve:
            return missing(WITHOUT_CURVE)
        own, others = self._shadows() or (None, [])
        method = "Both by the miss ratio curve, which is measured on a sample of the keys."
        return shown({"own": own, "others": others, "method": method})

    def _experts(self) -> tuple[dict[str, Any] | None, str | None]:
        try:
            # Of an object that no key is equal to: what is asked for is said of any.
            found = self._cache.explanation(object())
        except ConfigError:
            return None, None
        experts = [
            {
                "name": expert["name"],
                "live": expert["live"],
                "standing": expert["standing"],
                "hit_ratio": None,
            }
            for expert in found["experts"]
        ]
        return shown(experts), found["ruling"]

    def _curve(self) -> dict[str, Any]:
        if not self._facts.has_curve:
            return missing(WITHOUT_CURVE)
        points = self._cache.miss_ratio_curve()
        if not points:
            return missing("Nothing was read since the curve began; it follows the traffic.")
        return shown(
            [
                {
                    "capacity": point.capacity,
                    "miss_ratio": point.miss_ratio,
                    "lru_miss_ratio": point.lru_miss_ratio,
                }
                for point in points
            ]
        )

    def _prefetch(self) -> dict[str, Any]:
        if self._cache.foresights() is None:
            return missing(WITHOUT_PREFETCH)
        found = self._cache.prefetches()
        return shown(
            {
                "issued": found.issued,
                "used": found.used,
                "unused": found.dropped + found.failed,
                "waiting": found.in_flight + found.staged,
            }
        )


class Ranks:
    """The hottest and the largest entries: found by looking at some at a time, in turn.

    What the round that goes on has found, and what the one before it found, is known.

    Args:
        cache: The cache.
    """

    def __init__(self, cache: "Cache[Any, Any]") -> None:
        self._cache = cache
        self._has_shares = False
        #: By size and by share, of this round and of the one before: rank, a number that makes
        #: ranks differ, and the key.
        self._found: list[list[tuple[float, int, Hashable]]] = [[], []]
        self._before: list[list[tuple[float, int, Hashable]]] = [[], []]
        self._number = 0

    def look(self) -> None:
        """Look at the next entries."""
        seen, is_end = self._cache.next_noted(LOOKED_AT)
        for key, size, share in seen:
            self._number += 1
            self._keep(self._found[0], size, key)
            if share is not None:
                self._has_shares = True
                self._keep(self._found[1], share, key)
        if is_end:
            self._before, self._found = self._found, [[], []]

    def _keep(self, best: list[tuple[float, int, Hashable]], rank: float, key: Hashable) -> None:
        if len(best) < ROWS:
            heapq.heappush(best, (rank, self._number, key))
        elif rank > best[0][0]:
            heapq.heapreplace(best, (rank, self._number, key))

    def _best(self, which: int) -> list[tuple[float, str]]:
        rows: dict[str, float] = {}
        # What was found last is what is still so.
        for rank, _, key in sorted(self._before[which]) + sorted(self._found[which]):
            rows[text_of(key)] = rank
        return sorted(((rank, key) for key, rank in rows.items()), reverse=True)[:ROWS]

    def hot(self) -> dict[str, Any] | None:
        """The hottest; none where shares are not remembered."""
        if not self._has_shares:
            return None
        rows = [
            {"key": key, "place": None, "share": share, "per_second": None, "heat": None}
            for share, key in self._best(1)
        ]
        return shown(rows)

    def big(self) -> dict[str, Any]:
        """The largest."""
        rows = [
            {"key": key, "place": None, "kind": "object", "size": int(size)}
            for size, key in self._best(0)
        ]
        return shown(rows)


def evicted(key: object, found: "_core._Explanation | None") -> dict[str, Any]:
    """Something that has left, and what was decided about it."""
    made = found["decisions"] if found else []
    why = next((decision for decision in made if decision["act"] == "evicted"), None)
    told = why and {
        "ruling": why["ruling"],
        "age": why["history"]["age"],
        "count": why["history"]["count"],
        "score": finite(why["score"]),
        "newcomer": None if why["newcomer"] is None else finite(why["newcomer"]),
        "looks": why["looks"],
        "holders": why["holders"],
    }
    size = why["size"] if why else None
    return {"key": text_of(key), "place": None, "size": size, "why": told}


def finite(number: float) -> float:
    """A number that JSON has."""
    return 0.0 if math.isnan(number) else min(max(number, -1e300), 1e300)


def text_of(key: object) -> str:
    """A key as text without anything invisible in it; what `repr` says where it is no text."""
    if isinstance(key, bytes):
        return _core.shown(key)
    try:
        text = key if isinstance(key, str) else repr(key)
    except Exception as error:
        text = f"<{type(key).__name__}, whose repr raises {type(error).__name__}>"
    return _core.shown(text.encode("utf-8", "surrogateescape"))


def counts(cache: "Cache[Any, Any]") -> Mapping[str, Any]:
    """The counters."""
    return cache.counts()


def now() -> int:
    """Milliseconds of Unix time."""
    return int(time.time() * 1000)


def shown(part: object) -> dict[str, Any]:
    """A part of the page that there is."""
    return {"shown": part}


def missing(why: str) -> dict[str, Any]:
    """One that there is not, and why."""
    return {"missing": why}
