"""Django's own tests of every cache backend, for augury's; what they wait for passes at once.

They are run twice: by the synchronous methods, and by the asynchronous ones, of which Django has no
tests of its own but for the dummy cache.
"""

from types import SimpleNamespace
from typing import Any

from asgiref.sync import async_to_sync
from cache import tests as suite
from django.core.cache.backends.base import BaseCache
from django.test import TestCase, override_settings

from augury.adapters.django import AuguryCache


class Clock:
    """Seconds, which pass by sleeping."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


CLOCK = Clock()
suite.time = SimpleNamespace(sleep=CLOCK.sleep, time=CLOCK)
TWINS = frozenset(
    name
    for name in dir(AuguryCache)
    if not name.startswith("_") and hasattr(AuguryCache, f"a{name}") and name != "close"
)


class AsyncTwin(BaseCache):
    """Each method asks the asynchronous one of its name."""

    def __init__(self, location: str, params: Any) -> None:
        self.asked = AuguryCache(location, params)
        super().__init__(params)

    def __getattribute__(self, name: str) -> Any:
        if name in TWINS:
            return async_to_sync(getattr(self.asked, f"a{name}"))
        return super().__getattribute__(name)

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if name == "key_func":
            self.asked.key_func = value


def configured(backend: str) -> Any:
    """The settings of the suite, by the clock."""
    caches = suite.caches_setting_for_tests(BACKEND=backend, LOCATION=backend)
    for cache in caches.values():
        cache["OPTIONS"] = {**cache.get("OPTIONS", {}), "TIMER": CLOCK}
    return override_settings(CACHES=caches)


@configured("augury.adapters.django.AuguryCache")
class AuguryCacheTests(suite.BaseCacheTests, TestCase):
    """By the synchronous methods."""


@configured("django_cases.AsyncTwin")
class AsyncTwinTests(suite.BaseCacheTests, TestCase):
    """By the asynchronous methods."""
