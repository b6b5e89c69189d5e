"""Prefetch in a running cache: what follows is there before it is asked for, and harms nobody."""

import asyncio
import gc
import random
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import augury
from augury import Cache
from loading import STUCK, Clock, Threads, until

#: A loop of keys that follow each other, too many for the cache.
LOOP = [f"page:{mixed}" for mixed in random.Random(1).sample(range(10**9), 200)]
CAPACITY = 50


class Origin:
    """A loader whose values tell their version, and that can be closed, or be down."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.version = 1
        self.opened = threading.Event()
        self.opened.set()
        self.entered = threading.Event()
        self.failing: set[Any] = set()

    def __call__(self, key: Any) -> Any:
        """One value."""
        self.calls.append(key)
        self.entered.set()
        assert self.opened.wait(STUCK)
        if key in self.failing:
            self.failing.discard(key)
            raise OSError("down")
        return key, self.version

    def close(self) -> None:
        """Let nobody through from now on."""
        self.entered.clear()
        self.opened.clear()

    def next(self) -> Any:
        """The key that somebody is asking for."""
        assert self.entered.wait(STUCK)
        return self.calls[-1]


def at_rest(cache: Cache[Any, Any]) -> None:
    """Nothing is being fetched."""
    until(lambda: cache.prefetches().in_flight == 0)


def rounds(cache: Cache[Any, Any], count: int, session: object = None) -> None:
    """Ask for the loop, with time between two keys."""
    for _ in range(count):
        for key in LOOP:
            assert key == cache.get_or_load(key, session=session)[0]
            at_rest(cache)


def taught(origin: Origin, **options: Any) -> Cache[str, Any]:
    """A cache that knows the loop and has been asked for its last key."""
    cache: Cache[str, Any] = Cache(CAPACITY, policy="lru", loader=origin, prefetch=0.1, **options)
    rounds(cache, 8)
    assert cache.prefetches().staged > 0
    return cache


@pytest.fixture
def origin() -> Iterator[Origin]:
    """Nobody is left waiting at it."""
    origin = Origin()
    yield origin
    origin.opened.set()


def balanced(cache: Cache[Any, Any]) -> bool:
    """Whatever was issued has come to one end."""
    told = cache.prefetches()
    ends = told.used + told.dropped + told.failed + told.in_flight + told.staged
    return told.issued == ends


def test_what_follows_is_there_when_it_is_asked_for(origin: Origin) -> None:
    """Once learned nearly every demand finds its value; each key issued is one call."""
    cache = taught(origin)
    before, calls = cache.prefetches(), len(origin.calls)
    hits = cache.stats().hits
    rounds(cache, 2)
    told = cache.prefetches()
    demands, used = told.demands - before.demands, told.used - before.used
    assert 0.9 < used / demands <= 1
    assert 1.0 == told.timeliness
    assert (demands - used) + (told.issued - before.issued) == len(origin.calls) - calls
    assert 2 * len(LOOP) - (demands - used) == cache.stats().hits - hits
    assert balanced(cache)
    assert told.accuracy > 0.9
    assert told.issued == cache.loads().prefetches
    cache.close()


@pytest.mark.parametrize("ask", ["get", "[]", "get_many", "get_or_load_many"])
def test_every_way_to_ask_is_served_from_the_stage(origin: Origin, ask: str) -> None:
    """And none of them loads what has been fetched."""
    cache = taught(origin)
    cache.get_or_load(LOOP[0])
    at_rest(cache)
    key, calls = LOOP[1], origin.calls.count(LOOP[1])
    assert key not in cache
    found = {
        "get": lambda: cache.get(key),
        "[]": lambda: cache[key],
        "get_many": lambda: cache.get_many([key])[key],
        "get_or_load_many": lambda: cache.get_or_load_many([key])[key],
    }[ask]()
    assert (key, 1) == found
    assert calls == origin.calls.count(key)
    assert key in cache
    cache.close()


def test_random_traffic_is_left_alone() -> None:
    """Where nothing follows anything nothing is fetched ahead."""
    origin, draw = Origin(), random.Random(1)
    cache: Cache[str, Any] = Cache(CAPACITY, loader=origin, prefetch=0.1)
    for _ in range(5_000):
        cache.get_or_load(f"page:{draw.randrange(20_000)}")
    assert 0 == cache.prefetches().issued
    cache.close()


@pytest.mark.parametrize("budget", [0.0, 0.1, 0.5])
def test_the_budget_bounds_what_is_fetched_in_vain(origin: Origin, budget: float) -> None:
    """Of pairs whose second part comes half of the time, at every moment."""
    cache: Cache[str, Any] = Cache(CAPACITY, loader=origin, prefetch=budget)
    draw = random.Random(1)
    for _ in range(2_500):
        first = draw.choice(LOOP)
        for key in (first, f"{first}:{draw.random() < 0.5}"):
            cache.get_or_load(key)
            at_rest(cache)
            told = cache.prefetches()
            assert told.issued <= told.used + budget * told.demands
    assert (told.issued > 0) == (budget > 0)
    cache.close()


def by_loading(cache: Cache[str, Any], origin: Origin, key: str, session: object) -> None:
    """Ask for one key as most do."""
    cache.get_or_load(key, session=session)


def by_hand(cache: Cache[str, Any], origin: Origin, key: str, session: object) -> None:
    """Ask for one key, and store it where it is not there."""
    if cache.get(key, session=session) is None:
        cache[key] = origin(key)


def by_several(cache: Cache[str, Any], origin: Origin, key: str, session: object) -> None:
    """Ask for several keys that are one."""
    if not cache.get_many([key], session=session):
        cache[key] = origin(key)


@pytest.mark.parametrize("ask", [by_loading, by_hand, by_several])
def test_sessions_are_followed_each_by_itself(
    origin: Origin, ask: Callable[[Cache[str, Any], Origin, str, object], None]
) -> None:
    """Readers of the loop at unrelated places are all foreseen, if it is said who they are."""
    cache: Cache[str, Any] = Cache(CAPACITY, loader=origin, prefetch=0.1)
    draw = random.Random(1)
    places = [0, 31, 87, 141]
    before = cache.prefetches()
    for step in range(4_000):
        if step == 3_000:
            before = cache.prefetches()
        reader = draw.randrange(len(places))
        places[reader] = (places[reader] + 1) % len(LOOP)
        ask(cache, origin, LOOP[places[reader]], ("reader", reader))
        at_rest(cache)
    told = cache.prefetches()
    assert (told.used - before.used) / (told.demands - before.demands) > 0.5
    cache.close()


def test_a_bulk_loader_fetches_several_keys_in_one_call() -> None:
    """Numbers that were never seen, too: a run is followed beyond its end."""
    calls: list[list[int]] = []

    def load(keys: list[int]) -> dict[int, str]:
        calls.append(keys)
        return {key: str(key) for key in keys}

    cache: Cache[int, str] = Cache(1_000, bulk_loader=load, prefetch=0.1)
    for number in range(3_000):
        assert str(number) == cache.get_or_load(number)
        at_rest(cache)
    told = cache.prefetches()
    assert told.coverage > 0.5
    assert max(map(len, calls)) > 1
    assert told.issued + told.demands - told.used == sum(map(len, calls))
    cache.close()


def test_a_demand_waits_for_the_prefetch_of_its_key(origin: Origin) -> None:
    """In several threads: the key is loaded once, and no stage comes between."""
    cache = taught(origin)
    calls = len(origin.calls)
    origin.close()
    cache.get_or_load(LOOP[0])
    key = origin.next()
    seen = origin.calls.count(key)
    late = cache.prefetches().used_late
    threads = Threads(*[lambda: cache.get_or_load(key)] * 4)
    until(lambda: cache.loads().waits >= 4)
    origin.opened.set()
    assert [(key, 1)] * 4 == threads.join()
    at_rest(cache)
    assert seen == origin.calls.count(key)
    assert len(origin.calls) > calls
    assert late + 1 == cache.prefetches().used_late
    assert (key, 1) == cache.peek(key)
    assert balanced(cache)
    cache.close()


def change(cache: Cache[str, Any], key: str, how: str) -> None:
    """Make what is known of the key out of date."""
    if how == "write":
        cache[key] = key, "written"
        cache.delete(key)
    elif how == "delete":
        cache.delete(key)
    elif how == "pop":
        cache.pop(key, None)
    else:
        cache.clear()


@pytest.mark.parametrize("how", ["write", "delete", "pop", "clear"])
def test_a_write_supersedes_what_waits_in_the_stage(origin: Origin, how: str) -> None:
    """What was fetched before it is not served after it."""
    cache = taught(origin)
    cache.get_or_load(LOOP[0])
    at_rest(cache)
    dropped = cache.prefetches().dropped
    origin.version = 2
    change(cache, LOOP[1], how)
    assert dropped < cache.prefetches().dropped
    assert (LOOP[1], 2) == cache.get_or_load(LOOP[1])
    assert balanced(cache)
    cache.close()


@pytest.mark.parametrize("how", ["write", "delete", "pop", "clear"])
def test_a_write_supersedes_what_is_being_fetched(origin: Origin, how: str) -> None:
    """Its load may have read what was there before: it is not kept."""
    cache = taught(origin)
    origin.close()
    cache.get_or_load(LOOP[0])
    key = origin.next()
    change(cache, key, how)
    origin.opened.set()
    until(lambda: not cache._reader.flights._table)
    origin.version = 2
    assert (key, 2) == cache.get_or_load(key)
    cache.close()


def test_what_is_staged_expires_by_its_load(origin: Origin) -> None:
    """A TTL begins when the value was fetched, not when it was asked for."""
    clock = Clock()
    cache = taught(origin, ttl=10, timer=clock)
    cache.get_or_load(LOOP[0])
    at_rest(cache)
    origin.version = 2
    clock.now += 11
    assert (LOOP[1], 2) == cache.get_or_load(LOOP[1])
    assert balanced(cache)
    cache.close()


def test_errors_are_counted_and_nobodys(origin: Origin, caplog: pytest.LogCaptureFixture) -> None:
    """Who waits for a prefetch that fails loads by itself."""
    cache = taught(origin)
    origin.close()
    cache.get_or_load(LOOP[0])
    key = origin.next()
    origin.failing = {key}
    threads = Threads(
        lambda: cache.get_or_load(key),
        lambda: cache.get_or_load_many([key])[key],
        lambda: asyncio.run(cache.aget_or_load(key)),
    )
    until(lambda: cache.loads().waits >= 3)
    origin.opened.set()
    assert [(key, 1)] * 3 == threads.join()
    at_rest(cache)
    assert 1 == cache.prefetches().failed
    assert f"prefetch of '{key}' failed: OSError('down')" in caplog.text
    assert balanced(cache)
    cache.close()


def test_what_does_not_exist_is_no_error() -> None:
    """A prefetch that finds nothing leaves nothing, and an absence where those are remembered."""
    calls: list[int] = []

    def load(number: int) -> int:
        calls.append(number)
        if number >= 1_000:
            raise augury.NotFound(number)
        return number

    cache: Cache[int, int] = Cache(1_000, loader=load, prefetch=0.1, negative_ttl=60)
    for number in range(1_000):
        assert number == cache[number]
        at_rest(cache)
    assert 1_000 in calls
    assert 0 == cache.prefetches().failed
    with pytest.raises(augury.NotFound):
        cache.get_or_load(1_000)
    assert 1 == calls.count(1_000)
    assert balanced(cache)
    cache.close()


def test_tasks_are_foreseen_too() -> None:
    """A coroutine function fetches ahead as a task of the loop that asked."""
    calls: list[str] = []

    async def load(key: str) -> str:
        calls.append(key)
        await asyncio.sleep(0)
        return key.upper()

    async def ask() -> None:
        for _ in range(10):
            for key in LOOP:
                assert key.upper() == await cache.aget_or_load(key)
                while cache.prefetches().in_flight:
                    await asyncio.sleep(0)

    cache: Cache[str, str] = Cache(CAPACITY, loader=load, prefetch=0.1)
    asyncio.run(ask())
    told = cache.prefetches()
    assert told.coverage > 0.4
    assert told.demands - told.used + told.issued == len(calls)
    assert balanced(cache)
    # Without a loop there is nobody to fetch with; a plain get is a plain miss.
    issued = told.issued
    for key in LOOP[:20]:
        cache.get(key)
    assert issued == cache.prefetches().issued
    cache.close()


def test_the_stage_is_no_part_of_the_mapping(origin: Origin) -> None:
    """What waits in it is neither shown nor told of, and its room is within the capacity."""
    told: list[tuple[Any, str]] = []
    cache = taught(origin, on_removal=lambda key, value, cause: told.append((key, cause)))
    cache.get_or_load(LOOP[0])
    at_rest(cache)
    staged = cache.prefetches().staged
    assert staged > 0
    assert len(list(cache)) == len(cache) == cache.used <= CAPACITY - staged
    told.clear()
    assert LOOP[1] not in cache
    cache.delete(LOOP[1])
    assert [] == told
    cache.resize(8)
    assert cache.used + cache.prefetches().staged <= 8
    cache.clear()
    assert 0 == cache.prefetches().staged
    assert balanced(cache)
    cache.close()


def test_a_cache_that_prefetches_is_collected(origin: Origin) -> None:
    """Through values in the stage that know the cache."""

    class Page:
        cache: Any = None

    def load(key: str) -> Page:
        page = Page()
        page.cache = known()
        return page

    cache: Cache[str, Page] = Cache(CAPACITY, policy="lru", loader=load, prefetch=0.1)
    known = weakref.ref(cache)
    for key in LOOP * 8:
        cache.get_or_load(key)
        at_rest(cache)
    assert cache.prefetches().staged > 0
    cache.close()
    del cache
    until(lambda: gc.collect() >= 0 and known() is None)


def test_threads_agree_on_what_they_count(origin: Origin) -> None:
    """Many sessions at once, with writes and deletions between: right values, balanced counts."""
    cache: Cache[str, Any] = Cache(CAPACITY, loader=origin, prefetch=0.5)

    def walk(seed: int) -> None:
        draw = random.Random(seed)
        for key in LOOP * 4:
            assert key == cache.get_or_load(key, session=seed)[0]
            if draw.random() < 0.02:
                cache.delete(draw.choice(LOOP))
            if draw.random() < 0.02:
                key = draw.choice(LOOP)
                cache[key] = key, 0

    assert [None] * 4 == Threads(*[lambda seed=seed: walk(seed) for seed in range(4)]).join()  # type: ignore[misc]
    until(lambda: not cache._reader.flights._table)
    at_rest(cache)
    until(lambda: balanced(cache))
    cache.close()


@pytest.mark.parametrize("budget", [-0.1, 11, "10%", True])
def test_what_is_no_budget_is_refused(budget: Any) -> None:
    """The value, the limits and the way out."""
    with pytest.raises(augury.ConfigError, match=r"prefetch .*from 0 to 10.*write 0\.1"):
        Cache(10, loader=str, prefetch=budget)


def test_without_a_loader_there_is_nothing_to_fetch_with() -> None:
    """And without prefetch nothing to tell of."""
    with pytest.raises(augury.ConfigError, match="loader="):
        Cache(10, prefetch=0.1)
    assert augury.PrefetchStats() == Cache(10).prefetches()
