"""The page of a program's cache: what it tells, who may see it, and how it begins and ends."""

import base64
import contextlib
import gc
import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from browser import chromium, faults, visiting
from playwright.sync_api import Browser, expect

import augury

DEADLINE = 60.0
SCRIPT = "<script>alert('key')</script>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for all tests of this file."""
    with chromium() as browser:
        yield browser


def ask(url: str, **headers: str) -> tuple[int, bytes]:
    """Status and body."""
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def data(url: str, **headers: str) -> dict[str, Any]:
    """What is on the page."""
    status, body = ask(url + "page.json", **headers)
    assert status == 200, body
    found: dict[str, Any] = json.loads(body)
    return found


def fill(cache: "augury.Cache[Any, Any]", requests: int = 20_000) -> None:
    """Reads of a skewed kind, each key set where it was missed."""
    for number in range(requests):
        key = f"user:{number * number % 1_709}" if number % 3 else SCRIPT
        if cache.get(key) is None:
            cache[key] = "x" * (1 + number % 100)


def until_evicted(cache: "augury.Cache[Any, Any]", url: str) -> dict[str, Any]:
    """What is on the page, once something is told to have left."""
    end = time.monotonic() + DEADLINE
    while not (found := data(url))["evictions"]["shown"]:
        fill(cache, 2_000)
        assert time.monotonic() < end
    return found


def test_it_tells_what_the_cache_tells() -> None:
    """Counters, the curve, experts, what is hot, and why something left."""
    cache: augury.Cache[str, str] = augury.Cache(200, curve=True)
    with cache.serve_page(name="sessions") as page:
        fill(cache)
        told = until_evicted(cache, page.url)
        stats = cache.stats()
        assert (told["name"], told["policy"], told["unit"]) == ("sessions", "auto", "entries")
        assert (told["counts"]["hits"], told["capacity"]) == (stats.hits, 200)
        assert [point["capacity"] for point in told["curve"]["shown"]] == [100, 200, 400, 800]
        assert [other["name"] for other in told["shadows"]["shown"]["others"]] == ["lru"]
        assert {expert["name"] for expert in told["experts"]["shown"]} >= {"blend"}
        hot = told["hot"]["shown"]
        assert hot[0]["key"] == SCRIPT
        assert hot[0]["share"] == pytest.approx(1 / 3, rel=0.3)
        assert "in bytes" in told["big"]["missing"]
        assert "prefetch=" in told["prefetch"]["missing"]
        left = told["evictions"]["shown"]
        assert all(row["key"].startswith("user:") or row["key"] == SCRIPT for row in left)
        assert any(row["why"] and row["why"]["looks"] > 0 for row in left)


def test_what_is_not_measured_says_how_it_would_be() -> None:
    """Of a plain LRU cache there is no curve, no expert and no share; sizes are known in bytes."""
    cache: augury.Cache[str, str] = augury.Cache("20 KB", policy="lru")
    with cache.serve_page() as page:
        fill(cache, 3_000)
        told = until_evicted(cache, page.url)
    assert "curve=True" in told["curve"]["missing"]
    assert "curve=True" in told["shadows"]["missing"]
    assert "auto" in told["experts"]["missing"]
    assert "auto" in told["hot"]["missing"]
    assert told["big"]["shown"][0]["size"] >= told["big"]["shown"][-1]["size"] > 0
    assert {row["why"] for row in told["evictions"]["shown"]} == {None}


def test_prefetching_is_told() -> None:
    """Every key that was fetched ahead is in one of the counts."""
    cache: augury.Cache[int, int] = augury.Cache(100, loader=lambda key: key, prefetch=0.5)
    with cache.serve_page() as page:
        for number in range(3_000):
            cache.get_or_load(number)
        told = data(page.url)["prefetch"]["shown"]
    assert told["issued"] > 0
    assert told["issued"] >= told["used"]


def test_it_is_whole_in_a_browser(browser: Browser) -> None:
    """Without a fault of accessibility or a complaint; keys are text."""
    cache: augury.Cache[Any, Any] = augury.Cache(200, curve=True)
    with cache.serve_page(name=SCRIPT) as page:
        fill(cache)
        until_evicted(cache, page.url)
        for scheme in ("light", "dark"):
            with visiting(browser, page.url, color_scheme=scheme) as visit:
                assert faults(visit.page) == []
                expect(visit.page.locator("h1")).to_have_text(SCRIPT)
                expect(visit.page.locator("#hot tbody code").first).to_have_text(SCRIPT)
                assert (visit.dialogs, visit.complaints) == ([], [])


class Odd:
    """A key that cannot be shown, and can hardly be compared."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __repr__(self) -> str:
        raise ValueError("not shown")

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return hash(self.number)


def test_keys_of_all_kinds_are_shown() -> None:
    """Text, bytes, tuples, lone surrogates, and what has no text at all."""
    cache: augury.Cache[Any, int] = augury.Cache("64 KB", sizeof=None)
    keys: list[Any] = ["a\u202eb", b"\xff\x00", ("t", 1), "\udc80", Odd(1), 7, None]
    with cache.serve_page() as page:
        for number, key in enumerate(keys):
            cache[key] = number
        shown = {row["key"] for row in data(page.url)["big"]["shown"]}
    assert {"a\\u{202e}b", "\\xff\\x00", "('t', 1)", "7", "None"} <= shown
    assert "<Odd, whose repr raises ValueError>" in shown
    assert len(shown) == len(keys)


def test_others_are_kept_out() -> None:
    """By the name that they ask by; with a password, by not knowing it."""
    cache: augury.Cache[str, str] = augury.Cache(10)
    with cache.serve_page() as page:
        assert ask(page.url, Host="attacker.example")[0] == 421
        assert ask(page.url, Host="localhost")[0] == 200
    with cache.serve_page(password="sesame") as page:
        for password, status in (("", 401), ("wrong", 401), ("sesame", 200)):
            coded = base64.b64encode(f"any:{password}".encode()).decode()
            assert ask(page.url, Authorization=f"Basic {coded}")[0] == status
        assert ask(page.url)[0] == 401
        assert ask(page.url + "page.json")[0] == 401


@pytest.mark.parametrize(
    "options",
    [
        {"port": -1}, {"port": 65_536}, {"port": "9121"}, {"port": True}, {"host": "example.org"},
        {"host": "0.0.0.0"}, {"host": "::"}, {"host": 1}, {"name": ""}, {"name": "n" * 201},
        {"password": ""}, {"password": 1},
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(options: dict[str, Any]) -> None:
    """With an error of the package's, and nothing is listened on."""
    with pytest.raises(augury.ConfigError, match=r"cannot be|password"):
        augury.Cache(10).serve_page(**options)


def test_a_port_that_is_taken_is_an_error() -> None:
    """Of the system's kind."""
    cache: augury.Cache[str, str] = augury.Cache(10)
    with cache.serve_page() as page, pytest.raises(OSError, match="cannot listen"):
        cache.serve_page(page.port)


def test_it_ends_when_it_is_closed() -> None:
    """The port is free, closing again does nothing, and the cache goes on."""
    cache: augury.Cache[str, str] = augury.Cache(10)
    page = cache.serve_page()
    url, port = page.url, page.port
    page.close()
    page.close()
    with pytest.raises(OSError, match="refused"):
        ask(url)
    with cache.serve_page(port) as again:
        assert again.port == port
        assert ask(again.url)[0] == 200


def test_several_may_be_served_while_threads_use_the_cache() -> None:
    """Nothing waits for anything else: readers, writers and visitors all come to an end."""
    cache: augury.Cache[str, str] = augury.Cache(100, curve=True)
    failures: list[BaseException] = []

    def visit(url: str) -> None:
        try:
            for _ in range(5):
                assert ask(url)[0] == 200
        except BaseException as error:
            failures.append(error)

    with cache.serve_page() as one, cache.serve_page() as other:
        threads = [threading.Thread(target=visit, args=(page.url,)) for page in (one, other) * 2]
        threads += [threading.Thread(target=fill, args=(cache, 5_000)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(DEADLINE)
        assert not any(thread.is_alive() for thread in threads)
    assert failures == []


def test_a_cycle_through_what_has_left_is_collected() -> None:
    """Keys that are noted for the page are shown to the garbage collector."""
    cache: augury.Cache[Any, Any] = augury.Cache(2)
    page = cache.serve_page()
    end = time.monotonic() + DEADLINE
    while not cache.leavers():
        for number in range(50):
            cache[(number, Holder(cache))] = number
        assert time.monotonic() < end
    page.close()
    alive = Holder.alive
    assert alive > 0
    del cache, page
    gc.collect()
    assert Holder.alive == 0


class Holder:
    """Something that holds on to a cache."""

    alive = 0

    def __init__(self, cache: object) -> None:
        self.cache = cache
        Holder.alive += 1

    def __del__(self) -> None:
        Holder.alive -= 1


@pytest.mark.parametrize("how", ["", "page.close()", "sys.exit(0)", "del cache, page"])
def test_a_program_ends_while_a_page_is_served(how: str) -> None:
    """At once and without a word, closed or not."""
    code = f"""
import sys, augury
cache = augury.Cache(100)
page = cache.serve_page()
{how}
"""
    told = subprocess.run(
        [sys.executable, "-X", "dev", "-c", code], capture_output=True, timeout=DEADLINE
    )
    assert (told.returncode, told.stderr) == (0, b"")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_fork_leaves_the_page_to_its_parent() -> None:
    """The child may close it, and ends; the parent goes on serving."""
    code = """
import os, urllib.request, augury
cache = augury.Cache(100)
page = cache.serve_page()
child = os.fork()
if child == 0:
    page.close()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
with urllib.request.urlopen(page.url, timeout=30) as answer:
    assert answer.status == 200
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=DEADLINE)
    assert (told.returncode, told.stderr) == (0, b"")


def test_slow_visitors_do_not_shut_others_out() -> None:
    """More connections than there are places."""
    import socket

    cache: augury.Cache[str, str] = augury.Cache(10)
    with cache.serve_page() as page, contextlib.ExitStack() as stack:
        for _ in range(80):
            stack.enter_context(socket.create_connection(("127.0.0.1", page.port), DEADLINE))
        assert ask(page.url)[0] == 200
