"""One tracking connection as a protocol: commands become bytes, bytes become what has happened.

It knows neither socket nor clock nor who else there is. On a connection of RESP3 everything has one
order: an answer that was computed before a write of its key is followed by the word of that write,
and the answer to a PING by nothing that the server knew before it. On that order rests what
`coherence` promises.

What comes in is another process's bytes: whatever is no sound answer ends the link, by `LinkError`.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from augury.near.topology import TopologyError, View, read_nodes

__all__ = ["Asked", "Changed", "Link", "LinkError", "Read", "Renewed", "Unpacker"]

#: Reads under way on one connection at most: more would have to wait for the server anyway.
MOST_READS = 65_536


class LinkError(Exception):
    """The connection cannot be gone on with."""


class Unpacker(Protocol):
    """Bytes to messages, as `hiredis.Reader` does it; False where the next is not whole."""

    def feed(self, data: bytes, /) -> None:
        """More bytes."""

    def gets(self) -> Any:
        """The next message."""


@dataclass(slots=True, eq=False)
class Asked:
    """Keys that somebody reads, all of one slot where there are slots."""

    keys: tuple[bytes, ...]
    #: Who waits; opaque here.
    ticket: Any
    #: Whether it was told something already.
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Changed:
    """These keys were changed; all keys where it says None."""

    keys: tuple[bytes, ...] | None


@dataclass(frozen=True, slots=True)
class Read:
    """What was read, in the order of the keys, None for what is not there; or an error's text."""

    asked: Asked
    values: list[bytes | None] | None
    error: str


@dataclass(frozen=True, slots=True)
class Renewed:
    """The server has answered what was sent at this time, and everything that it knew before."""

    sent: float
    #: Of a cluster.
    view: View | None
    #: Whether it takes writes.
    is_primary: bool


class Link:
    """See the module's head.

    Args:
        unpacker: Makes messages of bytes.
        pack: Makes bytes of a command.
        is_cluster: Whether the server is a node of a cluster.
        prefixes: To be told of all changes of keys that begin so; of the keys read, if None.
    """

    def __init__(
        self,
        unpacker: Unpacker,
        pack: Any,
        is_cluster: bool,
        prefixes: Sequence[bytes] | None,
    ) -> None:
        self._unpacker = unpacker
        self._pack = pack
        self._is_cluster = is_cluster
        self._prefixes = prefixes
        #: What is to be answered, in order: a name, or a read.
        self._expected: deque[str | Asked] = deque()
        #: Reads under way.
        self.reads = 0
        #: When the renewal that is under way was sent.
        self.sent: float | None = None
        self._view: View | None = None
        self._is_primary = True

    def open(self, now: float) -> bytes:
        """What to send first."""
        command = [b"CLIENT", b"TRACKING", b"ON"]
        if self._prefixes is not None:
            command.append(b"BCAST")
            for prefix in self._prefixes:
                command += [b"PREFIX", prefix]
        self._expected.append("tracking")
        packed: bytes = self._pack(tuple(command))
        return packed + self.renew(now)

    def renew(self, now: float) -> bytes:
        """What to send to have the lease renewed as of now; no renewal is under way."""
        self.sent = now
        about = (b"CLUSTER", b"NODES") if self._is_cluster else (b"ROLE",)
        self._expected.extend(("about", "ping"))
        packed: bytes = self._pack(about) + self._pack((b"PING",))
        return packed

    def read(self, asked: Asked) -> bytes:
        """What to send to read these keys.

        Raises:
            LinkError: Too much is under way.
        """
        if self.reads >= MOST_READS:
            raise LinkError(f"{self.reads:,} reads are under way: the limit is {MOST_READS:,}")
        self.reads += 1
        self._expected.append(asked)
        keys = asked.keys
        packed: bytes = self._pack((b"GET", *keys) if len(keys) == 1 else (b"MGET", *keys))
        return packed

    def waiting(self) -> Iterator[Asked]:
        """Reads that are not answered."""
        return (one for one in self._expected if isinstance(one, Asked))

    def receive(self, data: bytes) -> Iterator[Changed | Read | Renewed]:
        """What these bytes bring, in order; each is to be acted on before the next is asked for.

        Raises:
            LinkError: They are no answer to what was sent.
        """
        try:
            self._unpacker.feed(data)
            while (message := self._unpacker.gets()) is not False:
                happened = self._take(message)
                if happened is not None:
                    yield happened
        except LinkError:
            raise
        except Exception as error:
            # The unpacker's own, of which there are several.
            raise LinkError(f"no message of RESP3: {error}") from error

    def _take(self, message: Any) -> Changed | Read | Renewed | None:
        if type(message).__name__ == "PushNotification":
            return changed_by(message)
        if not self._expected:
            raise LinkError("an answer to nothing that was asked")
        expected = self._expected.popleft()
        if isinstance(expected, Asked):
            self.reads -= 1
            return answer_to(expected, message)
        if expected == "about":
            self._learn(message)
            return None
        if is_error(message):
            raise LinkError(f"{expected} was refused: {str(message)[:200]}")
        if expected == "tracking":
            return None
        sent, self.sent = self.sent, None
        if message != b"PONG" or sent is None:
            raise LinkError(f"PING was answered by {str(message)[:60]!r}")
        return Renewed(sent, self._view, self._is_primary)

    def _learn(self, message: Any) -> None:
        """What the server says of itself."""
        if not self._is_cluster:
            # Who may not ask for the role is told so, and goes by the connection alone.
            is_replica = isinstance(message, list) and message[:1] == [b"slave"]
            self._is_primary = not is_replica
            return
        if not isinstance(message, bytes):
            raise LinkError(f"CLUSTER NODES was refused: {str(message)[:200]}")
        try:
            self._view = read_nodes(message.decode())
        except (TopologyError, UnicodeDecodeError) as error:
            raise LinkError(f"CLUSTER NODES was answered by something else: {error}") from error
        self._is_primary = self._view.myself.is_primary


def is_error(message: object) -> bool:
    """Whether the server has refused something."""
    return isinstance(message, Exception)


def changed_by(message: Sequence[Any]) -> Changed | None:
    """What a push says; it may be about something else."""
    if not message or message[0] != b"invalidate":
        return None
    keys = message[1] if len(message) == 2 else ()
    if keys is None:
        return Changed(None)
    if not isinstance(keys, list) or not all(isinstance(key, bytes) for key in keys):
        raise LinkError("an invalidation without a list of keys")
    return Changed(tuple(keys))


def answer_to(asked: Asked, message: Any) -> Read:
    """A read's answer; whatever is none is for the client to ask for itself."""
    values = [message] if len(asked.keys) == 1 else message
    if is_error(message):
        return Read(asked, None, str(message)[:200])
    is_sound = (
        isinstance(values, list)
        and len(values) == len(asked.keys)
        and all(value is None or isinstance(value, bytes) for value in values)
    )
    if not is_sound:
        raise LinkError(f"{len(asked.keys)} keys were answered by something else than values")
    return Read(asked, values, "")
