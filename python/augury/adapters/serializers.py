"""What is stored in place of a value, where a framework's contract demands a copy.

A serializer has ``dumps(value)`` and ``loads(stored)``. What it makes stays in this process:
nothing here reads what came from a file or a socket.
"""

import pickle
from typing import Any, Final

__all__ = ["AsItIs", "Copied"]

#: Types whose objects nobody can change: they need no copy.
UNCHANGING: Final = frozenset({type(None), bool, int, float, complex, str, bytes})


class Pickled(bytes):
    """A value as bytes; the type tells it from a value that is bytes."""

    __slots__ = ()


class Copied:
    """Each reader is given a copy of its own, as by Django's and Flask's in-process caches.

    Numbers, text and bytes are stored as they are; anything else is pickled.

    >>> copied = Copied()
    >>> kept = copied.dumps([1, 2])
    >>> copied.loads(kept) == copied.loads(kept), copied.loads(kept) is copied.loads(kept)
    (True, False)
    """

    def dumps(self, value: object) -> object:
        """What is stored; whatever pickle raises where it cannot be copied."""
        if type(value) in UNCHANGING:
            return value
        return Pickled(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))

    def loads(self, stored: object) -> Any:
        """The value, or a copy of it."""
        return pickle.loads(stored) if type(stored) is Pickled else stored


class AsItIs:
    """Every reader is given the stored object itself: no time is spent, and nobody may change it.

    >>> value = [1, 2]
    >>> AsItIs().loads(AsItIs().dumps(value)) is value
    True
    """

    def dumps(self, value: object) -> object:
        """The value."""
        return value

    def loads(self, stored: object) -> Any:
        """The value."""
        return stored
