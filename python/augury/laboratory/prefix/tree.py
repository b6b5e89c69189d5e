"""A store of prefix blocks that evicts leaves first, whichever a shelf picks.

As a block returns whenever one behind it does, a leaf is never worth more than what is before it;
evicting anything else would leave blocks that nobody can reach. What has left is remembered for a
while, so that what returns brings its history with it. Kwon and others, "Efficient memory
management for large language model serving with PagedAttention", SOSP 2023, evict the leaf that was
used longest ago, as SGLang does (Zheng and others, NeurIPS 2024): that is one of the shelves.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Block", "PrefixTree", "Shelf"]

#: Blocks remembered after they have left, as a multiple of those that are there.
GHOSTS = 4


@dataclass(slots=True, eq=False)
class Block:
    """One block, there or remembered. Times are numbers of prompts."""

    key: int
    size: int
    depth: int
    parent: "Block | None"
    is_there: bool = False
    #: Blocks that are there, right behind it.
    children: int = 0
    latest: int = 0
    count: int = 0

    @property
    def is_leaf(self) -> bool:
        """Whether it may leave."""
        return self.is_there and not self.children


class Shelf(Protocol):
    """Picks the leaf that leaves."""

    def asked(self, block: Block, now: int) -> None:
        """A block is asked for; its ``latest`` and ``count`` are those from before."""
        ...

    def offer(self, block: Block) -> None:
        """A block is a leaf, as it now is; it may be no more when its turn comes."""
        ...

    def pick(self, now: int) -> Block:
        """The leaf to evict; there is one."""
        ...

    def forgotten(self, block: Block, now: int) -> None:
        """A block that has left is remembered no longer."""
        ...


class PrefixTree:
    """The blocks of a store of bounded size.

    >>> from augury.laboratory.prefix.shelves import ByRecency
    >>> tree = PrefixTree(capacity=3, shelf=ByRecency())
    >>> prompts = [[(1, 1), (2, 1)], [(1, 1), (3, 1), (4, 1)], [(1, 1), (3, 1)], [(1, 1), (2, 1)]]
    >>> [tree.ask(prompt) for prompt in prompts]
    [0, 1, 2, 1]
    """

    def __init__(self, capacity: int, shelf: Shelf) -> None:
        self.capacity = capacity
        self.used = 0
        self.evictions = 0
        self._shelf = shelf
        self._now = 0
        self._there = 0
        self._known: dict[int, Block] = {}
        self._ghosts: OrderedDict[int, Block] = OrderedDict()

    def ask(self, prompt: Sequence[tuple[int, int]]) -> int:
        """How many blocks of a prompt, from its first on, are there; afterwards all are.

        Unless there is no room for all: then the last ones are not.
        """
        self._now += 1
        reached = len(prompt)
        parent: Block | None = None
        touched = []
        for depth, (key, size) in enumerate(prompt):
            block = self._known.get(key)
            if block is None:
                block = self._known[key] = Block(key, size, depth, parent)
            if not block.is_there:
                reached = min(reached, depth)
                self._bring(block)
            self._shelf.asked(block, self._now)
            block.latest, block.count = self._now, block.count + 1
            touched.append(block)
            parent = block
        for block in touched:
            if block.is_leaf:
                self._shelf.offer(block)
        while self.used > self.capacity:
            self._evict(self._shelf.pick(self._now))
        return reached

    def holds(self, key: int) -> bool:
        """Whether a block is there."""
        block = self._known.get(key)
        return block is not None and block.is_there

    def __len__(self) -> int:
        """The blocks that are there."""
        return self._there

    def _bring(self, block: Block) -> None:
        self._ghosts.pop(block.key, None)
        block.is_there = True
        self._there += 1
        self.used += block.size
        if block.parent is not None:
            block.parent.children += 1

    def _evict(self, block: Block) -> None:
        block.is_there = False
        self._there -= 1
        self.evictions += 1
        self.used -= block.size
        if (parent := block.parent) is not None:
            parent.children -= 1
            if parent.is_leaf:
                self._shelf.offer(parent)
        self._ghosts[block.key] = block
        # What is behind a block leaves, and is forgotten, before it.
        while len(self._ghosts) > GHOSTS * max(self._there, 1):
            key, gone = self._ghosts.popitem(last=False)
            del self._known[key]
            self._shelf.forgotten(gone, self._now)
