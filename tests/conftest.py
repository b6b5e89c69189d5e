"""What several tests share: small traces on disk, and the command as a newcomer runs it."""

import os
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

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


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with small traces: loop, skewed and sized oracleGeneral, and plain keys."""
    made = tmp_path_factory.mktemp("traces")
    (made / "loop.oracleGeneral").write_bytes(oracle_general(loop(100, 40)))
    (made / "skewed.oracleGeneral").write_bytes(oracle_general(skewed(20_000, 5_000)))
    (made / "sized.oracleGeneral").write_bytes(oracle_general(skewed(5_000, 1_000), size=100))
    (made / "words.keys").write_text("".join(f"key-{key}\n" for key in skewed(3_000, 500)))
    return made


@pytest.fixture(scope="session")
def augury(folder: Path) -> Run:
    """Run the command in the folder of traces, as a process, without a terminal."""

    def run(*arguments: str | Path, **settings: object) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "augury", *map(str, arguments)]
        environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
        options: dict[str, object] = {"cwd": folder, "env": environment, "timeout": 120}
        return subprocess.run(
            command, capture_output=True, text=True, check=False, **(options | settings)
        )  # type: ignore[call-overload, no-any-return]

    return run
