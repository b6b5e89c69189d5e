"""Counts of what was left out, by reason, in bounded memory."""

from collections import Counter

from augury.recording.recording import LeftOutCount
from augury.recording.request import LeftOut

__all__ = ["LeftOutTable"]

#: Reasons, and examples of one, that are told apart.
MOST = 64
SHOWN = 5


class LeftOutTable:
    """Counts by reason, with the first example where it is a place, else the most frequent ones.

    >>> table = LeftOutTable()
    >>> for name in ("FOO", "BAR", "BAR"):
    ...     table.add(LeftOut("unknown commands", name))
    >>> table.counts()
    (LeftOutCount(reason='unknown commands', count=3, example='BAR 2, FOO 1'),)
    """

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._names: dict[str, Counter[str]] = {}
        self._first: dict[str, str] = {}

    def add(self, what: LeftOut) -> None:
        """Count it."""
        reason = what.reason
        if reason not in self._counts and len(self._counts) >= MOST:
            reason = "others"
        self._counts[reason] += 1
        if what.example is None:
            return
        if what.malformed:
            self._first.setdefault(reason, what.example)
            return
        names = self._names.setdefault(reason, Counter())
        if what.example in names or len(names) < MOST:
            names[what.example] += 1

    def counts(self) -> tuple[LeftOutCount, ...]:
        """The counts, the largest first."""
        return tuple(
            LeftOutCount(reason, count, self._example(reason))
            for reason, count in self._counts.most_common()
        )

    def _example(self, reason: str) -> str | None:
        if reason in self._first:
            return f"the first is {self._first[reason]}"
        names = self._names.get(reason)
        if not names:
            return None
        shown = ", ".join(f"{name} {count:,}" for name, count in names.most_common(SHOWN))
        return shown + (", ..." if len(names) > SHOWN else "")
