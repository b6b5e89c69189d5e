"""A load of hits: clients that ask again as soon as they have an answer, over kept connections."""

import asyncio
import time

import uvloop

__all__ = ["load"]


class Client(asyncio.Protocol):
    """One connection, in turn over the targets."""

    def __init__(self, requests: list[bytes], left: list[int], done: asyncio.Event) -> None:
        self._requests, self._left, self._done = requests, left, done
        self._next, self._data = 0, b""
        self._expected = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin."""
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        self._left[0] -= 1
        if self._left[0] < 0:
            self._transport.close()
            self._done.set()
            return
        self._transport.write(self._requests[self._next % len(self._requests)])
        self._next += 1

    def data_received(self, data: bytes) -> None:
        """Go on once an answer is whole."""
        self._data += data
        if not self._expected:
            end = self._data.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self._data[:end].lower()
            assert head.startswith(b"http/1.1 200"), head
            length = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
            self._expected = end + 4 + int(length)
        if len(self._data) >= self._expected:
            assert len(self._data) == self._expected
            self._data, self._expected = b"", 0
            self._ask()


def load(port: int, targets: list[str], count: int, clients: int) -> float:
    """So many requests by so many clients; the seconds that they took."""
    head = "Host: shop.example\r\nUser-Agent: load\r\nAccept: */*\r\n\r\n"
    requests = [f"GET {target} HTTP/1.1\r\n{head}".encode() for target in targets]

    async def run() -> float:
        left, done = [count], asyncio.Event()
        loop = asyncio.get_running_loop()
        began = time.perf_counter()
        for _ in range(clients):
            await loop.create_connection(lambda: Client(requests, left, done), "127.0.0.1", port)
        await done.wait()
        return time.perf_counter() - began

    return uvloop.run(run())
