"""Runs the frameworks' own suites against the adapters: python run.py SUITE..., all by default.

The source of what is installed is downloaded from PyPI into build/conformance, once per version;
with `--download` nothing else is done.
"""

import os
import subprocess
import sys
import tarfile
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
DOWNLOADS = HERE.parents[2] / "build" / "conformance"
SUITES: dict[str, Any] = tomllib.loads((HERE / "suites.toml").read_text(encoding="utf-8"))


def source(distribution: str) -> Path:
    """The folder of its unpacked source distribution, of the version that is installed."""
    name, number = distribution.lower().replace(".", "_").replace("-", "_"), version(distribution)
    folder = DOWNLOADS / f"{name}-{number}"
    if not folder.exists():
        DOWNLOADS.mkdir(parents=True, exist_ok=True)
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary"]
        asked = [":all:", "--dest", str(DOWNLOADS), f"{distribution}=={number}"]
        subprocess.run([*download, *asked], check=True)
        with tarfile.open(DOWNLOADS / f"{name}-{number}.tar.gz") as archive:
            archive.extractall(DOWNLOADS, filter="data")
    return folder


def start(suite: str, report: Path) -> "subprocess.Popen[bytes]":
    """The suite as a process of its own, as its plugin changes what the framework is made of.

    What it prints goes beside the report, to a file that ends in ``.txt``.
    """
    asked = SUITES[suite]
    command = [sys.executable, "-m", "pytest", "-p", f"{suite}_suite", "-p", "listed_skips", "-q"]
    options = [f"--junitxml={report}", "-o", f"cache_dir={report}.cache", *asked.get("options", [])]
    with report.with_suffix(".txt").open("wb") as printed:
        return subprocess.Popen(
            [*command, *options, *(path.format(here=HERE) for path in asked["tests"])],
            cwd=source(asked["distribution"]),
            env={**os.environ, "PYTHONPATH": str(HERE), "AUGURY_SUITE": suite},
            stdout=printed,
            stderr=subprocess.STDOUT,
        )


if __name__ == "__main__":
    if sys.argv[1:] == ["--download"]:
        for suite in SUITES.values():
            source(suite["distribution"])
    else:
        for name in sys.argv[1:] or SUITES:
            report = DOWNLOADS / f"{name}.xml"
            start(name, report).wait()
            print(report.with_suffix(".txt").read_text(encoding="utf-8"))
