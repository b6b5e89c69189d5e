"""Where results are kept: one JSON file for each part, with the machine and the version."""

import json
from pathlib import Path
from typing import Any

from benchmarks.inputs import ROOT
from benchmarks.machine import describe

FULL = ROOT / "benchmarks" / "results"
#: Of ``--quick``: the same files, for a look; not kept in the repository.
QUICK = ROOT / "build" / "benchmarks"


def folder(quick: bool) -> Path:
    """Where the results of a full or a quick run go."""
    chosen = QUICK if quick else FULL
    chosen.mkdir(parents=True, exist_ok=True)
    return chosen


def write(part: str, quick: bool, content: dict[str, Any]) -> None:
    """Keep the result of one part."""
    whole = {"part": part, "quick": quick, "machine": describe(), **content}
    text = json.dumps(whole, indent=1)
    (folder(quick) / f"{part}.json").write_text(text + "\n", encoding="utf-8")


def read(part: str, quick: bool) -> dict[str, Any] | None:
    """The result of one part, if it has been measured."""
    path = folder(quick) / f"{part}.json"
    if not path.is_file():
        return None
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
