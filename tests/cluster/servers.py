"""Servers that a near cache stands before, and looking into them."""

import time
from collections.abc import Callable
from typing import Any

import redis

__all__ = ["commands", "tracked", "until"]

#: Seconds after which something counts as not happening.
STUCK = 30.0


def until(holds: Callable[[], Any]) -> None:
    """Wait for it."""
    ends = time.monotonic() + STUCK
    while not holds():
        assert time.monotonic() < ends, "it never came to pass"
        time.sleep(0.005)


def commands(client: "redis.Redis", name: str) -> int:
    """How often a command was called on the server."""
    stats: Any = client.info("commandstats")
    return int(stats.get(f"cmdstat_{name}", {"calls": 0})["calls"])


def tracked(client: "redis.Redis") -> int:
    """Keys that the server remembers for those who track what they read."""
    info: Any = client.info("clients")
    stats: Any = client.info("stats")
    return int(info.get("tracking_total_keys", stats.get("tracking_total_keys", 0)))
