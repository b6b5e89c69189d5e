"""A soak with a checker: clients that die at random, a server that is killed, damaged snapshots.

Every key belongs to one client. A value names its key and counts the client's writes of it. What a
client reads is the value of its last acknowledged write, or of one after it that was not answered,
or nothing, for a cache may have evicted it; after a kill the server may have what any snapshot had,
so any value that was ever written of that very key, until it is written again.
"""

import contextlib
import os
import random
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from process import Served, executable, serving
from redis.backoff import NoBackoff
from redis.retry import Retry

pytestmark = pytest.mark.skipif(executable() is None, reason="needs cargo build -p augury-server")

SECONDS = float(os.environ.get("AUGURY_SOAK_SECONDS", "12"))
CLIENTS = 6
KEYS = 2_000
MEMORY = "8mb"
#: A twentieth above it, 32 MiB, and buffers of clients.
MOST_BYTES = 1.05 * (8 << 20) + (48 << 20)
DEADLINE = 20.0
#: What ends a client, or finds it ended.
LOST = (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError, OSError)


class Known:
    """What one key may have: versions from the last acknowledged to the last sent."""

    def __init__(self) -> None:
        self.sent = 0
        self.acknowledged = 0
        #: Absent for certain: a delete was acknowledged after all that was sent.
        self.gone = True

    def restarted(self) -> None:
        """A snapshot of any time may have been loaded."""
        self.acknowledged, self.gone = min(self.acknowledged, 1), False

    def check(self, key: str, found: bytes | str | None) -> None:
        """Raises AssertionError where no server may answer this."""
        if found is None:
            return
        assert isinstance(found, bytes)
        name, version, filling = found.split(b"|", 2)
        assert name.decode() == key, f"{key} has the value of {name!r}"
        assert filling == b"x" * len(filling), f"{key} has a torn value"
        assert not self.gone, f"{key} is back after it was deleted"
        low, high = self.acknowledged, self.sent
        assert low <= int(version) <= high, f"{key} has {version!r}, not one of {low} to {high}"


class Client(threading.Thread):
    """Mixed commands on keys of its own, over connections that die."""

    def __init__(self, number: int, port: list[int], stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.number = number
        self.random = random.Random(number)
        self.port = port
        self.stop = stop
        self.known = {f"{number}:{key}": Known() for key in range(KEYS)}
        #: Held while a command is under way, and while the server is restarted.
        self.turn = threading.Lock()
        self.commands = self.deaths = 0
        self.failure: BaseException | None = None

    def run(self) -> None:
        """Until it is told to stop, or finds what may not be."""
        try:
            while not self.stop.is_set():
                try:
                    self.live()
                except LOST:
                    self.stop.wait(0.01)
        except BaseException as error:
            self.failure = error
            self.stop.set()

    def live(self) -> None:
        """One connection."""
        once = Retry(NoBackoff(), 0)
        with redis.Redis(port=self.port[0], socket_timeout=DEADLINE, retry=once) as client:
            client.ping()
            for _ in range(self.random.randrange(50, 2_000)):
                if self.stop.is_set():
                    return
                with self.turn:
                    self.step(client)
                self.commands += 1
        self.die()

    def step(self, client: "redis.Redis") -> None:
        """One command or one batch."""
        key = self.random.choice(list(self.known))
        known = self.known[key]
        kind = self.random.random()
        if kind < 0.45:
            known.check(key, client.get(key))
        elif kind < 0.80:
            self.write(client, [key])
        elif kind < 0.88:
            self.write(client, self.random.sample(list(self.known), 5))
        elif kind < 0.94:
            # Unanswered it may have happened or not: what is read then may be there or gone.
            client.delete(key)
            known.acknowledged, known.gone = known.sent + 1, True
        elif kind < 0.97:
            keys = self.random.sample(list(self.known), 20)
            for each, found in zip(keys, client.mget(keys), strict=True):
                self.known[each].check(each, found)
        else:
            client.pexpire(key, self.random.randrange(1, 50))

    def write(self, client: "redis.Redis", keys: list[str]) -> None:
        """SET, or MSET of several, of the next versions."""
        values = {}
        for key in keys:
            known = self.known[key]
            known.sent = max(known.sent, known.acknowledged) + 1
            known.gone = False
            filling = "x" * self.random.choice((0, 10, 100, 1_000, 5_000))
            values[key] = f"{key}|{known.sent}|{filling}"
        client.mset(values)
        for key in keys:
            self.known[key].acknowledged = self.known[key].sent

    def die(self) -> None:
        """A connection that ends in the middle of a command, which the server must not execute."""
        key = self.random.choice(list(self.known))
        with socket.create_connection(("127.0.0.1", self.port[0]), DEADLINE) as raw:
            whole = f"*3\r\n$3\r\nSET\r\n${len(key)}\r\n{key}\r\n$9\r\nimpostor!\r\n".encode()
            raw.sendall(whole[: self.random.randrange(1, len(whole) - 1)])
        self.deaths += 1


@contextlib.contextmanager
def all_turns(clients: list[Client]) -> Iterator[None]:
    """No client has a command under way."""
    with contextlib.ExitStack() as stack:
        for client in clients:
            stack.enter_context(client.turn)
        yield


def serve(folder: Path) -> contextlib.AbstractContextManager[Served]:
    """The server under test, which writes snapshots all the time."""
    return serving(
        "--memory", MEMORY, "--dir", str(folder), "--save", "1 1", "--log-level", "error"
    )  # fmt: skip


def damage(folder: Path, draw: random.Random) -> None:
    """Flip a byte of the snapshot, or cut it."""
    for path in folder.iterdir():
        content = bytearray(path.read_bytes())
        if draw.random() < 0.3:
            del content[draw.randrange(len(content) + 1) :]
        elif content:
            content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        path.write_bytes(content)


def resident(served: Served) -> int:
    """Bytes in memory that come from no file."""
    status = Path(f"/proc/{served.process.pid}/status").read_text(encoding="ascii")
    [line] = [line for line in status.splitlines() if line.startswith("RssAnon")]
    return int(line.split()[1]) * 1024


def test_no_crash_no_wrong_value_no_leak(tmp_path: Path) -> None:
    """For so many seconds; AUGURY_SOAK_SECONDS makes it longer."""
    draw = random.Random(1)
    port, stop = [0], threading.Event()
    clients = [Client(number, port, stop) for number in range(CLIENTS)]
    until, kills, damages, largest = time.monotonic() + SECONDS, 0, 0, 0
    while time.monotonic() < until and not stop.is_set():
        with serve(tmp_path) as served:
            port[0] = served.port
            for client in clients:
                if not client.is_alive() and not stop.is_set():
                    client.start()
            control = redis.Redis(port=served.port, socket_timeout=DEADLINE)
            ends = min(time.monotonic() + draw.uniform(1.5, 4.0), until)
            while time.monotonic() < ends and not stop.wait(0.1):
                for line in draw.sample(lines := control.client_list(), min(1, len(lines))):
                    if line["cmd"] != "client|list":
                        with contextlib.suppress(redis.exceptions.ResponseError):
                            control.client_kill_filter(_id=line["id"])
                assert served.process.poll() is None, "the server has ended by itself"
                largest = max(largest, resident(served))
            with all_turns(clients):
                served.process.send_signal(signal.SIGKILL)
                served.process.wait(timeout=DEADLINE)
                for client in clients:
                    for known in client.known.values():
                        known.restarted()
            kills += 1
        if draw.random() < 0.4:
            damage(tmp_path, draw)
            damages += 1
    stop.set()
    for client in clients:
        client.join(timeout=2 * DEADLINE)
        assert not client.is_alive(), "a client hangs"
    failures = [client.failure for client in clients if client.failure]
    assert not failures, failures[0]
    commands, deaths = (sum(getattr(c, name) for c in clients) for name in ("commands", "deaths"))
    print(f"{commands:,} commands, {deaths} clients died, {kills} kills, {damages} damaged")
    assert commands > 100 * SECONDS
    assert deaths > 0 < kills
    assert largest < MOST_BYTES, f"{largest:,} bytes in memory"
