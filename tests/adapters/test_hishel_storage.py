"""hishel's storages: by httpx to a server, under an ASGI application, and by their contract."""

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from hishel import Headers, Request, Response
from hishel.asgi import ASGICacheMiddleware
from hishel.httpx import AsyncCacheClient, CacheClient
from starlette.applications import Starlette
from starlette.requests import Request as Asked
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from augury import ConfigError
from augury.adapters.hishel import AsyncAuguryStorage, AuguryStorage
from threads import at_once


@pytest.fixture
def server() -> Iterator[tuple[str, Counter[str]]]:
    """The address of a server on a free port, and how often it was asked for what."""
    asked: Counter[str] = Counter()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked[self.path] += 1
            language = self.headers.get("Accept-Language")
            is_known = f'"{language}"' in self.headers.get("If-None-Match", "")
            body = b"" if is_known else f"{self.path} {language}".encode()
            self.send_response(304 if is_known else 200)
            self.send_header("ETag", f'"{language}"')
            if not is_known:
                self.send_header("Content-Length", str(len(body)))
            self.send_header("Vary", "Accept-Language")
            age = 0 if self.path == "/stale" else 60
            self.send_header("Cache-Control", f"public, max-age={age}")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}", asked
    running.shutdown()
    thread.join()
    running.server_close()


def test_httpx_asks_once(server: tuple[str, Counter[str]]) -> None:
    """A fresh answer comes from the cache, one per language; a stale one is revalidated."""
    address, asked = server
    storage = AuguryStorage("1 MB")
    with CacheClient(storage=storage, rfc=True, trust_env=False) as client:
        for language in ("de", "en", "de", "en"):
            answer = client.get(f"{address}/page", headers={"Accept-Language": language})
            assert f"/page {language}" == answer.text
        assert 2 == asked["/page"]
        bodies = [client.get(f"{address}/stale").text for _ in range(3)]
        assert (["/stale None"] * 3, 3) == (bodies, asked["/stale"])
        stats = storage.augury.stats()
        assert 3 == len(storage.augury) == stats.misses
        assert stats.hits > 0


def test_httpx_asks_once_asynchronously(server: tuple[str, Counter[str]]) -> None:
    """As above, by the other storage."""
    address, asked = server

    async def main() -> list[str]:
        storage = AsyncAuguryStorage("1 MB")
        async with AsyncCacheClient(storage=storage, rfc=True, trust_env=False) as client:
            return [(await client.get(f"{address}/page")).text for _ in range(3)]

    assert ["/page None"] * 3 == asyncio.run(main())
    assert 1 == asked["/page"]


def test_the_middleware_of_asgi_applications() -> None:
    """An application says what may be stored, and is asked for it once."""
    calls: Counter[str] = Counter()

    async def page(asked: Asked) -> PlainTextResponse:
        calls[asked.url.path] += 1
        rule = "no-store" if asked.url.path == "/private" else "public, max-age=60"
        return PlainTextResponse(asked.url.path, headers={"Cache-Control": rule})

    inner = Starlette(routes=[Route("/page", page), Route("/private", page)])
    application = ASGICacheMiddleware(inner, storage=AsyncAuguryStorage("1 MB"))

    async def main() -> None:
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            for path in ("/page", "/private") * 3:
                assert path == (await client.get(path)).text

    asyncio.run(main())
    assert {"/page": 1, "/private": 3} == calls


def stored(storage: AuguryStorage, key: str = "key", body: bytes = b"body", **more: str) -> None:
    """An answer is stored and read to its end."""
    asked = Request("GET", f"http://here/{key}", Headers({"accept": more.pop("accept", "")}))
    answer = Response(200, Headers(more), iter([body]))
    assert body == b"".join(storage.create_entry(asked, answer, key).response.stream or ())


def test_memory_is_bounded() -> None:
    """By the capacity, whatever is stored, and indexes follow what is resident."""
    storage = AuguryStorage(200_000)
    for number in range(500):
        stored(storage, f"key{number}", b"x" * 5_000)
    assert 200_000 >= storage.augury.used
    assert 1 < len(storage.augury) < 50
    kept = storage._responses
    assert len(storage.augury) == len(kept._names) == len(kept._of_id)
    storage.augury.clear()
    assert {} == kept._names == kept._of_id


def test_a_client_cannot_fill_one_key() -> None:
    """Answers that vary by what it says give way to each other."""
    storage = AuguryStorage("10 MB")
    for number in range(200):
        stored(storage, vary="Accept", accept=str(number))
    accepted = [entry.request.headers["accept"] for entry in storage.get_entries("key")]
    assert [str(number) for number in range(136, 200)] == accepted


def test_what_is_given_out_is_the_readers_own() -> None:
    """Nobody changes a stored answer."""
    storage = AuguryStorage("1 MB")
    stored(storage, etag="1")
    [entry] = storage.get_entries("key")
    entry.response.headers["etag"] = "2"
    entry.request.headers["accept"] = "2"
    [again] = storage.get_entries("key")
    assert ("1", "") == (again.response.headers["etag"], again.request.headers["accept"])


def test_an_answer_that_comes_back_is_the_same_object_to_the_policy() -> None:
    """Its key in the cache does not depend on the id of the entry."""
    storage = AuguryStorage("1 MB")
    stored(storage)
    before = list(storage.augury)
    [entry] = storage.get_entries("key")
    storage.remove_entry(entry.id)
    assert [] == storage.get_entries("key")
    stored(storage)
    assert before == list(storage.augury)


def test_threads_share_a_storage() -> None:
    """Answers are stored, read and removed at once, and indexes agree with the cache."""
    storage = AuguryStorage(30_000)

    def use() -> None:
        for number in range(300):
            key = f"key{number % 20}"
            stored(storage, key, b"x" * 1_000)
            for entry in storage.get_entries(key):
                assert b"x" * 1_000 == b"".join(entry.response.stream or ())
                storage.update_headers(entry.id, Headers({"etag": str(number)}))
                if number % 3 == 0:
                    storage.remove_entry(entry.id)

    at_once(use)
    kept = storage._responses
    assert set(storage.augury) == {name for names in kept._names.values() for name in names}
    assert set(storage.augury) == set(kept._of_id.values())


def test_limits_that_are_over_at_once_store_nothing() -> None:
    """And fail nobody who reads the answer."""
    for limits in ({"default_ttl": 0}, {"default_tti": 0}, {"default_ttl": -1}):
        storage = AuguryStorage("1 MB", **limits)  # type: ignore[arg-type]
        stored(storage)
        assert [] == storage.get_entries("key")
    storage = AuguryStorage("1 MB", default_ttl=1e12)
    stored(storage)
    assert 1 == len(storage.get_entries("key"))


def test_options_that_the_storage_needs_itself_are_refused() -> None:
    """By name."""
    with pytest.raises(ConfigError, match="sizeof"):
        AuguryStorage(sizeof=len)
    with pytest.raises(ConfigError, match="default_ttl"):
        AsyncAuguryStorage(ttl=5)


def test_a_closed_storage_says_so() -> None:
    """And holds nothing."""
    storage = AuguryStorage("1 MB")
    stored(storage)
    storage.close()
    with pytest.raises(RuntimeError, match="closed"):
        storage.get_entries("key")
    assert 0 == len(storage.augury)
