"""FastAPI's dependency: one cache per application, replaced in tests, closed at the end."""

import asyncio
from pathlib import Path
from typing import Annotated

import httpx
from fastapi import Depends, FastAPI

from augury import Cache
from augury.adapters.fastapi import CacheProvider


def test_handlers_share_the_cache() -> None:
    """What one stores another reads, and a test may put another cache in its place."""
    provided = CacheProvider(100, ttl=60)
    app = FastAPI()

    @app.put("/{key}")
    async def write(key: str, cache: Annotated[Cache[str, str], Depends(provided)]) -> None:
        cache[key] = key.upper()

    @app.get("/{key}")
    def read(key: str, cache: Annotated[Cache[str, str], Depends(provided)]) -> str | None:
        return cache.get(key)

    async def main() -> list[str | None]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            await client.put("/key")
            before = (await client.get("/key")).json()
            app.dependency_overrides[provided] = lambda: Cache[str, str](5)
            return [before, (await client.get("/key")).json()]

    assert ["KEY", None] == asyncio.run(main())
    assert "KEY" == provided.cache["key"]


def test_the_lifespan_completes_the_recording(tmp_path: Path) -> None:
    """The trace has what was asked for."""
    trace = tmp_path / "traffic.csv"
    provided = CacheProvider(100, record=trace)
    app = FastAPI(lifespan=provided.lifespan)

    async def main() -> None:
        async with app.router.lifespan_context(app):
            provided.cache.get("key")

    asyncio.run(main())
    assert "key" in trace.read_text(encoding="utf-8")
