"""Which leaf leaves: by recency, by worth, or by the future.

Each keeps leaves in heaps and finds out when it picks whether one still is what it was: a block
that was asked for since, or has got a block behind it, is passed over.
"""

from collections.abc import Mapping, Sequence
from heapq import heappop, heappush
from itertools import count

from augury.laboratory.prefix.tree import Block
from augury.laboratory.prefix.worth import WorthTable, class_of

__all__ = ["ByFuture", "ByRecency", "ByWorth", "Heap", "futures"]

NEVER = 2**62


class Heap:
    """Leaves by a rank, the lowest first; of the same rank the deepest."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int, int, int, Block]] = []
        self._order = count()

    def push(self, rank: int, block: Block) -> None:
        """Take a leaf."""
        entry = (rank, -block.depth, next(self._order), block.latest, block)
        heappush(self._waiting, entry)

    def peek(self) -> Block | None:
        """The leaf of the lowest rank, if there is any."""
        while self._waiting:
            *_, latest, block = self._waiting[0]
            if block.is_leaf and block.latest == latest:
                return block
            heappop(self._waiting)
        return None

    def pop(self) -> None:
        """Remove what peek has found."""
        heappop(self._waiting)


class ByRecency:
    """The leaf that was used longest ago."""

    def __init__(self) -> None:
        self._heap = Heap()

    def asked(self, block: Block, now: int) -> None:
        """Nothing to learn."""

    def forgotten(self, block: Block, now: int) -> None:
        """Nothing to learn."""

    def offer(self, block: Block) -> None:
        """Take a leaf."""
        self._heap.push(block.latest, block)

    def pick(self, now: int) -> Block:
        """The one used longest ago."""
        block = self._heap.peek()
        if block is None:
            raise LookupError("there is no leaf")
        self._heap.pop()
        return block


class ByFuture:
    """The leaf that is asked for last: no store can know it."""

    def __init__(self, times: Mapping[int, Sequence[int]]) -> None:
        #: Per block the prompts that ask for it, the last first.
        self._times = {key: list(asked) for key, asked in times.items()}
        self._heap = Heap()

    def asked(self, block: Block, now: int) -> None:
        """What was the future is past."""
        self._times[block.key].pop()

    def forgotten(self, block: Block, now: int) -> None:
        """Nothing to learn."""

    def offer(self, block: Block) -> None:
        """Take a leaf."""
        times = self._times[block.key]
        self._heap.push(-(times[-1] if times else NEVER), block)

    def pick(self, now: int) -> Block:
        """The one asked for last."""
        block = self._heap.peek()
        if block is None:
            raise LookupError("there is no leaf")
        self._heap.pop()
        return block


class ByWorth:
    """The leaf of the lowest density among the oldest of each class."""

    def __init__(self) -> None:
        self._table = WorthTable()
        self._heaps: dict[int, Heap] = {}
        #: Blocks that are there or remembered.
        self._known: dict[Block, None] = {}

    def asked(self, block: Block, now: int) -> None:
        """A wait has ended with a return."""
        if block.count:
            self._table.add(class_of(block), now - block.latest, returned=True)
        self._known[block] = None

    def forgotten(self, block: Block, now: int) -> None:
        """A wait has ended without one."""
        del self._known[block]
        self._table.add(class_of(block), now - block.latest, returned=False)

    def offer(self, block: Block) -> None:
        """Take a leaf."""
        kind = class_of(block)
        if kind not in self._heaps:
            self._heaps[kind] = Heap()
        self._heaps[kind].push(block.latest, block)

    def pick(self, now: int) -> Block:
        """The one worth least."""
        if self._table.is_due(now):
            self._table.renew(self._known, now)
        least: tuple[float, Block, Heap] | None = None
        for kind, heap in self._heaps.items():
            block = heap.peek()
            if block is None:
                continue
            worth = self._table.density(kind, now - block.latest)
            if least is None or worth < least[0]:
                least = worth, block, heap
        if least is None:
            raise LookupError("there is no leaf")
        least[2].pop()
        return least[1]


def futures(prompts: Sequence[Sequence[tuple[int, int]]]) -> dict[int, list[int]]:
    """Per block the numbers of the prompts that ask for it, the last first."""
    times: dict[int, list[int]] = {}
    for number in reversed(range(len(prompts))):
        for key, _ in prompts[number]:
            times.setdefault(key, []).append(number)
    return times
