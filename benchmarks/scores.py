"""Scores over cells, as the evaluation defines them.

A cell is one trace at one capacity. It counts where the cache has room for at least 50 objects of
the trace's mean size and the bound beats LRU by at least 0.005. The bound is the lowest of Belady,
BeladySize and the best peer, all from libCacheSim; the best peer is picked with hindsight for that
very cell. A policy's value in a cell is the mean of its seeds.

- gap closed: (LRU - policy) / (LRU - bound);
- wins: the share of cells where the policy is not above the best peer;
- regret: the largest excess over the best peer, of means and of single seeds.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

ROOM = 0.005
LEAST_OBJECTS = 50
#: Two miss ratios this close are the same.
SAME = 1e-9
PEER_ORACLES = ("Belady", "BeladySize")


@dataclass(frozen=True)
class Cell:
    """One trace at one capacity, with the peers' miss ratios."""

    trace: str
    fraction: str
    role: str
    capacity: int
    requests: int
    #: Room for so many objects of the trace's mean size.
    objects: float
    #: Object miss ratio by peer, those that finished; oracles apart.
    peers: Mapping[str, float]
    oracles: Mapping[str, float]

    @property
    def key(self) -> str:
        """The cell's name in files."""
        return f"{self.trace}|{self.fraction}"

    @property
    def is_sized(self) -> bool:
        """Whether objects differ from size 1."""
        return self.objects != self.capacity

    @property
    def lru(self) -> float:
        """What LRU misses."""
        return self.peers["LRU"]

    @property
    def best_peer(self) -> str:
        """The peer with the lowest miss ratio, the first by name of several."""
        return min(sorted(self.peers), key=self.peers.__getitem__)

    @property
    def best(self) -> float:
        """What the best peer misses."""
        return self.peers[self.best_peer]

    @property
    def bound(self) -> float:
        """The lowest miss ratio known."""
        return min(self.best, *self.oracles.values())

    @property
    def omission(self) -> str | None:
        """Why the cell does not count, or None where it does."""
        if self.objects < LEAST_OBJECTS:
            return f"room for {self.objects:.0f} objects"
        if self.lru - self.bound < ROOM:
            return f"bound {self.lru - self.bound:.4f} below LRU"
        return None

    def gap_closed(self, ratio: float) -> float:
        """0 is LRU, 1 is the bound."""
        return (self.lru - ratio) / (self.lru - self.bound)


def read_cells(
    manifest: Mapping[str, Mapping[str, Any]], peers: Mapping[str, Mapping[str, Any]]
) -> list[Cell]:
    """The cells of the peers' published results, in the manifest's order."""
    cells = []
    for name, entry in manifest.items():
        for key, published in peers.items():
            trace, fraction = key.split("|")
            if trace != name:
                continue
            finished = {peer: row[0] for peer, row in published["policies"].items() if row}
            cell = Cell(
                trace=trace,
                fraction=fraction,
                role=entry["role"],
                capacity=published["capacity"],
                requests=published["requests"],
                objects=published["capacity"] / entry["mean_object_size"],
                peers={p: ratio for p, ratio in finished.items() if p not in PEER_ORACLES},
                oracles={p: ratio for p, ratio in finished.items() if p in PEER_ORACLES},
            )
            cells.append(cell)
    return sorted(cells, key=lambda cell: (list(manifest).index(cell.trace), float(cell.fraction)))


def counted(cells: Iterable[Cell], role: str = "benchmark") -> list[Cell]:
    """The cells of that role that count."""
    return [cell for cell in cells if cell.role == role and cell.omission is None]


@dataclass(frozen=True)
class Score:
    """A policy over the cells in which it ran."""

    policy: str
    cells: int
    #: Cells without a result.
    missing: int
    gap_mean: float
    gap_min: float
    wins: float
    regret: float
    regret_worst_seed: float


def score(policy: str, values: Mapping[str, Sequence[float]], cells: Sequence[Cell]) -> Score:
    """The scores of a policy from its miss ratios by cell, one for each seed.

    Raises :class:`ValueError` where it ran in none of the cells.
    """
    ran = [(cell, values[cell.key]) for cell in cells if values.get(cell.key)]
    if not ran:
        raise ValueError(f"{policy} has no result in any of the {len(cells)} cells")
    means = [(cell, fmean(ratios)) for cell, ratios in ran]
    gaps = [cell.gap_closed(mean) for cell, mean in means]
    return Score(
        policy=policy,
        cells=len(ran),
        missing=len(cells) - len(ran),
        gap_mean=fmean(gaps),
        gap_min=min(gaps),
        wins=fmean(mean <= cell.best + SAME for cell, mean in means),
        regret=max(mean - cell.best for cell, mean in means),
        regret_worst_seed=max(max(ratios) - cell.best for cell, ratios in ran),
    )


def peer_values(cells: Iterable[Cell], peer: str) -> dict[str, list[float]]:
    """A peer's miss ratios in the form that :func:`score` takes."""
    return {cell.key: [cell.peers[peer]] for cell in cells if peer in cell.peers}


def peer_names(cells: Iterable[Cell]) -> list[str]:
    """Every peer that finished somewhere, in the order of the file."""
    return list(dict.fromkeys(peer for cell in cells for peer in cell.peers))


@dataclass(frozen=True)
class Shortfall:
    """A cell where a policy is above the best peer."""

    cell: Cell
    ratio: float
    excess: float


def shortfalls(values: Mapping[str, Sequence[float]], cells: Iterable[Cell]) -> list[Shortfall]:
    """The cells that fall short, the largest excess first."""
    found = []
    for cell in cells:
        if ratios := values.get(cell.key):
            mean = fmean(ratios)
            if mean > cell.best + SAME:
                found.append(Shortfall(cell, mean, mean - cell.best))
    return sorted(found, key=lambda fall: -fall.excess)
