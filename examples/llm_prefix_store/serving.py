"""`augury serve` in a process of its own, on a port that the system chooses."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["serving"]

READY = re.compile(r"ready for redis on \S*:(\d+)")


@contextmanager
def serving(memory: str) -> Iterator[int]:
    """The port of a server of so much memory.

    Raises RuntimeError where it does not start.
    """
    command = [sys.executable, "-m", "augury", "serve", "--port", "0", "--memory", memory]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield port_of(process)
        finally:
            process.terminate()


def port_of(process: "subprocess.Popen[str]") -> int:
    """The port, once the server says that it is ready."""
    said = []
    for line in process.stdout or ():
        said.append(line)
        if found := READY.search(line):
            return int(found[1])
    raise RuntimeError(f"augury serve does not start: {''.join(said)}")
