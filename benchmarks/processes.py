"""Processes that are measured from outside, and what many measurements of one thing come to."""

import json
import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.inputs import ROOT

EXAMPLES = ("bench_replay", "bench_memory", "bench_guard")
#: Libraries that would start threads of their own are told not to.
SINGLE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def build() -> None:
    """Build the measured programs in release."""
    examples = [part for name in EXAMPLES for part in ("--example", name)]
    command = ["cargo", "build", "--release", "--locked", "--quiet", "-p", "augury-replay"]
    subprocess.run([*command, *examples], cwd=ROOT, check=True)


def program(name: str) -> Path:
    """Where a measured program is."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / "release" / "examples" / name


@dataclass(frozen=True)
class Run:
    """One process that has ended."""

    #: User and system time of the whole process, all threads, from its start to its end.
    cpu_seconds: float
    answer: dict[str, Any]


class TooLongError(Exception):
    """A process did not end in time."""


def measured(command: Sequence[str | Path], limit_seconds: float = 600) -> Run:
    """Run a process that prints one JSON object, and ask the kernel what time it took.

    Raises :class:`TooLongError` where it takes longer than the limit, of wall time.
    """
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env={**os.environ, **SINGLE},
    ) as process:
        cpu_seconds = awaited(process, limit_seconds)
        assert process.stdout is not None
        printed = process.stdout.read()
    if process.returncode:
        shown = " ".join(map(str, command))
        raise RuntimeError(f"{shown} ended with {process.returncode}")
    return Run(cpu_seconds, json.loads(printed.splitlines()[-1]))


def awaited(process: "subprocess.Popen[bytes]", limit_seconds: float) -> float:
    """Wait for the end of a process that prints little; its CPU seconds."""
    began = time.monotonic()
    while True:
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        if ended:
            process.returncode = os.waitstatus_to_exitcode(status)
            return usage.ru_utime + usage.ru_stime
        if time.monotonic() - began > limit_seconds:
            process.kill()
            raise TooLongError(f"{process.args!r} took more than {limit_seconds} s")
        time.sleep(0.01)


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, lowest, highest and number of measurements."""
    return {
        "median": round(median(values), 6),
        "min": round(min(values), 6),
        "max": round(max(values), 6),
        "runs": len(values),
    }


def ratio(above: Sequence[float], below: Sequence[float]) -> dict[str, float]:
    """The ratio of two medians; lowest and highest ratio within one round."""
    rounds = [one / other for one, other in zip(above, below, strict=True)]
    return {**spread(rounds), "median": round(median(above) / median(below), 6)}
