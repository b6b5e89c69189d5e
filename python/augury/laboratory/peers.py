"""libCacheSim's policies, to be compared with.

Each cell runs in a process of its own with a limit of time, because some peers do not finish on
some traces and an assertion in them ends the process. They read the decoded trace from a
temporary oracleGeneral file, and their seconds include that reading. Peers see no operations and
no TTLs: every request of the file counts as a read.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import weakref
from importlib.util import find_spec
from pathlib import Path

from augury import _core
from augury.errors import ConfigError
from augury.laboratory.cell import Cell
from augury.laboratory.policies import PEER_PREFIX

__all__ = ["PeerTrace", "require_peers", "run_peer"]

#: A peer that takes longer did not finish; the limit of the published tables.
LIMIT_SECONDS = 100
INSTALL = "pip install 'augury[peers]' (libcachesim==0.3.5)"


def require_peers() -> None:
    """Raise :class:`~augury.ConfigError` unless libcachesim can be imported."""
    if find_spec("libcachesim") is None:
        raise ConfigError(f"peers need libcachesim, which is not installed: {INSTALL}")


class PeerTrace:
    """A decoded trace as a temporary file; gone with the last reference to this."""

    def __init__(self, trace: "_core.Trace") -> None:
        folder = tempfile.mkdtemp(prefix="augury-")
        self._remove = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self.path = Path(folder) / "trace.oracleGeneral.bin"
        trace.write_oracle_general(str(self.path))


def run_peer(
    trace: "_core.Trace",
    file: PeerTrace,
    name: str,
    policy: str,
    capacity: tuple[str, int],
    seed: int,
) -> Cell | str:
    """One peer on one trace at one capacity, or the reason why it did not finish."""
    label, capacity_bytes = capacity
    peer = policy.removeprefix(PEER_PREFIX)
    command = [sys.executable, "-m", "augury.laboratory.peer_process"]
    command += [peer, str(file.path), str(capacity_bytes)]
    try:
        run = subprocess.run(
            command, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=True
        )
    except subprocess.TimeoutExpired:
        return f"{policy} did not finish {name} at {label} within {LIMIT_SECONDS} s"
    except subprocess.CalledProcessError as failed:
        last = failed.stderr.strip().splitlines()[-1:] or ["no message"]
        return f"{policy} failed on {name} at {label}: {last[0]} (exit {failed.returncode})"
    measured = json.loads(run.stdout.splitlines()[-1])
    requests = trace.requests
    return Cell(
        trace=name,
        policy=policy,
        capacity=label,
        capacity_bytes=capacity_bytes,
        requests=requests,
        misses=round(measured["object_miss_ratio"] * requests),
        object_miss_ratio=measured["object_miss_ratio"],
        byte_miss_ratio=measured["byte_miss_ratio"],
        seconds=measured["seconds"],
        requests_per_second=requests / measured["seconds"] if measured["seconds"] else 0.0,
        seed=seed,
        version=f"libcachesim {measured['version']}",
        skipped=sum(trace.skipped.values()),
        capacity_objects=capacity_bytes * trace.objects / max(trace.footprint, 1),
    )
