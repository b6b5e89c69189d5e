"""What the caches of a group keep on the server, and who of them may write what all take over.

    {augury:NAME}:members    set of the members' names
    {augury:NAME}:told:ID    what a member has told, with a TTL
    {augury:NAME}:trainer    the name of who merges, with a TTL: a lock
    {augury:NAME}:token      how often somebody was elected: the fencing token
    {augury:NAME}:agreed     what all take over, with a TTL
    {augury:NAME}:version    which one that is: token and number

All in one slot, so that a transaction can hold them together. A lock alone does not keep out who
was stopped while it held it and goes on later. So whoever is elected counts the token up, and
writes what is agreed in a transaction that fails unless the token is its own still, by WATCH: the
store does the fencing (Kleppmann, "How to do distributed locking", 2016). Nothing here runs on the
server but plain commands.

What others have written is bounded before it is asked for: by STRLEN, and by GETRANGE what is read.
"""

from dataclasses import dataclass
from typing import Any

from augury import _core
from augury.together.channel import Channel, ChannelError

__all__ = ["Agreed", "Group"]

LARGEST = _core.largest_told()
#: Members that are heard in one round, and bytes of what they have told.
MOST_MEMBERS = 256
MOST_TOLD = 64 << 20
#: Bytes of a member's name.
NAME = 32


@dataclass(frozen=True, slots=True)
class Agreed:
    """What all take over."""

    version: bytes
    data: bytes


class Group:
    """See the module's head.

    Args:
        channel: To the server, or to the node of a cluster that has the keys.
        name: Of the group.
        member: The name of this member, of 32 bytes.
        lease: Seconds that somebody is elected for, unless it asks again.
        kept: Seconds that what was told and what is agreed are kept.
    """

    def __init__(
        self, channel: Channel, name: str, member: bytes, lease: float, kept: float
    ) -> None:
        self._channel, self._member = channel, member
        self._lease, self._kept = milliseconds(lease), milliseconds(kept)
        tag = f"{{augury:{name}}}:".encode()
        self._members, self._trainer = tag + b"members", tag + b"trainer"
        self._token, self._agreed, self._version = tag + b"token", tag + b"agreed", tag + b"version"
        self._told = tag + b"told:"
        #: The fencing token, where this member is elected; 0 where it is not.
        self.token = 0
        self._number = 0

    def tell(self, data: bytes) -> None:
        """Leave what this member has to tell."""
        self._channel.ask(
            (b"SET", self._told + self._member, data, b"PX", self._kept),
            (b"SADD", self._members, self._member),
            (b"PEXPIRE", self._members, self._kept),
        )

    def hear(self, known: bytes) -> Agreed | None:
        """What is agreed, unless it is the version that is known; None where there is nothing.

        Raises:
            ChannelError: It is larger than what is read.
        """
        version, size = self._channel.ask(
            (b"GETRANGE", self._version, b"0", b"63"), (b"STRLEN", self._agreed)
        )
        if not isinstance(version, bytes) or version in (b"", known) or size == 0:
            return None
        if not isinstance(size, int) or size > LARGEST:
            raise ChannelError(f"what is agreed has {size!r} bytes, at most {LARGEST:,} are read")
        # Of another version perhaps by now: then it is read once more in the next round.
        data = self._read(self._agreed, size)
        return Agreed(version, data) if data else None

    def lead(self) -> bool:
        """Whether this member is elected, now or still; asks to be for another lease."""
        if self.token:
            self._channel.ask((b"WATCH", self._token, self._trainer))
            token, holder = self._channel.ask(
                (b"GETRANGE", self._token, b"0", b"31"), (b"GETRANGE", self._trainer, b"0", b"63")
            )
            if number(token) == self.token and holder == self._member:
                extend = (b"PEXPIRE", self._trainer, self._lease)
                if self._channel.ask((b"MULTI",), extend, (b"EXEC",))[-1]:
                    return True
            else:
                self._channel.ask((b"UNWATCH",))
            self.token = 0
        (won,) = self._channel.ask((b"SET", self._trainer, self._member, b"NX", b"PX", self._lease))
        if won is None:
            return False
        (token,) = self._channel.ask((b"INCR", self._token))
        if not isinstance(token, int):
            raise ChannelError(f"INCR was answered by {token!r:.60}")
        self.token = token
        return True

    def told(self) -> list[bytes]:
        """What the members have told; of those who have gone their names are removed."""
        (names,) = self._channel.ask(
            (b"SRANDMEMBER", self._members, str(MOST_MEMBERS).encode()), room=MOST_MEMBERS * 128
        )
        found = [one for one in names or () if isinstance(one, bytes) and len(one) <= NAME]
        odd = [one for one in names or () if one not in found]
        if not found:
            return []
        sizes = self._channel.ask(*((b"STRLEN", self._told + one) for one in found))
        gone = [one for one, size in zip(found, sizes, strict=True) if size == 0] + odd
        if gone:
            self._channel.ask((b"SREM", self._members, *gone))
        told, left = [], MOST_TOLD
        for one, size in zip(found, sizes, strict=True):
            if isinstance(size, int) and 0 < size <= min(LARGEST, left):
                left -= size
                told.append(self._read(self._told + one, size))
        return told

    def publish(self, data: bytes) -> bool:
        """Leave what all are to take over; whether this member was still the one who may."""
        token = self.token
        if not token:
            return False
        self._channel.ask((b"WATCH", self._token))
        (current,) = self._channel.ask((b"GETRANGE", self._token, b"0", b"31"))
        if number(current) != token:
            self._channel.ask((b"UNWATCH",))
            self.token = 0
            return False
        self._number += 1
        version = f"{token}:{self._number}".encode()
        done: Any = self._channel.ask(
            (b"MULTI",),
            (b"SET", self._agreed, data, b"PX", self._kept),
            (b"SET", self._version, version, b"PX", self._kept),
            (b"EXEC",),
        )[-1]
        if done is None:
            self.token = 0
            return False
        return True

    def resign(self) -> None:
        """Let another one be elected at once."""
        if self.token:
            self.token = 0
            self._channel.ask((b"WATCH", self._trainer))
            (holder,) = self._channel.ask((b"GETRANGE", self._trainer, b"0", b"63"))
            if holder == self._member:
                self._channel.ask((b"MULTI",), (b"DEL", self._trainer), (b"EXEC",))

    def close(self) -> None:
        """Let go of the connection."""
        self._channel.close()

    def _read(self, key: bytes, size: int) -> bytes:
        last = str(size - 1).encode()
        (data,) = self._channel.ask((b"GETRANGE", key, b"0", last), room=size)
        return data if isinstance(data, bytes) else b""


def milliseconds(seconds: float) -> bytes:
    """As the server takes them.

    >>> milliseconds(1.5)
    b'1500'
    """
    return str(max(1, round(seconds * 1e3))).encode()


def number(text: object) -> int:
    """A whole number as the server keeps it; 0 for whatever is none.

    >>> number(b"12"), number(None), number(b"x")
    (12, 0, 0)
    """
    return int(text) if isinstance(text, bytes) and text.isdigit() else 0
