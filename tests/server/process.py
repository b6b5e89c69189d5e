"""A server of augury in a process of its own, on ports that the system chooses."""

import contextlib
import os
import re
import selectors
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Served", "executable", "serving"]

ROOT = Path(__file__).parents[2]
READY = re.compile(rb"ready for (\w+) on \S*:(\d+)")
DEADLINE = 20.0


def executable() -> Path | None:
    """The newest server that was built here, if there is one."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    built = [target / profile / "augury-server" for profile in ("debug", "release")]
    found = [path for path in built if path.exists()]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


@dataclass(frozen=True)
class Served:
    """A server that runs: its process, and its ports by protocol."""

    process: subprocess.Popen[bytes]
    ports: dict[str, int]

    @property
    def port(self) -> int:
        """The port for Redis clients."""
        return self.ports["redis"]


@contextlib.contextmanager
def serving(*arguments: str, protocols: tuple[str, ...] = ("redis",)) -> Iterator[Served]:
    """A server with these arguments, until the block ends; ``--port 0`` is added."""
    program = executable()
    assert program is not None, "no augury-server: cargo build -p augury-server"
    command = [str(program), "--port", "0", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        yield Served(process, ready(process, protocols))
    finally:
        process.terminate()
        try:
            process.wait(timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert process.stdout is not None
        process.stdout.close()


def ready(process: "subprocess.Popen[bytes]", protocols: tuple[str, ...]) -> dict[str, int]:
    """The ports by protocol, once the server has told all that are waited for."""
    assert process.stdout is not None
    ports: dict[str, int] = {}
    until = time.monotonic() + DEADLINE
    text = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while not ports.keys() >= set(protocols):
            assert process.poll() is None, f"the server has ended: {process.returncode}"
            assert time.monotonic() < until, f"the server is not ready: {text!r}"
            if selector.select(timeout=0.2):
                text += os.read(process.stdout.fileno(), 4096)
                ports = {name.decode(): int(port) for name, port in READY.findall(text)}
    return ports
