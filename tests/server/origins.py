"""Origins to read through to: a web origin whose answers a test decides, a cluster of Valkey."""

import contextlib
import http.server
import shutil
import ssl
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis

from redis_server import free_port

__all__ = ["Reply", "Web", "cluster", "revivable", "web"]

DEADLINE = 20.0


@dataclass
class Reply:
    """What a web origin answers."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Web:
    """A web origin: what it has, who has asked for what, and a gate at which requests wait."""

    def __init__(self) -> None:
        """Nothing there, and the gate open."""
        self.replies: dict[str, Reply] = {}
        self.asked: Counter[str] = Counter()
        self.headers: dict[str, str] = {}
        self.gate = threading.Event()
        self.gate.set()
        self.waiting = 0
        self.most = 0
        self.lock = threading.Lock()
        self.port = 0

    def put(self, path: str, body: bytes | str, **headers: str) -> None:
        """From now on this is there; ``cache_control="max-age=1"`` is a header."""
        data = body if isinstance(body, bytes) else body.encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.replies[path] = Reply(data, headers=named)

    def answer(self, path: str, headers: dict[str, str]) -> Reply:
        """The answer to a request, once the gate is open."""
        with self.lock:
            self.asked[path] += 1
            self.headers = headers
            reply = self.replies.get(path, Reply(b"nothing", status=404))
            self.waiting += 1
            self.most = max(self.most, self.waiting)
        self.gate.wait(DEADLINE)
        with self.lock:
            self.waiting -= 1
        return reply


@contextlib.contextmanager
def web(certificate: tuple[Path, Path] | None = None) -> Iterator[Web]:
    """A web origin on a port of its own, with TLS where a certificate and its key are given."""
    origin = Web()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body are written apart: they must not wait for each other.
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            """Answer as the test has decided."""
            reply = origin.answer(self.path, dict(self.headers.items()))
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(reply.body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

    with Server(("127.0.0.1", 0), Handler) as server:
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        origin.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield origin
        finally:
            origin.gate.set()
            server.shutdown()
            thread.join()


class Revivable:
    """A Redis server that can be killed and started again on its port."""

    def __init__(self, folder: Path) -> None:
        """Not running yet."""
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> redis.Redis:
        """Start it; a client once it answers."""
        program = shutil.which("redis-server")
        assert program is not None
        command = [program, "--bind", "127.0.0.1", "--port", str(self.port), "--save", ""]
        self.process = subprocess.Popen([*command, "--dir", self.folder], stdout=subprocess.DEVNULL)
        client = redis.Redis(port=self.port)
        answers(client)
        return client

    def kill(self) -> None:
        """End it at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@contextlib.contextmanager
def revivable(folder: Path) -> Iterator[Revivable]:
    """A Redis server that is not running yet."""
    server = Revivable(folder)
    try:
        yield server
    finally:
        server.kill()


def answers(client: redis.Redis) -> None:
    """Wait until a server answers."""
    until = time.monotonic() + DEADLINE
    while True:
        try:
            client.ping()
        except redis.ConnectionError:
            assert time.monotonic() < until, "the server does not start"
            time.sleep(0.01)
        else:
            return


@contextlib.contextmanager
def cluster(program: str, folder: Path, nodes: int = 3) -> Iterator[list[redis.Redis]]:
    """Clients of the nodes of a cluster that share all slots evenly."""
    ports = [(free_port(), free_port()) for _ in range(nodes)]
    processes = []
    try:
        for port, bus in ports:
            place = folder / str(port)
            place.mkdir()
            command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
            command += ["--cluster-enabled", "yes", "--cluster-port", str(bus)]
            command += ["--cluster-node-timeout", "2000", "--dir", str(place)]
            processes.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        clients = [redis.Redis(port=port) for port, _ in ports]
        for client in clients:
            answers(client)
        bounds = [number * 16384 // nodes for number in range(nodes + 1)]
        for client, first, end in zip(clients, bounds, bounds[1:], strict=False):
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", first, end - 1)
        for port, bus in ports[1:]:
            clients[0].execute_command("CLUSTER", "MEET", "127.0.0.1", port, bus)
        until = time.monotonic() + DEADLINE
        while not all(is_whole(client, nodes) for client in clients):
            assert time.monotonic() < until, "the nodes do not find each other"
            time.sleep(0.02)
        yield clients
    finally:
        for process in processes:
            process.kill()
            process.wait()


def is_whole(client: redis.Redis, nodes: int) -> bool:
    """Whether a node sees a whole cluster."""
    about = client.execute_command("CLUSTER", "INFO").decode()
    return f"cluster_known_nodes:{nodes}\r" in about and "cluster_state:ok" in about
