"""How many distinct keys there were: exact for few, estimated for many, in bounded memory."""

import heapq

__all__ = ["DistinctCount"]

#: Hashes are uniform below this.
SPAN = 2**64


class DistinctCount:
    """Counts distinct 64-bit hashes by the smallest of them.

    Up to ``k`` distinct hashes the count is exact; beyond, it is ``(k - 1) / x``, where ``x`` is
    the k-th smallest as a share of all, with a standard error of about ``1 / sqrt(k - 2)``: 0.4%
    at the default. Bar-Yossef and others, "Counting distinct elements in a data stream", 2002.

    >>> counting = DistinctCount()
    >>> for key_hash in (7, 9, 7):
    ...     counting.add(key_hash)
    >>> int(counting), counting.is_exact
    (2, True)
    """

    def __init__(self, k: int = 65_536) -> None:
        self.k = k
        self.is_exact = True
        self._kept: set[int] = set()
        #: Negated, so that the largest kept hash comes first.
        self._largest: list[int] = []

    def add(self, key_hash: int) -> None:
        """Count a hash."""
        if (not self.is_exact and key_hash >= -self._largest[0]) or key_hash in self._kept:
            return
        self._kept.add(key_hash)
        if len(self._kept) <= self.k:
            heapq.heappush(self._largest, -key_hash)
            return
        self.is_exact = False
        self._kept.discard(-heapq.heappushpop(self._largest, -key_hash))

    def __int__(self) -> int:
        """The count, or its estimate."""
        if self.is_exact:
            return len(self._kept)
        return round((self.k - 1) * SPAN / (1 - self._largest[0]))
