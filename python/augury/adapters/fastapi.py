"""A dependency that gives FastAPI's handlers one cache per application.

    provided = CacheProvider("64 MB", ttl=60)
    app = FastAPI(lifespan=provided.lifespan)

    @app.get("/items/{item}")
    async def read(item: int, cache: Annotated[Cache, Depends(provided)]): ...

Tests put another in its place by ``app.dependency_overrides[provided]``. Caching of whole answers
by the rules of HTTP is hishel's middleware over :mod:`augury.adapters.hishel`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from augury.cache import Cache

__all__ = ["CacheProvider"]


class CacheProvider:
    """Called by ``Depends``, it gives the cache; its lifespan completes the cache's recording.

    Args:
        *arguments: Those of :class:`augury.Cache`.
        **options: Likewise.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.cache: Cache[Any, Any] = Cache(*arguments, **options)

    async def __call__(self) -> Cache[Any, Any]:
        """The cache. A coroutine, as FastAPI runs plain functions in a thread."""
        return self.cache

    @asynccontextmanager
    async def lifespan(self, app: FastAPI) -> AsyncIterator[None]:
        """For ``FastAPI(lifespan=...)``: closes the cache when the application stops."""
        try:
            yield
        finally:
            self.cache.close()
