"""What a number was measured with: machine and versions, without names of hosts or paths."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import augury
from benchmarks.inputs import ROOT


def describe() -> dict[str, Any]:
    """Processor, memory, versions and the revision of the sources."""
    return {
        "cpu": cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "rustc": answer("rustc", "--version").removeprefix("rustc ").split(" (")[0],
        "libcachesim": version("libcachesim"),
        "augury": augury.__version__,
        "revision": revision(),
    }


def cpu_model() -> str:
    """The processor as it calls itself."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def revision() -> str:
    """The commit, and whether sources of the engine differ from it."""
    commit = answer("git", "rev-parse", "--short", "HEAD") or "unknown"
    changed = answer("git", "status", "--porcelain", "--", "crates", "python", "Cargo.lock")
    return f"{commit} with local changes" if changed else commit


def answer(*command: str) -> str:
    """What a command prints; nothing where it fails."""
    try:
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return run.stdout.strip()
