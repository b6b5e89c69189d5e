"""What the server does over time: memory under churn, pauses and lags of expiry.

- Churn: SETs of values whose sizes change every ten seconds, from 16 bytes to 32 KiB, for ten
  minutes where the table names no other time, over more keys than fit, with deletes between;
  resident memory every quarter of a second, without clients' buffers, beside 1.05
  times `--memory` and 32 MiB.
- Pauses: a million keys end within one second, while a client asks PING after PING; the longest
  answer in the seconds around it, and in as many before.
- Lags: keys with ends over a minute, one in a hundred of them told by a notification when it is
  removed; the time from its end to the notification.
"""

import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import redis

from benchmarks import results
from benchmarks.serving.contestants import Contestant, contestants
from benchmarks.serving.measuring import build

__all__ = ["measure"]

#: Commands in one piece of output.
BATCH = 1_000
CHURN_MEMORY = 256 << 20
#: Of so many keys one is watched.
WATCHED = 100
SHARES = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999, "longest": 1.0}


def measure(quick: bool) -> None:
    """Measure everything and keep it."""
    build()
    content = {
        "churn": churn(10 if quick else 600),
        "pause": pause(100_000 if quick else 1_000_000),
        "lag": lag(100_000 if quick else 10_000_000, 5 if quick else 60),
    }
    results.write("endurance", quick, content)


class Line:
    """A connection that sends many commands at once and counts answers."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._file = self._socket.makefile("rb")

    def send(self, commands: list[bytes]) -> None:
        """Send all, and read a line of answer for each."""
        self._socket.sendall(b"".join(commands))
        for _ in commands:
            answer = self._file.readline()
            assert answer.startswith((b"+", b":")), answer

    def channels(self, pattern: bytes) -> Iterator[bytes]:
        """Subscribe to channels; of each message the channel, as it comes."""
        self._socket.sendall(command(b"PSUBSCRIBE", pattern))
        while line := self._file.readline():
            parts = [self._part() for _ in range(int(line[1:]))]
            if parts[0] == b"pmessage":
                yield parts[2]

    def _part(self) -> bytes:
        line = self._file.readline()
        return self._file.read(int(line[1:]) + 2)[:-2] if line.startswith(b"$") else line

    def close(self) -> None:
        """End it, also while another thread reads."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def command(*words: bytes) -> bytes:
    """A command as it is sent."""
    parts = [b"$%d\r\n%b\r\n" % (len(word), word) for word in words]
    return b"*%d\r\n" % len(words) + b"".join(parts)


@contextmanager
def server(memory: int) -> Iterator[tuple[Contestant, Line]]:
    """A server of augury, and a line to it."""
    with contestants({"augury": memory}) as running:
        line = Line(running["augury"].port)
        yield running["augury"], line
        line.close()


def churn(seconds: int) -> dict[str, Any]:
    """The largest resident memory while sizes change."""
    draw = random.Random(1)
    largest = sets = 0
    with server(CHURN_MEMORY) as (contestant, line):
        begin = looked = time.monotonic()
        while (now := time.monotonic()) < begin + seconds:
            middle = 16 << (int(now - begin) // 10 * 5 % 12)
            commands = []
            for _ in range(BATCH):
                key = b"key:%d" % draw.randrange(2_000_000)
                if draw.random() < 0.1:
                    commands.append(command(b"DEL", key))
                else:
                    size = int(middle * draw.uniform(0.5, 1.5))
                    commands.append(command(b"SET", key, b"x" * size))
                    sets += 1
            for start in range(0, BATCH, 50):
                line.send(commands[start : start + 50])
            if time.monotonic() > looked + 0.25:
                looked = time.monotonic()
                buffers = contestant.client_buffers
                largest = max(largest, contestant.resident_all - buffers)
        evicted = redis.Redis(port=contestant.port).info("stats")["evicted_keys"]
    allowed = int(1.05 * CHURN_MEMORY) + (32 << 20)
    print(f"endurance: churn: {largest / 2**20:.0f} of {allowed / 2**20:.0f} MiB, {sets:,} SETs")
    return {
        "seconds": seconds, "memory": CHURN_MEMORY, "largest": largest, "allowed": allowed,
        "sets": sets, "evicted": evicted,
    }  # fmt: skip


def fill(line: Line, ends: Iterator[tuple[bytes, int]]) -> None:
    """Keys with their ends, in milliseconds since 1970."""
    commands = []
    for key, end in ends:
        commands.append(command(b"SET", key, b"x" * 8, b"PXAT", b"%d" % end))
        if len(commands) == BATCH:
            line.send(commands)
            commands = []
    line.send(commands)


def pause(count: int) -> dict[str, Any]:
    """The longest answer to PING while so many keys end, and before."""
    with server(4 << 30) as (contestant, line):
        end = int(time.time() * 1000) + 5_000 + count // 40
        fill(line, ((b"key:%d" % number, end + number % 1000) for number in range(count)))
        longest = {"before": 0.0, "during": 0.0}
        asked = 0
        assert time.time() * 1000 < end - 2_500, "the machine is too slow to fill in time"
        while (now := time.time() * 1000) < end + 3_000:
            begun = time.perf_counter()
            line.send([b"PING\r\n"])
            took = time.perf_counter() - begun
            asked += 1
            if now >= end - 4_000:
                when = "before" if now < end else "during"
                longest[when] = max(longest[when], took)
        left = redis.Redis(port=contestant.port).dbsize()
    assert left == 0, f"{left} keys are left"
    shown = ", ".join(f"{took * 1000:.2f} ms {when}" for when, took in longest.items())
    print(f"endurance: {count:,} keys end within a second: longest PING {shown}")
    return {"keys": count, "pings": asked, **longest}


def lag(count: int, seconds: int) -> dict[str, Any]:
    """How long after their ends keys are removed."""
    with server(16 << 30) as (contestant, line):
        line.send([command(b"CONFIG", b"SET", b"notify-keyspace-events", b"Kx")])
        begin = int(time.time() * 1000) + 5_000 + count // 50
        draw = random.Random(1)

        def ends() -> Iterator[tuple[bytes, int]]:
            for number in range(count):
                end = begin + draw.randrange(seconds * 1000)
                watched = number % WATCHED == 0
                # The end is in the name of those that are watched.
                yield (b"watched:%d:%d" % (number, end) if watched else b"key:%d" % number), end

        lags: list[float] = []
        listener = Line(contestant.port)

        def listen() -> None:
            # The line is ended under its hands.
            with suppress(OSError, ValueError):
                for channel in listener.channels(b"__keyspace@0__:watched:*"):
                    lags.append(time.time() * 1000 - int(channel.rpartition(b":")[2]))

        fill(line, ends())
        late = time.time() * 1000 - begin
        assert late < 0, f"the machine is too slow to fill in time, by {late:.0f} ms"
        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        client = redis.Redis(port=contestant.port)
        while client.dbsize():
            time.sleep(0.2)
        time.sleep(1)
        listener.close()
        thread.join()
    lags.sort()
    assert len(lags) >= count // WATCHED * 0.99, f"only {len(lags)} notifications"
    found = {name: lags[int(share * (len(lags) - 1))] for name, share in SHARES.items()}
    print(f"endurance: {count:,} keys over {seconds} s: lag {found}")
    return {"keys": count, "seconds": seconds, "milliseconds": found}
