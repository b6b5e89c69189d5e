"""What is measured: the shared traces, their manifest, and the published results of the peers.

The traces are not part of the repository. They are looked for in the folder that AUGURY_TRACES
names, else in ``../shared/traces``.
"""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

import augury

RECORD = np.dtype([("t", "<u4"), ("id", "<u8"), ("sz", "<u4"), ("nx", "<i8")])
FRACTIONS = ("0.001", "0.01", "0.1")
ROOT = Path(__file__).parents[1]


def percent(fraction: str) -> str:
    """A share as a capacity is written: 0.001 is 0.1%."""
    return f"{100 * float(fraction):g}%"


@dataclass(frozen=True)
class Shared:
    """The folder of the shared traces."""

    folder: Path

    @classmethod
    def find(cls) -> "Shared":
        """The folder that is configured, or the one beside the repository."""
        named = os.environ.get("AUGURY_TRACES")
        folder = Path(named) if named else ROOT.parent / "shared" / "traces"
        if not (folder / "MANIFEST.json").is_file():
            raise SystemExit(f"no MANIFEST.json in {folder}: set AUGURY_TRACES to the traces")
        return cls(folder)

    @cached_property
    def manifest(self) -> dict[str, dict[str, Any]]:
        """What is known of each trace, by name."""
        listed = json.loads((self.folder / "MANIFEST.json").read_text())["traces"]
        return {entry["name"]: entry for entry in listed}

    @cached_property
    def peers(self) -> dict[str, dict[str, Any]]:
        """The results of libCacheSim's policies, by ``trace|fraction``."""
        published: dict[str, dict[str, Any]] = json.loads((self.folder / "peers.json").read_text())
        return published

    def path(self, name: str) -> Path:
        """The file of a trace."""
        return self.folder / str(self.manifest[name]["file"])

    def names(self, *, quick: bool = False, least: int = 0) -> list[str]:
        """The traces in the manifest's order; ``quick`` leaves out those that take long."""
        most = 150_000 if quick else 2**63
        entries = self.manifest.items()
        return [name for name, entry in entries if least <= entry["requests"] <= most]

    @contextmanager
    def uncompressed(self, name: str, requests: int | None = None) -> Iterator[Path]:
        """The trace, or its first requests, as an uncompressed file that is gone afterwards.

        It has been read once, so it is in the page cache.
        """
        with tempfile.TemporaryDirectory(prefix="augury-bench-") as folder:
            path = Path(folder) / f"{name}.oracleGeneral"
            augury.traces.convert(self.path(name), path)
            records = np.fromfile(path, RECORD)
            if requests is not None and requests < len(records):
                records = cut(records, requests)
                records.tofile(path)
            yield path


def cut(records: np.ndarray[Any, Any], requests: int) -> np.ndarray[Any, Any]:
    """The first requests; what comes after them is no next access."""
    first = records[:requests].copy()
    first["nx"][first["nx"] >= requests] = -1
    return first


def footprint(path: Path) -> tuple[int, int]:
    """The sum over distinct objects of the last size seen, and how many they are."""
    records = np.fromfile(path, RECORD)
    ids, last = np.unique(records["id"][::-1], return_index=True)
    return int(records["sz"][::-1][last].sum(dtype=np.int64)), len(ids)
