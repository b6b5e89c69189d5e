"""Storages for hishel: HTTP answers in `augury.Cache`.

    client = hishel.httpx.CacheClient(storage=AuguryStorage("64 MB"))
    app = hishel.asgi.ASGICacheMiddleware(app, storage=AsyncAuguryStorage("64 MB"))

What may be stored and served (RFC 9111) is hishel's business; here is only where answers lie. Both
storages are the same :class:`~augury.adapters.responses.Responses` behind two faces, in the memory
of this process. Contract: ``BaseStorage`` and ``AsyncBaseStorage`` of hishel 2.
"""

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from dataclasses import replace
from typing import Any, cast
from uuid import UUID

from hishel import AsyncBaseStorage, BaseStorage, Entry, Headers, Request, Response

from augury.adapters.responses import Draft, Responses
from augury.cache import Cache

__all__ = ["AsyncAuguryStorage", "AuguryStorage"]


class AuguryStorage(BaseStorage):
    """For synchronous clients; safe to use from many threads.

    Args:
        capacity: Bytes of headers and bodies, as a number or text.
        default_ttl: Seconds that an answer is kept after it was stored; hishel's ``ttl``.
        default_tti: Seconds that it is kept after it was last looked up.
        max_stream_size: Bytes of a body; a larger one is passed on and not stored.
        **options: Further arguments of :class:`augury.Cache`, without ``sizeof``,
            ``on_removal``, ``ttl`` and ``tti``.
    """

    def __init__(
        self,
        capacity: int | str = "64 MB",
        *,
        default_ttl: float | None = None,
        default_tti: float | None = None,
        max_stream_size: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(
            default_ttl=default_ttl, default_tti=default_tti, max_stream_size=max_stream_size
        )
        self._responses = Responses(capacity, max_stream_size, options)

    @property
    def augury(self) -> Cache[Any, Any]:
        """The cache behind: its statistics, ``explain``, models."""
        return self._responses.cache

    def create_entry(
        self,
        request: Request,
        response: Response,
        key: str,
        *,
        ttl: float | None = None,
        tti: float | None = None,
    ) -> Entry:
        """An entry whose stream is stored as it is read to its end."""
        draft = self._responses.draft(request, response, key, *defaults(self, ttl, tti))
        return with_stream(draft, request, response, saving(draft, response.stream))

    def get_entries(self, key: str) -> list[Entry]:
        """The entries under the key: one per method and per what its answer varies by."""
        return [
            Entry(kept.id, kept.copy_of_request(), kept.response(iter(kept.body)))
            for kept in self._responses.find(key)
        ]

    def update_headers(self, id: UUID, headers: Headers) -> None:  # noqa: A002
        """Exchange an entry's headers, if it is still there."""
        self._responses.update(id, headers)

    def remove_entry(self, id: UUID) -> None:  # noqa: A002
        """Remove an entry, if it is still there."""
        self._responses.remove(id)

    def close(self) -> None:
        """Let go of everything, for good."""
        self._responses.close()


class AsyncAuguryStorage(AsyncBaseStorage):
    """For asynchronous clients and the ASGI middleware. Arguments as for :class:`AuguryStorage`."""

    def __init__(
        self,
        capacity: int | str = "64 MB",
        *,
        default_ttl: float | None = None,
        default_tti: float | None = None,
        max_stream_size: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(
            default_ttl=default_ttl, default_tti=default_tti, max_stream_size=max_stream_size
        )
        self._responses = Responses(capacity, max_stream_size, options)

    @property
    def augury(self) -> Cache[Any, Any]:
        """The cache behind: its statistics, ``explain``, models."""
        return self._responses.cache

    async def create_entry(
        self,
        request: Request,
        response: Response,
        key: str,
        *,
        ttl: float | None = None,
        tti: float | None = None,
    ) -> Entry:
        """An entry whose stream is stored as it is read to its end."""
        draft = self._responses.draft(request, response, key, *defaults(self, ttl, tti))
        return with_stream(draft, request, response, asaving(draft, response.stream))

    async def get_entries(self, key: str) -> list[Entry]:
        """The entries under the key: one per method and per what its answer varies by."""
        return [
            Entry(kept.id, kept.copy_of_request(), kept.response(chunks(kept.body)))
            for kept in self._responses.find(key)
        ]

    async def update_headers(self, id: UUID, headers: Headers) -> None:  # noqa: A002
        """Exchange an entry's headers, if it is still there."""
        self._responses.update(id, headers)

    async def remove_entry(self, id: UUID) -> None:  # noqa: A002
        """Remove an entry, if it is still there."""
        self._responses.remove(id)

    async def close(self) -> None:
        """Let go of everything, for good."""
        self._responses.close()


def defaults(
    storage: BaseStorage | AsyncBaseStorage, ttl: float | None, tti: float | None
) -> tuple[float | None, float | None]:
    """The limits of an entry: its own, or the storage's."""
    return (
        storage.default_ttl if ttl is None else ttl,
        storage.default_tti if tti is None else tti,
    )


def with_stream(draft: Draft, request: Request, response: Response, stream: Any) -> Entry:
    """What hishel is given for an answer that is being stored."""
    return Entry(draft.id, request, replace(response, stream=stream))


def saving(draft: Draft, stream: Any) -> Iterator[bytes]:
    """The stream as it is; the draft is stored when it has ended, not when it is left or fails."""
    for chunk in cast("Iterable[bytes]", stream or ()):
        draft.add(chunk)
        yield chunk
    draft.store()


async def asaving(draft: Draft, stream: Any) -> AsyncIterator[bytes]:
    """See :func:`saving`."""
    if stream is not None:
        async for chunk in cast("AsyncIterable[bytes]", stream):
            draft.add(chunk)
            yield chunk
    draft.store()


async def chunks(body: Iterable[bytes]) -> AsyncIterator[bytes]:
    """A body as an asynchronous stream."""
    for chunk in body:
        yield chunk
