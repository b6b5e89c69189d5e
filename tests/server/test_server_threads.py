"""More threads than one: connections move between them, and neither they nor others notice."""

import contextlib
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator

import pytest
import redis
from process import Served, executable, serving

pytestmark = [
    pytest.mark.skipif(executable() is None, reason="needs cargo build -p augury-server"),
    pytest.mark.skipif(shutil.which("redis-benchmark") is None, reason="needs redis-benchmark"),
]

DEADLINE = 60.0


@contextlib.contextmanager
def load(port: int) -> Iterator[None]:
    """More than one thread can do, until the block ends."""
    command = ["redis-benchmark", "-p", str(port), "-t", "get,set", "-c", "40", "-P", "64", "-l"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as running:
        try:
            yield
        finally:
            running.kill()


def threads_active(client: "redis.Redis") -> bool:
    """Whether more than one thread serves."""
    return bool(client.info("server")["io_threads_active"])


class Counting(threading.Thread):
    """Counts a key up in batches, and knows what each answer is to be."""

    def __init__(self, served: Served, number: int, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.client = redis.Redis(port=served.port, socket_timeout=DEADLINE)
        self.key, self.stop, self.failure = f"count:{number}", stop, ""
        self.batches = 0

    def run(self) -> None:
        """Until it is stopped, or an answer is not the one that follows."""
        try:
            with self.client.client() as client:
                while not self.stop.is_set():
                    pipe = client.pipeline(transaction=False)
                    for _ in range(20):
                        pipe.incr(self.key)
                    pipe.publish("told", f"{self.key}={self.batches}")
                    first = 20 * self.batches + 1
                    *counts, _ = pipe.execute()
                    assert counts == list(range(first, first + 20))
                    self.batches += 1
        except BaseException as error:  # whatever it was is told by the test
            self.failure = repr(error)


def hear(subscriber: "redis.client.PubSub", heard: dict[str, int]) -> bool:
    """Take the next message, if there is one: the one after the last of its sender."""
    message = subscriber.get_message(timeout=0.2)
    if message is None:
        return False
    key, _, batch = message["data"].decode().partition("=")
    assert int(batch) == heard.get(key, -1) + 1
    heard[key] = int(batch)
    return True


def test_connections_move_while_they_are_in_use() -> None:
    """No answer is lost, doubled or somebody else's, and no message is lost or out of order."""
    stop = threading.Event()
    heard: dict[str, int] = {}
    with serving("--memory", "64mb", "--threads", "2") as served:
        watching = redis.Redis(port=served.port, socket_timeout=DEADLINE)
        assert not threads_active(watching)
        subscriber = watching.pubsub(ignore_subscribe_messages=True)
        subscriber.subscribe("told")
        counting = [Counting(served, number, stop) for number in range(4)]
        for each in counting:
            each.start()
        began = time.monotonic()
        with load(served.port):
            while not (is_tried := threads_active(watching)):
                assert time.monotonic() < began + DEADLINE, "a second thread was never tried"
                for _ in range(100):
                    hear(subscriber, heard)
            # The connections move within a tenth of a second.
            time.sleep(0.5)
        stop.set()
        for each in counting:
            each.join(DEADLINE)
            assert not each.failure
            assert each.batches > 0
        ended = time.monotonic()
        # One is enough again, whatever has moved goes back, and is still told of.
        while threads_active(watching):
            assert time.monotonic() < ended + DEADLINE, "a second thread serves with nothing to do"
            time.sleep(0.1)
        while hear(subscriber, heard):
            pass
        watching.publish("told", "the last")
        last = subscriber.get_message(timeout=DEADLINE)
        assert last is not None
        assert last["data"] == b"the last"
    assert is_tried
    assert heard == {each.key: each.batches - 1 for each in counting}
