"""Runs what the documents show: their Python and console blocks, in order, as a reader would.

    python tests/snippets.py docs/tutorial.md

One document is one process with one folder and one Python namespace. Sybil finds the blocks, runs
Python and doctests and knows ``<!-- skip: next "reason" -->``; what is here is the console: each
line after ``$`` is a command of bash, the lines below are what it prints, with ``...`` for what
differs. ``augury serve`` runs until the document ends. The ports that documents name are exchanged
for free ones. Knows no document by name; `test_snippets.py` says which are run.
"""

import contextlib
import doctest
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import types
from collections.abc import Iterator
from pathlib import Path
from unittest import SkipTest

from sybil import Document, Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser, SkipParser

__all__ = ["fences", "run", "skips"]

#: Ports that documents name: of Redis, of memcached, of metrics.
PORTS = ("6379", "11211", "9121")
FENCE = re.compile(r"^```([^\n`]+)$", re.MULTILINE)
SKIP = re.compile(r"^<!-- skip: next \"(.*)\" -->$", re.MULTILINE)
DEADLINE = 120.0
LOOSELY = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def fences(text: str) -> list[str]:
    """The languages of the fenced blocks, directives of the site left out."""
    return [name.strip() for name in FENCE.findall(text) if not name.startswith("{")]


def skips(text: str) -> list[str]:
    """Why blocks are not run, one reason each."""
    return SKIP.findall(text)


class Console:
    """Commands of one document, in a folder, with the servers that they have started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.servers = contextlib.ExitStack()
        programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environment = os.environ | {"PATH": programs, "COLUMNS": "100"}

    def __call__(self, example: Example) -> None:
        """Run the commands of a block."""
        for command, expected in commands(str(example.parsed)):
            is_server = command.startswith("augury serve")
            found = self.serve(command) if is_server else self.ask(command)
            if not doctest.OutputChecker().check_output(expected, found, LOOSELY):
                place = f"{Path(example.path).name}, line {example.line}"
                raise AssertionError(
                    f"{place}: $ {command}\n--- printed\n{found}\n--- shown\n{expected}"
                )

    def ask(self, command: str) -> str:
        """What a command prints."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        if done.returncode:
            raise AssertionError(f"$ {command}\nended with {done.returncode}: {done.stderr}")
        return done.stdout

    def serve(self, command: str) -> str:
        """What a server prints until it is ready for all whom it is to serve."""
        process = subprocess.Popen(
            ["bash", "-c", f"exec {command}"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.servers.callback(end, process)
        watch = threading.Timer(DEADLINE, process.kill)
        watch.start()
        assert process.stdout is not None
        lines = 1 + sum(f"--{name}-port" in command for name in ("memcached", "http", "tls"))
        printed = "".join(process.stdout.readline() for _ in range(lines))
        watch.cancel()
        return printed


def end(process: "subprocess.Popen[str]") -> None:
    """Let a server end."""
    process.terminate()
    process.communicate(timeout=DEADLINE)


def commands(block: str) -> Iterator[tuple[str, str]]:
    r"""Commands and what is shown below them.

    >>> list(commands("$ a \\\n>   b\nx\n$ c\n"))
    [('a   b', 'x\n'), ('c', '')]
    """
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        while command.endswith("\\"):
            more, _, shown = shown.partition("\n")
            command = command[:-1] + more.removeprefix("> ")
        yield command, shown


def free_port() -> str:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return str(one.getsockname()[1])


def run(path: Path, folder: Path) -> tuple[int, int]:
    """Run a document in a folder: how many blocks and doctest lines were run, and were not."""
    text = path.read_text(encoding="utf-8")
    for port in PORTS:
        text = text.replace(port, free_port()) if port in text else text
    copy = folder / path.name
    copy.write_text(text, encoding="utf-8")
    console = Console(folder)
    parsers = [
        PythonCodeBlockParser(doctest_optionflags=LOOSELY),
        CodeBlockParser("console", console),
        SkipParser(),
    ]
    document: Document = Sybil(parsers, path=str(folder)).parse(copy)
    module = types.ModuleType("snippet")
    sys.modules["snippet"] = module
    document.namespace = module.__dict__
    ran = skipped = 0
    with console.servers, contextlib.chdir(folder):
        for example in document.examples():
            try:
                example.evaluate()
            except SkipTest:
                skipped += 1
            else:
                ran += example.region.evaluator is not parsers[2].skipper
    return ran, skipped


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        print("{} run, {} skipped".format(*run(Path(sys.argv[1]), Path(name))))
