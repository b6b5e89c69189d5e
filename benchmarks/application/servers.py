"""redis-server on a port of the loopback, and how much memory it has come to take."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import redis
from examples.query_cache.postgres import free_port

__all__ = ["RedisServer", "executable", "redis_server", "resident_of"]

#: Another process may take the port between our look and the server's start.
ATTEMPTS = 5


def executable() -> str:
    """The server that is installed.

    Raises FileNotFoundError where there is none.
    """
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if not found:
        raise FileNotFoundError("no redis-server: on Debian, apt-get install redis-server")
    return found


def resident_of(process: int) -> int:
    """Bytes of a process that are in memory and come from no file: its data, not its program."""
    with open(f"/proc/{process}/status", encoding="ascii") as file:
        [line] = [line for line in file if line.startswith("RssAnon")]
    return int(line.split()[1]) * 1024


class RedisServer:
    """A server that runs, with a connection to it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.client = redis.Redis(host="127.0.0.1", port=port)
        self.client.memory_purge()
        about = self.client.info()
        self.version = f"{about.get('server_name', 'redis')} {about['redis_version']}"
        self._process = int(about["process_id"])
        self._used = int(about["used_memory_startup"])
        self._resident = resident_of(self._process)

    def limit(self, policy: str, size: int) -> None:
        """What it may take above what it took when it had started, in bytes, and who leaves."""
        self.client.config_set("maxmemory-policy", policy)
        self.client.config_set("maxmemory", self._used + size)

    @property
    def used(self) -> int:
        """Bytes that it counts, above those of its start."""
        return int(self.client.info("memory")["used_memory"]) - self._used

    @property
    def grown(self) -> int:
        """Bytes by which its resident set has grown."""
        return resident_of(self._process) - self._resident


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    """A server that keeps nothing on disk, and ends with the block."""
    for _ in range(ATTEMPTS):
        port = free_port()
        command = [executable(), "--bind", "127.0.0.1", "--port", str(port), "--save", ""]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        with process, process.stdout as log:
            if any("eady to accept connections" in line for line in log):
                try:
                    yield RedisServer(port)
                finally:
                    process.kill()
                return
    raise RuntimeError(f"redis-server does not start on any of {ATTEMPTS} ports")
