"""The stub of the extension says what the binary has."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_stub_matches_the_binary() -> None:
    """Mypy's stubtest finds no name, signature or property that differs."""
    check = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "augury._core"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert check.returncode == 0, check.stdout + check.stderr
