"""What drives the protocol of a near cache: one thread, its sockets and the clock.

Everything that `Coherence` is told it is told by this thread, so it needs no lock; others put what
they want into a queue and wake the thread. Connections are made in threads of their own, as that
may take long. The thread ends when the near cache is closed or collected, or the program's main
thread has ended; the children of a fork have none, and none of its sockets.
"""

import logging
import selectors
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from augury import _core
from augury.extras import require
from augury.near.coherence import Coherence
from augury.near.link import Asked, Link
from augury.near.memory import Memory
from augury.near.peers import Peer
from augury.near.topology import Address

__all__ = ["Driver"]

#: Bytes taken from a socket at once.
CHUNK = 1 << 18
#: Seconds that the thread sleeps at most: it looks then whether the program has ended.
LONGEST_SLEEP = 0.25
LOGGER = logging.getLogger("augury.near")


class Wire:
    """The socket of a peer, and what has still to be written to it."""

    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self.unsent = bytearray()
        self.events = selectors.EVENT_READ


class Driver:
    """See the module's head.

    Args:
        memory: Where values are kept.
        dial: Makes a connection to an address, with the client's credentials; it may take long.
        start: Addresses to begin with.
        options: Of `Coherence`.

    Raises:
        ConfigError: hiredis is missing.
    """

    def __init__(
        self,
        memory: Memory,
        dial: Callable[[Address], socket.socket],
        start: Iterable[Address],
        **options: Any,
    ) -> None:
        hiredis: Any = require("hiredis", "cluster")
        is_cluster, prefixes = options["is_cluster"], options["prefixes"]
        self._memory = memory
        self._dial = dial
        self._wires: dict[Peer, Wire] = {}
        self._inbox: deque[Asked | Callable[[float], object]] = deque()
        self._stopped = threading.Event()
        self._is_asleep = False
        self._unflushed: dict[Peer, Wire] = {}
        self._selector = selectors.DefaultSelector()
        self._ear, self._mouth = socket.socketpair()
        self._ear.setblocking(False)
        self._mouth.setblocking(False)
        self._selector.register(self._ear, selectors.EVENT_READ, None)
        self.coherence = Coherence(
            self,
            lambda: Link(hiredis.Reader(), hiredis.pack_command, is_cluster, prefixes),
            start,
            **options,
        )
        self._thread = threading.Thread(target=self._run, name="augury-near")
        self._thread.start()

    # From other threads.

    def read(self, keys: tuple[bytes, ...]) -> "Future[list[bytes | None] | None]":
        """Values read on the tracking connection; None where they cannot be vouched for.

        The keys are of one slot, where there are slots.
        """
        future: Future[list[bytes | None] | None] = Future()
        future.set_running_or_notify_cancel()
        asked = Asked(keys, future)
        self._post(asked)
        if self._stopped.is_set():
            self._abandon()
        return future

    def stop(self) -> None:
        """Let go of the connections; reads that wait are refused."""
        self._stopped.set()
        self._wake()

    def join(self, timeout: float | None = None) -> None:
        """Wait for the thread to end."""
        if self._thread is not threading.current_thread():
            self._thread.join(timeout)

    def disown(self) -> None:
        """In the child of a fork: the sockets are the parent's; close our ends of them."""
        self._stopped.set()
        for wire in self._wires.values():
            wire.channel.close()
        # Nobody waits here for what threads of the parent have asked.
        self._inbox.clear()
        self._close()

    def _post(self, what: Asked | Callable[[float], object]) -> None:
        self._inbox.append(what)
        if self._is_asleep:
            self._wake()

    def _wake(self) -> None:
        self._is_asleep = False
        with suppress(OSError):
            # Full, if it has been woken often enough, or closed.
            self._mouth.send(b"\0")

    # The thread.

    def _run(self) -> None:
        main = threading.main_thread()
        try:
            while not self._stopped.is_set() and main.is_alive():
                try:
                    self._turn()
                except Exception as error:
                    # Such as no memory. Nothing is known to be sound any more.
                    LOGGER.exception("the near cache begins anew")
                    self._lose_all(repr(error))
                    self._stopped.wait(LONGEST_SLEEP)
        finally:
            self._stopped.set()
            self._lose_all("the near cache is closed")
            self._close()

    def _lose_all(self, reason: str) -> None:
        for peer in list(self._wires):
            self.coherence.lost(peer, self.now(), reason)

    def _close(self) -> None:
        self._abandon()
        self._selector.close()
        self._ear.close()
        self._mouth.close()

    def _turn(self) -> None:
        """Do what is due, sleep until something happens, and take it in."""
        due = self.coherence.tick(self.now())
        self._flush()
        self._is_asleep = True
        pause = 0.0 if self._inbox else min(max(0.0, due - self.now()), LONGEST_SLEEP)
        ready = self._selector.select(pause)
        self._is_asleep = False
        for key, events in ready:
            if key.data is None:
                with suppress(BlockingIOError):
                    self._ear.recv(4096)
                continue
            if events & selectors.EVENT_READ:
                self._receive(key.data)
            if events & selectors.EVENT_WRITE and key.data in self._wires:
                self._unflushed[key.data] = self._wires[key.data]
        for _ in range(len(self._inbox)):
            told, now = self._inbox.popleft(), self.now()
            if isinstance(told, Asked):
                self.coherence.read(told, now)
            else:
                told(now)

    def _receive(self, peer: Peer) -> None:
        wire = self._wires.get(peer)
        if wire is None:
            return
        while True:
            try:
                data = wire.channel.recv(CHUNK)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            except OSError as error:
                self.coherence.lost(peer, self.now(), str(error))
                return
            if not data:
                self.coherence.lost(peer, self.now(), "the server has closed the connection")
                return
            self.coherence.received(peer, data, self.now())
            if peer not in self._wires or not isinstance(wire.channel, ssl.SSLSocket):
                return

    def _flush(self) -> None:
        """Write what is to be written, as far as it goes."""
        while self._unflushed:
            peer, wire = self._unflushed.popitem()
            try:
                while wire.unsent:
                    count = wire.channel.send(wire.unsent[:CHUNK])
                    del wire.unsent[:count]
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                pass
            except OSError as error:
                self.coherence.lost(peer, self.now(), str(error))
                continue
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if wire.unsent else 0)
            if events != wire.events:
                wire.events = events
                self._selector.modify(wire.channel, events, peer)

    def _dial_in_background(self, address: Address) -> None:
        try:
            channel = self._dial(address)
            channel.setblocking(False)
        except Exception as error:
            reason = str(error)[:200] or type(error).__name__
            self._post(lambda now: self.coherence.unreachable(address, now, reason))
            return
        self._post(lambda now: self._attach(address, channel, now))

    def _attach(self, address: Address, channel: socket.socket, now: float) -> None:
        if self._stopped.is_set():
            channel.close()
            return
        self._arriving = Wire(channel)
        self.coherence.connected(address, now)

    def _abandon(self) -> None:
        """Refuse what waits in the queue; connections that arrive are closed."""
        while self._inbox:
            with suppress(IndexError):
                # Others may be at it too.
                told = self._inbox.popleft()
                if not isinstance(told, Asked):
                    told(0.0)
                elif not told.is_over:
                    told.is_over = True
                    self.refuse(told)

    @staticmethod
    def now() -> float:
        """Seconds on the clock of leases."""
        return _core.Leased.clock()

    # The hands of the protocol.

    def connect(self, address: Address) -> None:
        """In a thread, as the network may take its time."""
        name = f"augury-near-{address[0]}:{address[1]}"
        target = threading.Thread(
            target=self._dial_in_background, args=(address,), name=name, daemon=True
        )
        target.start()

    def send(self, peer: Peer, data: bytes) -> None:
        """At the end of this turn."""
        wire = self._wires.get(peer)
        if wire is None:
            wire = self._wires[peer] = self._arriving
            self._selector.register(wire.channel, selectors.EVENT_READ, peer)
        wire.unsent += data
        self._unflushed[peer] = wire

    def close(self, peer: Peer) -> None:
        """The socket."""
        wire = self._wires.pop(peer, None)
        if wire is not None:
            self._unflushed.pop(peer, None)
            self._selector.unregister(wire.channel)
            with suppress(OSError):
                wire.channel.close()

    def changed(self, key: bytes) -> None:
        """Out of memory."""
        self._memory.drop(key)

    def forget(self, slots: frozenset[int] | None) -> None:
        """Out of memory."""
        self._memory.forget(slots)

    def vouch(self, until: float) -> None:
        """For all that is in memory."""
        self._memory.vouch(until)

    def land(self, asked: Asked, values: list[bytes | None]) -> None:
        """To whoever waits."""
        asked.ticket.set_result(values)

    def refuse(self, asked: Asked) -> None:
        """Likewise."""
        asked.ticket.set_result(None)
