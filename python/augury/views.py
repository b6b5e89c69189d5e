"""Items and values of a cache, as a mapping has them; none of it is a request."""

from collections.abc import Hashable, ItemsView, Iterator, ValuesView
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from augury.cache import Cache

__all__ = ["Items", "Values"]

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
MISSING: Any = object()


class Items(ItemsView[K, V]):
    """Keys and values of a cache."""

    _mapping: "Cache[K, V]"

    def __contains__(self, item: object) -> bool:
        """Whether this is the value under this key. No request."""
        if not isinstance(item, tuple) or len(item) != 2:
            return False
        found: Any = self._mapping.peek(item[0], MISSING)
        return found is not MISSING and bool(found is item[1] or found == item[1])

    def __iter__(self) -> Iterator[tuple[K, V]]:
        """Entry by entry, none of them a request."""
        return self._mapping.entries()


class Values(ValuesView[V]):
    """Values of a cache."""

    _mapping: "Cache[Any, V]"

    def __contains__(self, value: object) -> bool:
        """Whether some key has this value. No request."""
        return any(value is one or value == one for one in self)

    def __iter__(self) -> Iterator[V]:
        """Value by value, none of them a request."""
        return (value for _, value in self._mapping.entries())
