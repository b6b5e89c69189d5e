"""Flask-Caching's backend beyond Flask-Caching's own tests."""

import pytest
from flask import Flask
from flask_caching import Cache

from augury import ConfigError
from augury.adapters.flask_caching import AuguryCache
from augury.adapters.serializers import AsItIs
from threads import at_once


def test_threads_lose_no_increment() -> None:
    """`inc` is atomic, from the first on."""
    cache = AuguryCache()
    at_once(lambda: [cache.inc("visits") for _ in range(300)])
    assert 1_200 == cache.get("visits")
    assert 1_199 == cache.dec("visits")


def test_an_increment_keeps_the_timeout() -> None:
    """A number lives as long as it was to."""
    now = [0.0]
    cache = AuguryCache(timer=lambda: now[0])
    cache.set("visits", 1, 10)
    now[0] = 9.0
    assert 2 == cache.inc("visits")
    now[0] = 10.0
    assert cache.get("visits") is None


def test_an_application_configures_it() -> None:
    """The threshold is the capacity, unless the options name one, and views are cached."""
    app, calls = Flask("test"), list[int]()
    app.config["CACHE_TYPE"] = "augury.adapters.flask_caching.AuguryCache"
    app.config["CACHE_THRESHOLD"] = 50
    cache = Cache(app)

    @app.get("/")
    @cache.cached(timeout=60)
    def page() -> str:
        calls.append(1)
        return "page"

    client = app.test_client()
    assert ["page"] * 3 == [client.get("/").text for _ in range(3)]
    assert [1] == calls
    assert 50 == cache.cache.augury.capacity
    app.config["CACHE_OPTIONS"] = {"capacity": "1 MB", "policy": "lru"}
    assert 1_000_000 == Cache(app).cache.augury.capacity


def test_readers_have_copies_unless_told_otherwise() -> None:
    """As with SimpleCache; a serializer may say that they need none."""
    value: list[int] = []
    for cache, is_same in ((AuguryCache(), False), (AuguryCache(serializer=AsItIs()), True)):
        cache.set("key", value)
        assert value == cache.get("key")
        assert is_same == (cache.get("key") is value)


def test_what_is_too_large_is_not_stored() -> None:
    """And it is said."""
    cache = AuguryCache("1 KB")
    assert not cache.set("key", "x" * 2_000)
    assert not cache.add("key", "x" * 2_000)
    assert ["small"] == cache.set_many({"small": 1, "large": "x" * 2_000})


def test_bad_options_are_errors_of_the_cache() -> None:
    """They name the option."""
    with pytest.raises(ConfigError, match="best"):
        AuguryCache(policy="best")
    with pytest.raises(ConfigError, match="CACHE_DEFAULT_TIMEOUT"):
        AuguryCache(ttl=5)


def test_timeouts_beyond_counting_are_for_ever() -> None:
    """And so is 0."""
    now = [0.0]
    cache = AuguryCache(timer=lambda: now[0])
    assert cache.set("long", 1, 10**12)
    assert cache.set("ever", 1, 0)
    now[0] = 1e9
    assert [1, 1] == cache.get_many("long", "ever")
