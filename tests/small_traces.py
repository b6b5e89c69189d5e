"""Small traces, and the type of the command as the tests run it."""

import struct
import subprocess
from collections.abc import Callable, Sequence

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def loop(objects: int, rounds: int) -> list[int]:
    """Keys in a loop: nothing for LRU, much for an oracle."""
    return [key for _ in range(rounds) for key in range(1, objects + 1)]


def skewed(requests: int, objects: int) -> list[int]:
    """Keys by a power law, from a fixed linear congruential generator."""
    state, keys = 12345, []
    for _ in range(requests):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        keys.append(int(objects ** ((state >> 11) / 2**53)))
    return keys


def oracle_general(keys: Sequence[int], size: int = 1) -> bytes:
    """The keys as an uncompressed oracleGeneral trace."""
    later: dict[int, int] = {}
    records = []
    for index in reversed(range(len(keys))):
        key = keys[index]
        records.append(struct.pack("<IQIq", index, key, size, later.get(key, -1)))
        later[key] = index
    return b"".join(reversed(records))
