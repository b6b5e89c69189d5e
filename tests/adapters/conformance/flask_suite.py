"""A plugin of pytest: augury's backend where Flask-Caching's own tests name SimpleCache.

The tests are found in the current folder, which is that of Flask-Caching's source. Their clock,
which stands at a moment of 2023 until they advance it, is put in the place of cachelib's.
"""

import time
from typing import Any

import cachelib.simple
from flask_caching import backends
from flask_caching.backends import simplecache

from augury.adapters.flask_caching import AuguryCache

BEGINNING = 1_700_000_000.0


def timer() -> float:
    """Real seconds, and those by which a test has advanced its clock."""
    return time.monotonic() + getattr(cachelib.simple.time, "now", BEGINNING) - BEGINNING


class SimpleCache(AuguryCache):
    """As the suite makes it: a threshold for a capacity, its clock for the system's."""

    def __init__(self, threshold: int = 500, **options: Any) -> None:
        options.setdefault("capacity", threshold)
        super().__init__(timer=timer, **options)


backends.SimpleCache = SimpleCache  # type: ignore[misc,assignment]
simplecache.SimpleCache = SimpleCache  # type: ignore[misc,assignment]
