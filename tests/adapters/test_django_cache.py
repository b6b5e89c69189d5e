"""Django's backend beyond Django's own tests of it."""

import asyncio
import uuid
from typing import Any

import pytest
from django.core.cache import CacheHandler
from django.core.exceptions import ImproperlyConfigured

from augury.adapters.django import AuguryCache
from augury.adapters.serializers import AsItIs
from threads import at_once

BACKEND = "augury.adapters.django.AuguryCache"


def made(location: str = "", **options: object) -> AuguryCache:
    """A backend at a place of its own."""
    return AuguryCache(location or uuid.uuid4().hex, {"OPTIONS": options})


def test_threads_lose_no_increment() -> None:
    """`incr` is atomic."""
    cache = made()
    cache.set("visits", 0)
    at_once(lambda: [cache.incr("visits") for _ in range(300)])
    assert 1_200 == cache.get("visits")


def test_one_thread_adds() -> None:
    """`add` is true for one of them."""
    cache = made()
    for key in range(50):
        assert 1 == sum(map(bool, at_once(lambda key=key: cache.add(f"lock{key}", 1))))


def test_incr_keeps_the_timeout() -> None:
    """As memcached and Django's own do."""
    now = [0.0]
    cache = made(TIMER=lambda: now[0])
    cache.set("visits", 1, timeout=10)
    now[0] = 9.0
    assert 2 == cache.incr("visits")
    now[0] = 10.0
    assert cache.get("visits") is None


def test_timeouts_beyond_counting_are_for_ever() -> None:
    """As with Django's own, no timeout is too long."""
    cache = made()
    for key in "ab":
        cache.set(key, 1, timeout=10**12)
        assert cache.touch(key, timeout=10**12)
    assert {"a": 1, "b": 1} == cache.get_many("ab")


def test_readers_have_copies_unless_told_otherwise() -> None:
    """The default is Django's contract; AsItIs, by path, class or object, is not."""
    value: list[int] = []
    cache = made()
    cache.set("key", value)
    value.append(1)
    assert [] == cache.get("key")
    for serializer in ("augury.adapters.serializers.AsItIs", AsItIs, AsItIs()):
        cache = made(SERIALIZER=serializer)
        cache.set("key", value)
        assert value is cache.get("key")


def test_bytes_are_told_from_what_was_pickled() -> None:
    """Even those that look like a pickle."""
    cache = made()
    data = b"\x80\x05]\x94."
    cache.set("key", data)
    assert data == cache.get("key")


def test_aliases_share_by_location_and_options() -> None:
    """Prefixes and versions apart; other options are another cache."""
    one, other = made("shared"), AuguryCache("shared", {"KEY_PREFIX": "other"})
    one.set("key", 1)
    assert other.get("key") is None
    assert one.augury is other.augury
    assert one.augury is not made("shared", MAX_ENTRIES=5).augury


def test_capacity_is_held() -> None:
    """By entries or bytes, by the policy."""
    cache = made(MAX_ENTRIES=30, POLICY="lru")
    for number in range(100):
        cache.set(str(number), number)
    assert [str(number) for number in range(70, 100)] == [
        str(number) for number in range(100) if str(number) in cache
    ]
    assert 1_000_000 == made(CAPACITY="1 MB").augury.capacity


def test_what_is_too_large_has_failed() -> None:
    """`set_many` says which, and the others are there."""
    cache = made(CAPACITY="1 KB")
    assert ["large"] == cache.set_many({"small": 1, "large": "x" * 2_000})
    assert {"small": 1} == cache.get_many(["small", "large"])


@pytest.mark.parametrize(
    "options",
    [
        {"POLICY": "best"},
        {"CAPACITY": "no"},
        {"COLOUR": "red"},
        {"SERIALIZER": "builtins.int"},
        {"TTL": 5},
    ],
)
def test_bad_options_are_named(options: dict[str, Any]) -> None:
    """As errors of Django's configuration."""
    with pytest.raises(ImproperlyConfigured, match=r"(?i)best|capacity|colour|int|ttl"):
        made(**options)


def test_asynchronous_reads_use_no_thread() -> None:
    """They answer on the event loop's own."""
    cache = made()

    async def main() -> Any:
        await cache.aset_many({"key": 1, "other": [2]})
        asyncio.get_running_loop().run_in_executor = None  # type: ignore[assignment]
        assert await cache.ahas_key("other")
        assert await cache.atouch("other", 10)
        assert await cache.adelete("other")
        return await cache.aincr("key"), await cache.aget("key"), await cache.aget("other")

    assert (2, 2, None) == asyncio.run(main())


def test_settings_find_it() -> None:
    """As Django makes it, once per thread, over one cache."""
    caches = CacheHandler({"default": {"BACKEND": BACKEND, "LOCATION": "of the settings"}})
    caches["default"].set("key", "value")
    assert ["value"] * 2 == at_once(lambda: caches["default"].get("key"), threads=2)
