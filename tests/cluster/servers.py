"""Servers that a near cache stands before, and looking into them."""

import time
from collections.abc import Callable
from typing import Any

import pytest
import redis

__all__ = ["commands", "lookups", "until"]

#: Seconds after which something counts as not happening.
STUCK = 30.0


def until(holds: Callable[[], Any]) -> None:
    """Wait for it."""
    ends = time.monotonic() + STUCK
    while not holds():
        assert time.monotonic() < ends, "it never came to pass"
        time.sleep(0.005)


def commands(client: "redis.Redis", name: str) -> int:
    """How often a command was called on the server, if that counts it."""
    stats: Any = client.info("commandstats")
    if not stats:
        pytest.skip("this server does not count commands by name")
    return int(stats.get(f"cmdstat_{name}", {"calls": 0})["calls"])


def lookups(client: "redis.Redis") -> int:
    """Keys that the server has looked for."""
    stats: Any = client.info("stats")
    return int(stats["keyspace_hits"]) + int(stats["keyspace_misses"])
