"""Recorded traces with namespaces and days that they do not have, to tempt the search for rhythms.

No recorded trace names namespaces, and with a single one seasons cannot begin: as they are, the
traces prove nothing about them. Here up to 600,000 requests are spread over five days and their
keys cut into 32 namespaces, by range (neighbours together: scans and loops make namespaces come and
go, and may even return by the hour) or by hash (all alike).
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from augury import _core
from benchmarks.inputs import RECORD, Shared

REQUESTS = 600_000
#: Shorter traces have too few requests in half an hour.
LEAST = 20_000
SECONDS = 5 * 86_400
NAMESPACES = 32
CUTS = ("range", "hash")


@contextmanager
def cut(shared: Shared, name: str, by: str) -> Iterator[_core.Trace | None]:
    """The trace with namespaces; none where it is too short."""
    with shared.uncompressed(name, REQUESTS) as path:
        records = np.fromfile(path, dtype=RECORD)
    if len(records) < LEAST:
        yield None
        return
    keys = records["id"].astype(np.uint64)
    if by == "range":
        known = np.unique(keys)
        spaces = np.searchsorted(known, keys) * NAMESPACES // len(known)
    else:
        spaces = (keys * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(59)).astype(np.int64)
    times = np.arange(len(records)) * SECONDS // len(records) + 1
    # Keys are written as numbers below 2^63, which is all that numpy's integers have room for.
    short = (keys & np.uint64(2**63 - 1)).astype(np.int64)
    columns = np.column_stack([times, short, records["sz"].astype(np.int64), spaces + 1])
    with tempfile.TemporaryDirectory(prefix="augury-bench-") as folder:
        path = Path(folder) / "trace.csv"
        head = "time,key,value_size,namespace"
        np.savetxt(path, columns, fmt="%d", delimiter=",", header=head, comments="")
        yield _core.Trace(str(path))
