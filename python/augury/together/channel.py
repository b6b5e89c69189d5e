"""One connection to whoever has a group's keys: questions, and answers of bounded size.

It is not the client's own: that may be asyncio's, and a transaction needs a connection to itself. A
cluster says where the keys are, by MOVED. What comes in is another process's bytes: whatever is no
sound answer, or a larger one than was asked for, ends the connection by a `ChannelError`.
"""

import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from augury.errors import ServerError
from augury.extras import require
from augury.near.topology import Address

__all__ = ["Channel", "ChannelError", "RefusedError"]

#: Seconds that an answer may take.
PATIENCE = 5.0
CHUNK = 1 << 16
#: Bytes that answers may have beside the values that were asked for.
SLACK = 1 << 16
#: Times that a question follows its keys to another node.
MOVES = 5


class ChannelError(ServerError):
    """The server cannot be asked, or has answered something else."""


class RefusedError(ChannelError):
    """The server has refused one command; the connection goes on."""


class Channel:
    """See the module's head. Not safe to use from several threads at once.

    Args:
        dial: Makes a connection to an address, with the client's credentials.
        start: Addresses to begin with.
    """

    def __init__(
        self, dial: "Callable[[Address], socket.socket]", start: Sequence[Address]
    ) -> None:
        self._dial, self._start = dial, list(start)
        self._next = 0
        self._address: Address | None = None
        self._socket: socket.socket | None = None
        self._unpacker: Any = None

    def ask(self, *commands: tuple[bytes, ...], room: int = 0) -> list[Any]:
        """The answers to commands, all of one slot, in their order.

        Args:
            commands: Sent at once.
            room: Bytes of the values that are expected at most.

        Raises:
            RefusedError: One of them was refused.
            ChannelError: There is no connection, or what came is no answer.
        """
        for _ in range(MOVES):
            answers = self._exchange(commands, room)
            refused = next((one for one in answers if isinstance(one, Exception)), None)
            if refused is None:
                return answers
            kind, _, rest = str(refused).partition(" ")
            if kind != "MOVED":
                raise RefusedError(f"{commands[0][0].decode()}: {str(refused)[:200]}")
            self._follow(rest)
        raise ChannelError(f"the keys moved {MOVES} times")

    def close(self) -> None:
        """Let go of the connection; the next question makes another one."""
        held, self._socket = self._socket, None
        if held is not None:
            with suppress(OSError):
                held.close()

    def _follow(self, rest: str) -> None:
        """To the node that a cluster names: ``slot host:port``."""
        host, _, port = rest.partition(" ")[2].rpartition(":")
        if not port.isdigit():
            raise ChannelError(f"MOVED to {rest[:60]!r}")
        was = self._address
        self.close()
        self._address = (host or (was[0] if was else ""), int(port))

    def _exchange(self, commands: Sequence[tuple[bytes, ...]], room: int) -> list[Any]:
        hiredis: Any = require("hiredis", "cluster")
        try:
            held = self._connected()
            held.sendall(b"".join(hiredis.pack_command(command) for command in commands))
            return self._receive(held, len(commands), room + SLACK)
        except ChannelError:
            self._lose()
            raise
        except Exception as error:
            # Of sockets, TLS, the client's library and the unpacker: each has its own.
            self._lose()
            raise ChannelError(str(error)[:200] or type(error).__name__) from error

    def _connected(self) -> socket.socket:
        if self._socket is None:
            reader = require("hiredis", "cluster").Reader
            if self._address is None:
                self._address = self._start[self._next % len(self._start)]
                self._next += 1
            self._socket = self._dial(self._address)
            self._socket.settimeout(PATIENCE)
            self._unpacker = reader(notEnoughData=False)
        return self._socket

    def _lose(self) -> None:
        self.close()
        self._address = None

    def _receive(self, held: socket.socket, count: int, most: int) -> list[Any]:
        answers: list[Any] = []
        while len(answers) < count:
            data = held.recv(CHUNK)
            if not data:
                raise ChannelError("the server has closed the connection")
            most -= len(data)
            if most < 0:
                raise ChannelError("an answer larger than what was asked for")
            self._unpacker.feed(data)
            while (message := self._unpacker.gets()) is not False:
                if type(message).__name__ != "PushNotification":
                    answers.append(message)
        if len(answers) > count:
            raise ChannelError("an answer to nothing that was asked")
        return answers
