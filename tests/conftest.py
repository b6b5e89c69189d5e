"""What several tests share: small traces on disk, and the command as a newcomer runs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from small_traces import Run, loop, oracle_general, skewed


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with small traces: loop, skewed and sized oracleGeneral, and plain keys."""
    made = tmp_path_factory.mktemp("traces")
    (made / "loop.oracleGeneral").write_bytes(oracle_general(loop(100, 40)))
    (made / "skewed.oracleGeneral").write_bytes(oracle_general(skewed(20_000, 5_000)))
    (made / "sized.oracleGeneral").write_bytes(oracle_general(skewed(5_000, 1_000), size=100))
    (made / "words.keys").write_text("".join(f"key-{key}\n" for key in skewed(3_000, 500)))
    return made


@pytest.fixture(scope="session")
def augury(folder: Path) -> Run:
    """Run the command in the folder of traces, as a process, without a terminal."""

    def run(*arguments: str | Path, **settings: object) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "augury", *map(str, arguments)]
        environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
        options: dict[str, object] = {"cwd": folder, "env": environment, "timeout": 120}
        return subprocess.run(
            command, capture_output=True, text=True, check=False, **(options | settings)
        )  # type: ignore[call-overload, no-any-return]

    return run
