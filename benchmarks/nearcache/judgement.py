"""Which reads were stale, from what all clients have written down.

Every key has one writer, whose values are its versions: 1, 2, ... A write that is known to have
been done has a time at which it was acknowledged. The server answers a write with the version
before it, so the writer learns which of its acknowledged writes the cluster has lost at a failover:
they are counted apart. A read is stale if its version is below

(a) the latest write to the key that the same client was told of before the read began,
(b) the latest write that anybody was told of before the client had removed the key because a server
    said so, and before the read began,
(c) the latest write that anybody was told of more than ``max_staleness`` before the read began,

lost ones aside. Reads that the near cache leaves to the client are judged alike and counted apart:
a primary that goes on after it was stopped, while another was elected, answers every client by what
it had, until it has heard of that. All clocks are one: the machine's.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

__all__ = ["Account", "Drop", "Judgement", "Read", "Write", "judge"]


@dataclass(frozen=True, slots=True)
class Write:
    """A write; it was acknowledged at this time, or perhaps not done."""

    key: int
    version: int
    acknowledged: float | None
    #: The version that the server had, where it was acknowledged.
    before: int


@dataclass(frozen=True, slots=True)
class Read:
    """A read that began at this time and returned this version."""

    key: int
    version: int
    began: float
    #: Whether it was left to the client, and is as any plain client's.
    is_plain: bool = False


@dataclass(frozen=True, slots=True)
class Drop:
    """The key was removed as a server had said that it was changed."""

    key: int
    time: float


@dataclass(slots=True)
class Account:
    """What one client has written down, in its order."""

    reads: list[Read] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    drops: list[Drop] = field(default_factory=list)
    #: Reads that memory has answered, and verbs that raised.
    hits: int = 0
    failures: int = 0


@dataclass(slots=True)
class Judgement:
    """Counts; the first stale reads in words."""

    reads: int = 0
    hits: int = 0
    writes: int = 0
    unanswered: int = 0
    lost_writes: int = 0
    drops: int = 0
    stale: dict[str, int] = field(default_factory=lambda: {"a": 0, "b": 0, "c": 0})
    #: Stale ones that were left to the client: the cluster itself has answered so.
    stale_plain: int = 0
    #: Reads of less than was acknowledged, where the cluster itself had lost the rest.
    behind_lost: int = 0
    failures: int = 0
    examples: list[str] = field(default_factory=list)


class Timeline:
    """Acknowledged writes of a key that were not lost: the latest before some time."""

    def __init__(self, writes: Iterable[tuple[float, int]]) -> None:
        ordered = sorted(writes)
        self._times = [when for when, _ in ordered]
        self._versions = [version for _, version in ordered]

    def before(self, time: float) -> int:
        """Its version; 0 where there is none."""
        at = bisect_left(self._times, time)
        return self._versions[at - 1] if at else 0


def lost_of(writes: Sequence[Write]) -> set[int]:
    """Versions of a key that were acknowledged and of which a later write found no trace."""
    lost: set[int] = set()
    done: list[int] = []
    for write in writes:
        if write.acknowledged is None:
            continue
        while done and done[-1] > write.before:
            lost.add(done.pop())
        done.append(write.version)
    return lost


def judge(accounts: Sequence[Account], max_staleness: float) -> Judgement:
    """What came of a run."""
    found = Judgement()
    by_key: dict[int, list[Write]] = defaultdict(list)
    for account in accounts:
        for write in account.writes:
            by_key[write.key].append(write)
    lost = {key: lost_of(writes) for key, writes in by_key.items()}
    acknowledged = {
        key: [(w.acknowledged, w.version) for w in writes if w.acknowledged is not None]
        for key, writes in by_key.items()
    }
    kept = {
        key: Timeline(one for one in some if one[1] not in lost[key])
        for key, some in acknowledged.items()
    }
    everything = {key: Timeline(some) for key, some in acknowledged.items()}
    nothing = Timeline(())
    for account in accounts:
        own = own_timelines(account, lost)
        drops: dict[int, list[float]] = defaultdict(list)
        for drop in account.drops:
            drops[drop.key].append(drop.time)
        for read in account.reads:
            key, began = read.key, read.began
            line = kept.get(key, nothing)
            times = drops.get(key, [])
            at = bisect_left(times, began)
            due = {
                "a": own.get(key, nothing).before(began),
                "b": line.before(times[at - 1]) if at else 0,
                "c": line.before(began - max_staleness),
            }
            found.stale_plain += read.is_plain and read.version < max(due.values())
            for rule, least in due.items():
                if read.version < least and not read.is_plain:
                    found.stale[rule] += 1
                    if len(found.examples) < 10:
                        found.examples.append(f"({rule}) {read}, due was version {least}")
            is_behind = read.version < everything.get(key, nothing).before(began - max_staleness)
            found.behind_lost += is_behind and read.version >= max(due.values())
        found.reads += len(account.reads)
        found.hits += account.hits
        found.writes += len(account.writes)
        found.unanswered += sum(write.acknowledged is None for write in account.writes)
        found.drops += len(account.drops)
        found.failures += account.failures
    found.lost_writes = sum(map(len, lost.values()))
    return found


def own_timelines(account: Account, lost: dict[int, set[int]]) -> dict[int, Timeline]:
    """Of the client's own writes."""
    mine: dict[int, list[tuple[float, int]]] = defaultdict(list)
    for write in account.writes:
        if write.acknowledged is not None and write.version not in lost[write.key]:
            mine[write.key].append((write.acknowledged, write.version))
    return {key: Timeline(some) for key, some in mine.items()}
