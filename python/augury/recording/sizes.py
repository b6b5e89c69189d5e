"""The last known sizes of keys, in bounded memory.

MONITOR shows a value's size when it is written and not when it is read; a log shows none for an
answer without a body. This table remembers, under 64-bit hashes of keys, and forgets what was
asked for longest ago. It must not know keys.
"""

from collections import OrderedDict

__all__ = ["SizeTable"]


class SizeTable:
    """Sizes of at most ``limit`` keys, about 200 bytes of memory each.

    >>> table = SizeTable(limit=2)
    >>> for key_hash, size in ((1, 10), (2, 20), (3, 30)):
    ...     table.learn(key_hash, size)
    >>> table.of(1), table.of(3), len(table)
    (None, 30, 2)
    """

    def __init__(self, limit: int = 500_000) -> None:
        self.limit = limit
        self._sizes: OrderedDict[int, int] = OrderedDict()

    def learn(self, key_hash: int, size: int) -> None:
        """Remember the size of a key."""
        sizes = self._sizes
        sizes[key_hash] = size
        sizes.move_to_end(key_hash)
        if len(sizes) > self.limit:
            sizes.popitem(last=False)

    def of(self, key_hash: int) -> int | None:
        """The size of a key, if it is known; the key counts as asked for."""
        size = self._sizes.get(key_hash)
        if size is not None:
            self._sizes.move_to_end(key_hash)
        return size

    def forget(self, key_hash: int) -> None:
        """The key is gone."""
        self._sizes.pop(key_hash, None)

    def __len__(self) -> int:
        """How many keys are known."""
        return len(self._sizes)
