"""HTTP answers in a cache: what both storages of hishel stand on.

The cache's key of an answer is its hishel key, method, URL and what it varies by, and not its id,
so that an answer which comes back after its eviction is the same object to the policy. An index has
the keys under each hishel key and that of each id, of what is resident and of nothing else: the
cache tells of everything that leaves.
"""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4
from weakref import WeakValueDictionary

from hishel import Headers, Request, Response

from augury.adapters.lifetimes import lifetime
from augury.cache import Cache
from augury.errors import ConfigError

__all__ = ["Draft", "Kept", "Responses"]

#: The key of an answer in the cache.
Name = tuple[str, ...]
#: Answers under one hishel key; past it the oldest goes. `Vary` may name what a client chooses.
MOST_VARIANTS = 64
#: Bytes of the objects around an answer, by `sys.getsizeof`, roughly.
OVERHEAD = 1_000
#: Bytes of an answer.
LARGEST = 2**32 - 1


@dataclass(frozen=True)
class Kept:
    """A stored answer. Nobody outside is given what could be changed in it."""

    id: UUID
    request: Request
    status_code: int
    headers: Headers
    body: tuple[bytes, ...]

    def copy_of_request(self) -> Request:
        """The request that it answers."""
        return replace(self.request, headers=copied(self.request.headers))

    def response(self, stream: Any) -> Response:
        """The answer, with its body as this stream."""
        return Response(self.status_code, copied(self.headers), stream)


class Draft:
    """An answer whose body is still being read."""

    def __init__(
        self, responses: "Responses", name: Name, kept: Kept, ttl: float | None, tti: float | None
    ) -> None:
        self.id = kept.id
        self.is_wanted = True
        self._responses, self._name, self._kept = responses, name, kept
        self._ttl, self._tti = ttl, tti
        self._begun = responses.now()
        self._room = responses.largest_body
        self._body: list[bytes] = []

    def add(self, chunk: bytes) -> None:
        """A part of the body; once it is too large nothing is kept of it."""
        self._room -= len(chunk)
        if self._room < 0:
            self.is_wanted = False
            self._body.clear()
        if self.is_wanted:
            self._body.append(bytes(chunk))

    def store(self) -> None:
        """The body is complete. The TTL counts from when the draft was made."""
        ttl = lifetime(self._ttl) - (self._responses.now() - self._begun)
        tti = lifetime(self._tti)
        if self.is_wanted and min(ttl, tti) > 0:
            kept = replace(self._kept, body=tuple(self._body))
            self._responses.store(self._name, kept, ttl, tti)


class Responses:
    """See the module.

    Args:
        capacity: Bytes.
        max_body: Bytes of a body that is stored; as many as the cache holds, if None.
        options: Further arguments of :class:`augury.Cache`.
    """

    def __init__(self, capacity: int | str, max_body: int | None, options: dict[str, Any]) -> None:
        taken = {"sizeof", "on_removal", "ttl", "tti"} & options.keys()
        if taken:
            raise ConfigError(
                f"{' and '.join(sorted(taken))}: the storage has its own sizeof and on_removal; "
                "times are default_ttl and default_tti"
            )
        self.cache: Cache[Name, Kept] = Cache(
            capacity, sizeof=size, on_removal=self._left, **options
        )
        self.now: Callable[[], float] = options.get("timer") or time.monotonic
        most = min(self.cache.capacity, LARGEST)
        self.largest_body = most if max_body is None else min(max_body, most)
        self._names: dict[str, dict[Name, None]] = {}
        self._of_id: dict[UUID, Name] = {}
        self._drafts: WeakValueDictionary[UUID, Draft] = WeakValueDictionary()
        # What leaves on a look at the cache is told while the lock is held.
        self._lock = threading.RLock()
        self._is_closed = False

    def draft(
        self, request: Request, response: Response, key: str, ttl: float | None, tti: float | None
    ) -> Draft:
        """Begin to store an answer."""
        self._check()
        name = (key, request.method, request.url, *varying(request, response))
        if name not in self.cache:
            self.cache.get(name)  # The miss that brought it here, for statistics and policy.
        headers = copied(response.headers)
        asked = replace(request, headers=copied(request.headers))
        kept = Kept(uuid4(), asked, response.status_code, headers, ())
        draft = Draft(self, name, kept, ttl, tti)
        self._drafts[draft.id] = draft
        return draft

    def store(self, name: Name, kept: Kept, ttl: float, tti: float) -> None:
        """Store a complete answer, if the policy does not turn it away."""
        if self._is_closed:
            return
        self.cache.set(name, kept, ttl, tti=tti)
        oldest = None
        with self._lock:
            if self.cache.peek(name) is kept:
                self._of_id[kept.id] = name
                names = self._names.setdefault(name[0], {})
                names[name] = None
                oldest = next(iter(names)) if len(names) > MOST_VARIANTS else None
        if oldest is not None:
            self.cache.delete(oldest)

    def find(self, key: str) -> Iterator[Kept]:
        """The answers under a key: a hit each."""
        self._check()
        with self._lock:
            names = list(self._names.get(key, ()))
        found = (self.cache.get(name) for name in names)
        return (kept for kept in found if kept is not None)

    def update(self, of: UUID, headers: Headers) -> None:
        """Exchange the headers of an answer; its limits stay."""
        while (name := self._of_id.get(of)) is not None:
            kept = self.cache.peek(name)
            if kept is None or kept.id != of:
                return
            if self.cache.replace(name, kept, replace(kept, headers=copied(headers))):
                return

    def remove(self, of: UUID) -> None:
        """Remove an answer, or see to it that it is not stored."""
        draft = self._drafts.get(of)
        if draft is not None:
            draft.is_wanted = False
        name = self._of_id.get(of)
        if name is not None:
            self.cache.delete(name)

    def close(self) -> None:
        """Let go of everything; later questions raise."""
        self._is_closed = True
        self.cache.clear()
        self.cache.close()

    def _check(self) -> None:
        if self._is_closed:
            raise RuntimeError("the storage is closed; make another one")

    def _left(self, name: Name, kept: Kept, cause: str) -> None:
        """Told by the cache. Another answer may be there under the same name by now."""
        with self._lock:
            there = self.cache.peek(name)
            if there is None or there.id != kept.id:
                self._of_id.pop(kept.id, None)
            if there is None and (names := self._names.get(name[0])) is not None:
                names.pop(name, None)
                if not names:
                    del self._names[name[0]]


def varying(request: Request, response: Response) -> Iterator[str]:
    """The request's fields that the answer varies by, with their values."""
    named = {field.strip().lower() for field in response.headers.get("vary", "").split(",")}
    for field in sorted(named - {""}):
        yield f"{field}: {request.headers.get(field, '')}"


def size(name: Name, kept: Kept) -> int:
    """Bytes of an answer, at most what a size can be."""
    fields = (*kept.headers.items(), *kept.request.headers.items())
    text = sum(map(len, name)) + sum(len(field) + len(value) for field, value in fields)
    return min(LARGEST, OVERHEAD + text + sum(map(len, kept.body)))


def copied(headers: Headers) -> Headers:
    """Headers of their own, repeated fields apart."""
    return Headers({field: list(headers.get_list(field) or ()) for field in headers})
