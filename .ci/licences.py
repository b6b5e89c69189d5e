"""Licences of the Python packages that augury and its extras bring: all permissive, or it fails.

Usage: licences.py [PIP-LICENSES-OPTION]..., in an environment where the extras are installed. The
list of what is allowed is pip-licenses' in pyproject.toml. ``licences.py --requirements`` prints
the packages, each in its version, one a line.
"""

import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
#: Extras that no program runs on: the peers of measurements, and what makes documents and tests.
NOT_SHIPPED = {"dev", "docs", "peers"}


def shipped() -> list[str]:
    """The extras that programs run on."""
    return sorted(set(PROJECT["optional-dependencies"]) - NOT_SHIPPED)


def closure(extras: list[str]) -> set[str]:
    """The packages that these extras bring, those that they need in their turn among them."""
    found: set[tuple[str, frozenset[str]]] = set()
    waiting = [Requirement(line) for line in PROJECT["dependencies"]]
    waiting += [
        Requirement(line) for name in extras for line in PROJECT["optional-dependencies"][name]
    ]
    while waiting:
        wanted = waiting.pop()
        place = (canonicalize_name(wanted.name), frozenset(wanted.extras))
        if place in found or place[0] == "augury":
            continue
        found.add(place)
        for needed in map(Requirement, metadata.requires(place[0]) or []):
            contexts = [{"extra": extra} for extra in ("", *wanted.extras)]
            if needed.marker is None or any(map(needed.marker.evaluate, contexts)):
                waiting.append(needed)
    return {name for name, _ in found}


if __name__ == "__main__":
    packages = sorted(closure(shipped()))
    if sys.argv[1:] == ["--requirements"]:
        print("\n".join(f"{name}=={metadata.version(name)}" for name in packages))
        sys.exit()
    program = [str(Path(sys.executable).parent / "pip-licenses"), "--packages", *packages]
    sys.exit(subprocess.run([*program, *sys.argv[1:]], cwd=ROOT, check=False).returncode)
