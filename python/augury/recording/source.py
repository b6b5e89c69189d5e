"""What a source of requests is to a recording."""

from collections.abc import Iterator
from typing import Protocol

from augury.recording.request import KeyedRequest, LeftOut

__all__ = ["Source"]


class Source(Protocol):
    """Yields what it sees, and None where it has been waiting: a moment to look at the clock."""

    #: Its name in messages, without passwords.
    name: str
    #: Whether it goes on until told to stop.
    is_live: bool
    #: What else there is to say when it has ended.
    notes: list[str]

    @property
    def ended(self) -> str:
        """Why it ended."""
        ...

    @property
    def complete(self) -> bool:
        """Whether that was its proper end."""
        ...

    def __iter__(self) -> Iterator[KeyedRequest | LeftOut | None]:
        """Begin reading."""
        ...
