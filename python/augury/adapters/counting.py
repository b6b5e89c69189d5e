"""Changes of a stored value that no other thread can come between."""

from collections.abc import Callable
from typing import Any, Final

from augury.cache import Cache

__all__ = ["ABSENT", "change"]

#: No value is this one.
ABSENT: Final[Any] = object()


def change(cache: Cache[Any, Any], key: str, of: Callable[[Any], Any]) -> Any:
    """Put ``of(stored)`` in the place of what is stored; deadline and tags stay.

    By compare and set: where another thread was faster it is computed anew. Returns what is stored
    now, or ABSENT where there was nothing.

    >>> from augury import Cache
    >>> cache = Cache(10)
    >>> cache["visits"] = 1
    >>> change(cache, "visits", lambda visits: visits + 1), cache["visits"]
    (2, 2)
    """
    while (stored := cache.get(key, ABSENT)) is not ABSENT:
        changed = of(stored)
        if changed is stored or cache.replace(key, stored, changed):
            return changed
    return ABSENT
