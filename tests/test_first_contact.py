"""What a newcomer meets: help with examples, suggestions, completion, exit codes, JSON, colours."""

import json
import os
import pty
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from augury.cli import examples, failure
from augury.cli.app import app, spelled_out
from small_traces import Run

ROOT = Path(__file__).parents[1]
GROUP = typer.main.get_command(app)
#: Those of a cluster are a group, whose tests are in test_cluster_*.py.
COMMANDS = {
    name: command
    for name, command in getattr(GROUP, "commands").items()  # noqa: B009
    if not hasattr(command, "commands")
}
LOOP = "loop.oracleGeneral"
#: A command that prints a result, for each; those that need an extra or a server are apart.
RESULTS = {
    "advise": ["advise", "synthetic:loop?n=20000&objects=500", "-c", "10%"],
    "replay": ["replay", LOOP, "-p", "lru", "-c", "10"],
    "inspect": ["inspect", LOOP],
    "explain": ["explain", LOOP, "--key", "5", "-c", "10"],
    "size": ["size", LOOP, "-c", "10", "-p", "lru"],
    "prefix": ["prefix", "prompts.csv", "-c", "3"],
    "convert": ["convert", LOOP, "{out}.csv"],
    "record": ["record", "access.log", "{out}.csv"],
    "workloads": ["workloads"],
    "doctor": ["doctor"],
}
#: Judged by their own tests, since they train.
TRAINING = {"train", "evaluate", "adapt"}
LOG_LINE = '10.0.0.1 - - [10/Oct/2023:13:55:36 +0200] "GET /a HTTP/1.1" 200 12\n'
COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-8]|9[0-7])(?:;\d+)*m")


def test_every_command_has_examples() -> None:
    """And no example is of a command that is gone."""
    assert set(COMMANDS) == set(examples.COMMANDS)


@pytest.mark.parametrize(
    ("command", "example"),
    [(name, how) for name, listed in examples.COMMANDS.items() for _, how in listed],
)
def test_every_example_parses(command: str, example: str) -> None:
    """As a shell splits it; it is of its own command, and every option in it is one."""
    program, name, *words = spelled_out(shlex.split(example))
    assert ("augury", command) == (program, name)
    context = COMMANDS[command].make_context(command, list(words))
    assert not context.args or command == "serve"


def test_the_server_knows_the_options_of_its_examples(augury: Run) -> None:
    """They are read by the server itself."""
    told = augury("serve", "--help").stdout
    for _, how in examples.COMMANDS["serve"]:
        assert how in told
        for option in (word for word in shlex.split(how) if word.startswith("--")):
            assert f"{option} " in told


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - {"serve"}))
def test_help_shows_examples(command: str) -> None:
    """Behind the options, on standard output, with success."""
    done = CliRunner().invoke(app, [command, "--help"])
    assert (0, "") == (done.exit_code, done.stderr)
    assert f"augury {command}" in done.stdout.partition("Examples:")[2]


def test_every_command_that_prints_a_result_prints_json() -> None:
    """All but the server, whose log has its own format."""
    without = {
        name
        for name, command in COMMANDS.items()
        if not any("--json" in one.opts for one in command.params)
    }
    assert {"serve"} == without
    # The proxy has --json for its log.
    assert set(COMMANDS) - without == set(RESULTS) | TRAINING | {"proxy"}


@pytest.mark.parametrize("command", sorted(RESULTS))
def test_json_is_alone_on_standard_output(
    augury: Run, folder: Path, tmp_path: Path, command: str
) -> None:
    """Whole, and the same command without it prints something else."""
    (folder / "access.log").write_text(LOG_LINE * 3)
    (folder / "prompts.csv").write_text("time,key,client\n0,1,1\n0,2,1\n1,1,2\n1,3,2\n")
    words = [word.format(out=tmp_path / "out") for word in RESULTS[command]]
    done = augury(*words, "--json")
    assert done.returncode in ((0, 1) if command == "doctor" else (0,))
    assert isinstance(json.loads(done.stdout), dict | list)


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["advize"], "advise"),
        (["recrod"], "record"),
        (["docter"], "doctor"),
        (["advise", "--capacty", "1%"], "--capacity"),
        (["record", "--anonymize"], "--anonymise"),
        (["serve", "--prot", "1"], "--port"),
        (["replay", "synthetic:loop", "-p", "lruu"], "lru"),
    ],
)
def test_what_was_probably_meant_is_said(augury: Run, words: list[str], meant: str) -> None:
    """For commands, options and policies that are none; asked for wrongly."""
    done = augury(*words)
    assert (failure.USAGE, "") == (done.returncode, done.stdout)
    assert meant in done.stderr


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - {"serve"}))
def test_an_option_that_is_none_is_a_usage_error(command: str) -> None:
    """Whatever the command."""
    assert failure.USAGE == CliRunner().invoke(app, [command, "--no-such-option"]).exit_code


@pytest.mark.parametrize("command", sorted(set(RESULTS) - {"workloads", "doctor"}))
def test_a_file_that_is_missing_is_a_failure(augury: Run, tmp_path: Path, command: str) -> None:
    """One line that names it, and no traceback."""
    words = [word.format(out=tmp_path / "out") for word in RESULTS[command]]
    words[1] = "no-such-file.csv"
    done = augury(*words)
    assert failure.FAILED == done.returncode
    assert done.stderr.startswith("error: no-such-file.csv: ")
    assert 1 == done.stderr.count("\n")


def test_exit_codes_are_one_table() -> None:
    """That of the README is what the command does and says in its help."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = [int(code) for code in re.findall(r"^\| `(\d+)` \|", readme, re.MULTILINE)]
    codes = [failure.DONE, failure.FAILED, failure.USAGE, failure.INTERRUPTED]
    assert codes == listed
    assert codes == [int(code) for code in re.findall(r"\d+", failure.EXIT_CODES)]
    assert failure.EXIT_CODES in (GROUP.epilog or "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_for_shells(augury: Run, shell: str) -> None:
    """The script for each, and what it asks for: commands, and options of a command."""
    script = augury(env={**os.environ, "_AUGURY_COMPLETE": f"source_{shell}"})
    assert 0 == script.returncode
    assert "augury" in script.stdout
    if shell == "bash":
        for typed, place, expected in (
            ("augury adv", "1", "advise"),
            ("augury size --ex", "2", "--exact"),
        ):
            asking = {"_AUGURY_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": place}
            assert expected in augury(env={**os.environ, **asking}).stdout.split()


def on_a_terminal(folder: Path, *words: str, **settings: str) -> str:
    """What a command prints on a terminal of its own."""
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    environment |= {"TERM": "xterm-256color", **settings}
    with subprocess.Popen(
        [sys.executable, "-m", "augury", *words],
        stdout=theirs, stderr=theirs, stdin=theirs, cwd=folder, env=environment,
    ) as process:  # fmt: skip
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 65_536)
            except OSError:
                break
            if not part:
                break
            shown += part
        process.wait(timeout=60)
    os.close(ours)
    return shown.decode("utf-8", "replace")


@pytest.mark.parametrize("words", [["inspect", LOOP], ["doctor"], ["advize"], ["--help"]])
def test_no_colour_where_none_is_wanted(folder: Path, words: list[str]) -> None:
    """Colours on a terminal, and none there with NO_COLOR: results, help and errors alike."""
    assert COLOUR.search(on_a_terminal(folder, *words))
    assert not COLOUR.search(on_a_terminal(folder, *words, NO_COLOR="1"))


def test_an_engine_that_cannot_be_loaded_says_what_to_do(tmp_path: Path) -> None:
    """Without its extension the package names it, and how to get it."""
    package = tmp_path / "augury"
    package.mkdir()
    for path in (ROOT / "python" / "augury").glob("*.py"):
        (package / path.name).write_bytes(path.read_bytes())
    done = subprocess.run(
        [sys.executable, "-c", "import augury"], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(tmp_path)}, cwd=tmp_path,
    )  # fmt: skip
    assert 0 != done.returncode
    assert "make build" in done.stderr.strip().splitlines()[-1]
