"""What is asked, and what the answers are: a trace's keys, and rows of a table that stand for them.

The answers are known without the database, so caches can be filled without it and every answer that
comes from somewhere can be checked.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.inputs import RECORD, Shared

__all__ = ["SHELF", "Workload", "workloads"]

#: Rows of the table that a query looks at.
SHELF = 100
#: Bytes at the end of an answer that say where the row stands on its shelf.
PLACE_BYTES = 4
#: Share of the footprint that augury's cache is for.
SHARE = 0.1

#: Requests, and bytes of an answer where they are not those of the trace.
RECORDED: dict[str, tuple[int, int | None]] = {
    "twitter_cluster52": (600_000, None),
    "sessions_diginetica": (300_000, 1_024),
}


@dataclass(frozen=True)
class Workload:
    """Requests for objects of one size each; the last ones are measured."""

    name: str
    #: Of each request.
    keys: np.ndarray[Any, Any]
    #: Distinct keys in ascending order, and bytes of the answer to each.
    objects: np.ndarray[Any, Any]
    sizes: np.ndarray[Any, Any]
    measured: int

    @classmethod
    def of(cls, name: str, keys: Any, sizes: Any, measured: int) -> "Workload":
        """From the size of each request's object, of which the last holds."""
        keys, sizes = np.asarray(keys, np.int64), np.asarray(sizes, np.int64)
        objects, last = np.unique(keys[::-1], return_index=True)
        return cls(name, keys, objects, np.maximum(sizes[::-1][last], PLACE_BYTES), measured)

    def save(self, path: Path) -> None:
        """Keep it for a process of its own."""
        np.savez(path, keys=self.keys, objects=self.objects, sizes=self.sizes,
                 measured=self.measured, name=self.name)  # fmt: skip

    @classmethod
    def load(cls, path: Path) -> "Workload":
        """What :meth:`save` has kept."""
        with np.load(path) as kept:
            return cls(str(kept["name"]), kept["keys"], kept["objects"], kept["sizes"],
                       int(kept["measured"]))  # fmt: skip

    @property
    def first(self) -> np.ndarray[Any, Any]:
        """The keys of the requests that fill the caches."""
        return self.keys[: -self.measured]

    @property
    def last(self) -> np.ndarray[Any, Any]:
        """The keys of the requests that are measured."""
        return self.keys[-self.measured :]

    @property
    def capacity(self) -> int:
        """Bytes of augury's cache."""
        return int(SHARE * self.sizes.sum())

    @property
    def shelves(self) -> int:
        """Into how many the rows are dealt out."""
        return max(len(self.objects) // SHELF, 1)

    @cached_property
    def numbers(self) -> dict[int, int]:
        """The number of each key's row."""
        return {key: number for number, key in enumerate(self.objects.tolist())}

    def size(self, key: int) -> int:
        """Bytes of the answer."""
        return int(self.sizes[self.numbers[key]])

    def row(self, key: int) -> tuple[int, int, int, bytes]:
        """Key, shelf, price and payload."""
        price, shelf = divmod(self.numbers[key], self.shelves)
        length = self.size(key) - PLACE_BYTES
        return key, shelf, price, (key.to_bytes(8, "big") * (length // 8 + 1))[:length]

    def answer(self, key: int) -> bytes:
        """What the database sends: the payload, and how many rows of the shelf cost no more."""
        _, _, price, payload = self.row(key)
        return payload + (price + 1).to_bytes(PLACE_BYTES, "big")


def workloads(shared: Shared, measured: int, *, quick: bool) -> list[Workload]:
    """Those that are measured; a quick run has a tenth of the requests."""
    found = []
    for name, (requests, size) in RECORDED.items():
        count = requests // 10 if quick else requests
        with shared.uncompressed(name, count) as path:
            records = np.fromfile(path, RECORD)
        sizes = records["sz"] if size is None else np.full(len(records), size)
        found.append(Workload.of(name, records["id"], sizes, measured))
    return found
