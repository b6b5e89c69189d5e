"""The snippets of the README's section on frameworks do what they are there for."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.cache import CacheHandler

README = Path(__file__).parents[2] / "README.md"
SECTION = README.read_text(encoding="utf-8").partition("\n## Frameworks\n")[2].partition("\n## ")[0]
SNIPPETS = re.findall(r"^```python\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL)


def django(found: dict[str, Any]) -> None:
    """The settings make a cache of that capacity."""
    cache = CacheHandler(found["CACHES"])["default"]
    cache.set("key", [1])
    assert [1] == cache.get("key")
    assert 64_000_000 == cache.augury.capacity


def dogpile(found: dict[str, Any]) -> None:
    """The function is called once."""
    assert [9, 9] == [found["square"](3), found["square"](3)]
    assert (1, 10_000) == (
        len(found["region"].backend.augury),
        found["region"].backend.augury.capacity,
    )


def by_httpx(found: dict[str, Any]) -> None:
    """The client is one of httpx."""
    with found["client"] as client:
        assert isinstance(client, httpx.Client)


def asgi(found: dict[str, Any]) -> None:
    """The application answers."""
    assert 64_000_000 == found["app"].storage.augury.capacity


def flask(found: dict[str, Any]) -> None:
    """The extension has the backend."""
    with found["app"].app_context():
        found["cache"].set("key", 1)
        assert 1 == found["cache"].get("key")
        assert 64_000_000 == found["cache"].cache.augury.capacity


def fastapi(found: dict[str, Any]) -> None:
    """The second answer is the cached one."""

    async def ask() -> list[Any]:
        transport = httpx.ASGITransport(found["app"])
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return [(await client.get("/items/7")).json() for _ in range(2)]

    assert [{"item": 7}] * 2 == asyncio.run(ask())
    assert 1 == found["provided"].cache.stats().hits


CHECKS = [django, dogpile, by_httpx, asgi, flask, fastapi]


@pytest.mark.parametrize(("snippet", "check"), list(zip(SNIPPETS, CHECKS, strict=True)))
def test_the_snippet_works(snippet: str, check: Callable[[dict[str, Any]], None]) -> None:
    """As it stands."""
    found: dict[str, Any] = {"__name__": "snippet"}
    exec(snippet, found)
    check(found)
