"""A real server of Redis or Valkey for tests, on a port from the system."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis

__all__ = ["client_of", "executable", "listeners_read_all", "running", "wait_for_listener"]

#: Another process may take the port between our look and the server's start.
ATTEMPTS = 5


def executable() -> str | None:
    """The server that is installed."""
    return shutil.which("redis-server") or shutil.which("valkey-server")


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(
    folder: Path, *options: str, tls: bool = False, program: str | None = None
) -> Iterator[int]:
    """A server with these options, of the program that is installed or another; its port."""
    program = program or executable()
    assert program is not None
    for _ in range(ATTEMPTS):
        port = free_port()
        ports = ["--port", "0", "--tls-port", str(port)] if tls else ["--port", str(port)]
        process = subprocess.Popen(
            [program, "--bind", "127.0.0.1", *ports, "--save", "", "--dir", folder, *options],
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


def client_of(port: int, **settings: Any) -> "redis.Redis":
    """A connection to it."""
    return redis.Redis(host="127.0.0.1", port=port, **settings)


def wait_for_listener(client: "redis.Redis", process: "subprocess.Popen[str]") -> None:
    """Ask until somebody listens by MONITOR; fails if the recording has ended before."""
    while not listeners(client):
        assert process.poll() is None, process.communicate()


def listeners(client: "redis.Redis") -> list[dict[str, str]]:
    """The connections on which MONITOR runs."""
    return [one for one in client.client_list() if "O" in one["flags"]]


def listeners_read_all(client: "redis.Redis") -> bool:
    """Whether the server holds nothing back for them."""
    return all(one["omem"] == "0" for one in listeners(client))
