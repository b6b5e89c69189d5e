"""Print the requirements of pyproject.toml, one a line, so that they install before the build.

Usage: requirements.py GROUP..., each ``build`` (the build system), the name of an extra or of a
dependency group. The package's own dependencies are always listed.
"""

import re
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

PYPROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())
EXTRAS: dict[str, list[str]] = PYPROJECT["project"]["optional-dependencies"]
GROUPS: dict[str, list[str | dict[str, str]]] = PYPROJECT["dependency-groups"]
OWN_EXTRAS = re.compile(r"augury\[(?P<names>[\w,-]+)\]")


def requirements(group: str) -> list[str]:
    """The requirements of one group; ``augury[a,b]`` stands for those of the extras a and b."""
    if group == "build":
        return list(PYPROJECT["build-system"]["requires"])
    found: list[str] = []
    for line in EXTRAS[group] if group in EXTRAS else GROUPS[group]:
        if isinstance(line, dict):
            found += requirements(line["include-group"])
            continue
        own = OWN_EXTRAS.fullmatch(line)
        found += all_of(own["names"].split(",")) if own else [line]
    return found


def all_of(groups: Iterable[str]) -> list[str]:
    """The requirements of several groups."""
    return [line for group in groups for line in requirements(group)]


if __name__ == "__main__":
    listed = PYPROJECT["project"]["dependencies"] + all_of(sys.argv[1:])
    print("\n".join(dict.fromkeys(listed)))
