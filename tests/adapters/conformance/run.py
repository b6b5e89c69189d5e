"""Run one of the suites against an adapter: python run.py SUITE SOURCE REPORT.

SOURCE is the folder of the unpacked source distribution, REPORT the file for JUnit's XML.
"""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
SUITES = tomllib.loads((HERE / "suites.toml").read_text(encoding="utf-8"))


def command(name: str, report: Path) -> list[str]:
    """The call of pytest for a suite."""
    suite = SUITES[name]
    tests = [path.format(here=HERE) for path in suite["tests"]]
    plugins = ["-p", f"{name}_suite", "-p", "listed_skips", "-p", "no:cacheprovider"]
    options = [f"--junitxml={report}", "-q", *suite.get("options", [])]
    return [sys.executable, "-m", "pytest", *plugins, *options, *tests]


def start(name: str, source: Path, report: Path) -> "subprocess.Popen[str]":
    """The suite as a process of its own: its plugins change what the framework is made of."""
    environment = {**os.environ, "PYTHONPATH": str(HERE), "AUGURY_SUITE": name}
    return subprocess.Popen(
        command(name, report),
        cwd=source,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


if __name__ == "__main__":
    process = start(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]).absolute())
    print(process.communicate()[0])
    sys.exit(process.returncode)
