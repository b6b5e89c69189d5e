"""How soon blocks return, by what they have in common: a survival table of prompts.

Blocks of like count and depth form a class. For each class and age (in prompts since the latest)
the table knows how many of them returned and how long they were waited for: from all whose wait has
ended, by a return or by being forgotten, and from a sample of those that are still waiting, without
whom only what returns would count. The worth of a block is a *density*, as everywhere here
(docs/decisions/0002): the most returns per prompt of residence that can be had from its age on.
"""

from bisect import bisect_right
from collections.abc import Collection, Sequence
from itertools import islice

from augury.laboratory.prefix.tree import Block

__all__ = ["WorthTable", "class_of"]

#: Counts and depths told apart: by themselves, and by powers of two.
COUNTS, DEPTHS = 4, 4
#: Beginnings of ages told apart, two per doubling.
STARTS = sorted({int(2 ** (half / 2)) for half in range(40)})
#: Prompts between two makings of the tables.
RENEWED = 512
#: Blocks looked at for those that are still waiting.
SAMPLE = 4_096
#: Waits that a class is taken to have had as all have, before its own.
PRIOR = 20.0


def class_of(block: Block) -> int:
    """The class of a block by what it is now."""
    return min(block.count, COUNTS) * (DEPTHS + 1) + min(block.depth.bit_length(), DEPTHS)


class WaitCounts:
    """The waits of one class, by the age at which they ended."""

    def __init__(self) -> None:
        self.returned = [0.0] * len(STARTS)
        self.ended = [0.0] * len(STARTS)
        self.waited = [0.0] * len(STARTS)
        #: By age; none before they are made.
        self.densities: Sequence[float] = ()

    def add(self, age: int, *, returned: bool, weight: float = 1.0) -> None:
        """A wait has ended, or has come so far."""
        place = place_of(age)
        self.ended[place] += weight
        self.waited[place] += weight * max(age - STARTS[place], 0)
        self.returned[place] += returned

    def with_those(self, waiting: "WaitCounts") -> "WaitCounts":
        """These waits and others."""
        whole = WaitCounts()
        whole.returned = self.returned
        whole.ended = [one + other for one, other in zip(self.ended, waiting.ended, strict=True)]
        whole.waited = [one + other for one, other in zip(self.waited, waiting.waited, strict=True)]
        return whole


class WorthTable:
    """Densities by class and age, learned from the waits of one replay."""

    def __init__(self) -> None:
        self._classes: dict[int, WaitCounts] = {}
        self._returned = 1.0
        self._waited = 1_000.0
        self._made = -RENEWED

    def add(self, kind: int, age: int, *, returned: bool) -> None:
        """A block of a class was asked for, or forgotten, at this age."""
        counts = self._classes.get(kind)
        if counts is None:
            counts = self._classes[kind] = WaitCounts()
        counts.add(age, returned=returned)
        self._returned += returned
        self._waited += age

    def is_due(self, now: int) -> bool:
        """Whether the tables are to be made anew."""
        return now - self._made >= RENEWED

    def renew(self, known: Collection[Block], now: int) -> None:
        """Make the tables, with a sample of the blocks that are there or remembered."""
        self._made = now
        stride = max(len(known) // SAMPLE, 1)
        waiting: dict[int, WaitCounts] = {}
        ages = 0.0
        for block in islice(known, now % stride, None, stride):
            age = now - block.latest
            counts = waiting.setdefault(class_of(block), WaitCounts())
            counts.add(age, returned=False, weight=stride)
            ages += stride * age
        usual = self._returned / (self._waited + ages)
        for kind in waiting.keys() | self._classes.keys():
            own = self._classes.setdefault(kind, WaitCounts())
            whole = own.with_those(waiting[kind]) if kind in waiting else own
            own.densities = densities(whole, usual)

    def density(self, kind: int, age: int) -> float:
        """The most returns per prompt that a block of this class and age is good for."""
        counts = self._classes.get(kind)
        if counts is None or not counts.densities:
            return self._returned / self._waited
        return counts.densities[place_of(age)]


def place_of(age: int) -> int:
    """The place of an age among those told apart."""
    return bisect_right(STARTS, max(age, 1)) - 1


def densities(counts: WaitCounts, usual: float) -> list[float]:
    """For each age the best of all horizons from it on: returns over waiting."""
    places = len(STARTS)
    waiting = [0.0] * places
    beyond = 0.0
    for place in reversed(range(places)):
        # Who waited longer was here for all of this age.
        width = STARTS[place + 1] - STARTS[place] if place + 1 < places else 0
        waiting[place] = counts.waited[place] + beyond * width
        beyond += counts.ended[place]
    found = []
    for start in range(places):
        returned, waited, best = 0.0, 0.0, 0.0
        for place in range(start, places):
            returned += counts.returned[place]
            waited += waiting[place]
            best = max(best, (returned + PRIOR * usual) / (waited + PRIOR))
        found.append(best)
    return found
