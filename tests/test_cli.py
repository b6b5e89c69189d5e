"""The command as a newcomer runs it: exit codes, streams, the JSON contract, errors."""

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import augury as package
from small_traces import Run

CONTRACT = {
    "trace": str,
    "policy": str,
    "capacity": str,
    "capacity_bytes": int,
    "requests": int,
    "misses": int,
    "object_miss_ratio": float,
    "byte_miss_ratio": float,
    "seconds": float,
    "requests_per_second": float,
    "seed": int,
    "version": str,
    "insertions": int,
    "rejections": int,
    "evictions": int,
    "expired": int,
    "resident": int,
    "memory_bytes": int,
}
LOOP = "loop.oracleGeneral"
SKEWED = "skewed.oracleGeneral"


def test_version(augury: Run) -> None:
    """The version on standard output, and success."""
    done = augury("--version")
    assert (0, f"augury {package.__version__}\n") == (done.returncode, done.stdout)


@pytest.mark.parametrize(
    "command", [[], ["replay"], ["inspect"], ["convert"], ["record"], ["size"], ["workloads"]]
)
def test_help_of_every_command(augury: Run, command: list[str]) -> None:
    """Every command explains itself."""
    done = augury(*command, "--help")
    assert done.returncode == 0
    assert "Usage" in done.stdout
    assert "" == done.stderr


def test_json_is_the_contract(augury: Run) -> None:
    """One object per trace, policy and capacity, with at least the agreed fields."""
    done = augury(
        "replay", LOOP, SKEWED, "--policies", "auto,lru", "--capacity", "1%,5%,10%",
        "--seed", "1", "--format", "json",
    )  # fmt: skip
    assert (0, "") == (done.returncode, done.stderr)
    cells = json.loads(done.stdout)
    assert len(cells) == 2 * 2 * 3
    for cell in cells:
        assert CONTRACT == {name: kind for name, kind in CONTRACT.items() if name in cell}
        assert CONTRACT == {name: type(cell[name]) for name in CONTRACT}
        assert cell["object_miss_ratio"] == cell["misses"] / cell["requests"]
        assert cell["version"] == package.__version__
    order = [(cell["trace"], cell["capacity"], cell["policy"]) for cell in cells]
    assert order[:4] == [
        ("loop", "1%", "auto"), ("loop", "1%", "lru"),
        ("loop", "5%", "auto"), ("loop", "5%", "lru"),
    ]  # fmt: skip
    assert cells[-1]["trace"] == "skewed"


def test_capacities_come_to_shares_of_the_footprint_rounded_down(augury: Run) -> None:
    """Of 100 objects of size 1, 5.5% is 5 entries; numbers and sizes are taken as they are."""
    done = augury("replay", LOOP, "-p", "lru", "-c", "5.5%,7,1KB", "-f", "json")
    assert [5, 7, 1000] == [cell["capacity_bytes"] for cell in json.loads(done.stdout)]


def test_lru_on_a_loop_misses_always_and_belady_does_not(augury: Run) -> None:
    """The one trace whose numbers everyone knows: a loop over more objects than fit."""
    done = augury("replay", LOOP, "-p", "lru,belady", "-c", "50", "-f", "json")
    lru, belady = json.loads(done.stdout)
    assert 1.0 == lru["object_miss_ratio"]
    assert belady["object_miss_ratio"] < 0.55


def test_several_seeds_give_a_cell_each(augury: Run) -> None:
    """`--seed 1,2,3` runs each cell three times."""
    done = augury("replay", LOOP, "-p", "auto", "-c", "10", "--seed", "1,2,3", "-f", "json")
    assert [1, 2, 3] == [cell["seed"] for cell in json.loads(done.stdout)]


def test_the_same_seed_gives_the_same_numbers(augury: Run) -> None:
    """Whatever the number of threads."""
    ask = ["replay", SKEWED, LOOP, "-p", "auto,hyperbolic,lru", "-c", "1%,10%", "-f", "json"]
    runs = [json.loads(augury(*ask, "--jobs", jobs).stdout) for jobs in ("1", "2")]
    first, second = ([(c["trace"], c["policy"], c["misses"]) for c in run] for run in runs)
    assert first == second


def test_the_table_needs_no_option_and_no_terminal(augury: Run) -> None:
    """Defaults stand in for policies and capacities; a pipe gets plain text, whole lines."""
    done = augury("replay", SKEWED)
    assert (0, "") == (done.returncode, done.stderr)
    assert "\x1b" not in done.stdout
    for word in ("skewed", "auto", "lru", "belady", "0.1%", "1%", "10%", "lowest miss ratio"):
        assert word in done.stdout


def test_a_table_of_many_columns_is_not_cut(augury: Run) -> None:
    """Without a terminal the table is as wide as it must be."""
    capacities = ",".join(str(n) for n in range(1, 30))
    done = augury("replay", LOOP, "-p", "lru", "-c", capacities)
    assert "…" not in done.stdout
    assert 29 == done.stdout.count("1.0000")


def test_csv_has_a_header_and_a_line_per_cell(augury: Run) -> None:
    """The same fields as JSON."""
    done = augury("replay", LOOP, "-p", "lru,fifo", "-c", "10", "-f", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert ["lru", "fifo"] == [row["policy"] for row in rows]
    assert set(CONTRACT) <= set(rows[0])


@pytest.mark.parametrize(
    ("name", "start"),
    [("o.json", "["), ("o.csv", "trace,"), ("o.html", "<!DOC"), ("o.txt", "loop")],
)
def test_output_goes_to_the_file_in_the_format_of_its_ending(
    augury: Run, tmp_path: Path, name: str, start: str
) -> None:
    """Standard output stays empty and standard error says where the result is."""
    target = tmp_path / name
    done = augury("replay", LOOP, "-p", "lru,fifo", "-c", "10", "--output", target)
    assert (0, "", f"wrote {target}\n") == (done.returncode, done.stdout, done.stderr)
    assert target.read_text().startswith(start)


def test_report_comes_beside_the_result(augury: Run, tmp_path: Path) -> None:
    """`--report` writes the page and leaves standard output to the table."""
    target = tmp_path / "report.html"
    done = augury("replay", LOOP, "-p", "lru,fifo", "-c", "10", "--report", target)
    assert done.returncode == 0
    assert "loop" in done.stdout
    assert str(target) in done.stderr
    assert "augury replay loop.oracleGeneral" in target.read_text()


def test_curves_are_a_table_too(augury: Run) -> None:
    """`--curve` needs no report; JSON keeps to its contract and says where curves are."""
    done = augury("replay", SKEWED, "-p", "lru,fifo", "-c", "10", "--curve")
    assert (0, "") == (done.returncode, done.stderr)
    assert "miss ratio curves" in done.stdout
    assert "…" not in done.stdout
    done = augury("replay", SKEWED, "-p", "lru", "-c", "10", "--curve", "-f", "json")
    assert 1 == len(json.loads(done.stdout))
    assert "--report" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["replay"], "Missing argument"),
        (["replay", LOOP, "--policies", "lur"], "did you mean 'lru'"),
        (["replay", LOOP, "--capacity", "lots"], "1%, 1000, 64MB or 64MiB"),
        (["replay", LOOP, "--capacity", "0"], "at least 1"),
        (["replay", LOOP, "--capacity", "0.0001%"], 'loop: capacity "0.0001%" comes to less'),
        (["replay", LOOP, "--seed", "one"], "'one'"),
        (["replay", LOOP, "--seed", "-1"], "-1"),
        (["replay", LOOP, "--jobs", "0"], "jobs 0"),
        (["replay", LOOP, "--format", "xml"], "xml"),
        (["replay", LOOP, "--trace-format", "xml"], 'error: --trace-format: found "xml"'),
        (["replay", LOOP, "--columns", "what=1"], "what=1"),
        (["replay", LOOP, "--no-such-option"], "No such option"),
        (["replay", "synthetic:nothing"], "nothing"),
        (["replay", LOOP, "--report", "no/such/folder.html"], "no folder no/such"),
        (["replay", "synthetic:zipf?n=-1"], "error: synthetic parameter n: found"),
        (["convert", LOOP, "out.parquet"], "no ending"),
        (["frobnicate"], "No such command"),
    ],
)
def test_a_wrong_request_exits_2_and_says_what_would_do(
    augury: Run, arguments: list[str], says: str
) -> None:
    """Exit code 2, nothing on standard output, one message without a traceback."""
    done = augury(*arguments)
    assert (2, "") == (done.returncode, done.stdout)
    assert says in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("option", ["-o", "--report"])
@pytest.mark.parametrize("link", [False, True])
def test_a_trace_is_never_written_over(
    augury: Run, folder: Path, tmp_path: Path, option: str, link: bool
) -> None:
    """Whatever name it goes by."""
    trace = tmp_path / "trace.oracleGeneral"
    trace.write_bytes((folder / LOOP).read_bytes())
    target = tmp_path / "link" if link else tmp_path / "." / "trace.oracleGeneral"
    if link:
        target.symlink_to(trace)
    done = augury("replay", trace, "-p", "lru", "-c", "10", option, target)
    assert (2, "") == (done.returncode, done.stdout)
    assert "is the trace" in done.stderr
    assert trace.read_bytes() == (folder / LOOP).read_bytes()


def test_the_report_is_never_written_over_the_result(augury: Run, tmp_path: Path) -> None:
    """Both options with one path, there or not, are refused before the work."""
    target = tmp_path / "out.html"
    done = augury("replay", LOOP, "-p", "lru", "-c", "10", "-o", target, "--report", target)
    assert (2, "") == (done.returncode, done.stdout)
    assert "name two files" in done.stderr
    assert not target.exists()


def test_a_bad_trace_exits_1_and_names_the_place(augury: Run, tmp_path: Path) -> None:
    """Exit code 1; the message names the file and the line."""
    bad = tmp_path / "bad.csv"
    bad.write_text("time,key,size\n0,a,10\n1,b,-5\n2,c,10\n")
    done = augury("replay", bad, "-p", "lru", "-c", "10")
    assert (1, "") == (done.returncode, done.stdout)
    assert done.stderr.startswith("error: ")
    assert str(bad) in done.stderr
    assert "line 3" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_trace_exits_1(augury: Run) -> None:
    """A file that is not there is a failure, not a usage error."""
    done = augury("replay", "absent.csv")
    assert done.returncode == 1
    assert "absent.csv" in done.stderr


def test_a_folder_that_is_not_there_is_named_without_temporary_names(augury: Run) -> None:
    """The message is about the file that was asked for."""
    done = augury("convert", LOOP, "absent/out.csv")
    assert 1 == done.returncode
    assert "absent/out.csv: cannot write: No such file" in done.stderr
    assert ".augury-" not in done.stderr


def test_skipped_records_are_counted_and_told(augury: Run, tmp_path: Path) -> None:
    """With `--skip-bad` nothing is dropped in silence."""
    bad = tmp_path / "bad.csv"
    bad.write_text("time,key,size\n0,a,10\n1,b,-5\n2,c,10\n3,a,10\n")
    done = augury("replay", bad, "-p", "lru", "-c", "100", "--skip-bad", "-f", "json")
    [cell] = json.loads(done.stdout)
    assert (3, 1) == (cell["requests"], cell["skipped"])
    assert "1 malformed record" in done.stderr


def test_a_trace_comes_from_standard_input(augury: Run, folder: Path) -> None:
    """`-` reads what is piped in."""
    with (folder / LOOP).open("rb") as piped:
        done = augury(
            "replay", "-", "--trace-format", "oracleGeneral", "-p", "lru", "-c", "10%", "-f",
            "json", stdin=piped,
        )  # fmt: skip
    [cell] = json.loads(done.stdout)
    assert ("stdin", 4000) == (cell["trace"], cell["requests"])


def test_convert_writes_what_reads_back_the_same(augury: Run, tmp_path: Path) -> None:
    """A trace and its conversion replay alike."""
    target = tmp_path / "again.csv.gz"
    assert augury("convert", SKEWED, target).returncode == 0
    ask = ["-p", "lru,belady", "-c", "1%", "-f", "json"]
    runs = [json.loads(augury("replay", trace, *ask).stdout) for trace in (SKEWED, target)]
    assert [cell["misses"] for cell in runs[0]] == [cell["misses"] for cell in runs[1]]


def test_inspect_reads_for_people_and_for_programs(augury: Run) -> None:
    """A page by default, an object with `--json`."""
    page = augury("inspect", SKEWED)
    assert (0, "") == (page.returncode, page.stderr)
    assert "20,000" in page.stdout
    assert "predictab" in page.stdout.lower()
    facts = json.loads(augury("inspect", SKEWED, "--json").stdout)
    assert facts["requests"] == 20_000


def test_workloads_are_listed_and_run(augury: Run) -> None:
    """Every synthetic workload of the list replays by its name."""
    listed = json.loads(augury("workloads", "--json").stdout)
    names = [f"synthetic:{workload['name']}" for workload in listed]
    assert names
    assert all(name in augury("workloads").stdout for name in names)
    done = augury(
        "replay", *(f"{name}?n=2000" for name in names), "-p", "lru", "-c", "10%", "-f",
        "json",
    )  # fmt: skip
    assert (0, len(names)) == (done.returncode, len(json.loads(done.stdout)))


def test_no_color_and_no_terminal_mean_plain_text(augury: Run) -> None:
    """NO_COLOR is obeyed even where colour is forced."""
    environment = {**os.environ, "FORCE_COLOR": "1", "NO_COLOR": "1"}
    done = augury("replay", LOOP, "-p", "auto,lru", "-c", "10", env=environment)
    assert re.search("\x1b\\[[^m]*3[0-7]m", done.stdout) is None


def test_a_reader_that_has_enough_is_no_error(folder: Path) -> None:
    """`augury replay ... | head` ends without a traceback."""
    command = f"{sys.executable} -m augury replay {LOOP} -p lru -c 10 -f json | true"
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=False
    )
    assert "" == done.stderr


def test_an_interrupt_exits_130_without_a_traceback(tmp_path: Path) -> None:
    """Ctrl-C ends a replay at once, even one that waits for its trace."""
    pipe = tmp_path / "endless.keys"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "augury", "replay", pipe, "-p", "lru", "-c", "10"]
    both = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    # The pipe opens once the command reads from it.
    with subprocess.Popen(command, **both) as running, pipe.open("wb"):
        running.send_signal(signal.SIGINT)
        out, errors = running.communicate(timeout=30)
    assert (130, b"", b"interrupted\n") == (running.returncode, out, errors)


@pytest.mark.parametrize("command", [["inspect"], ["convert"]])
def test_an_interrupt_ends_every_command_that_reads(tmp_path: Path, command: list[str]) -> None:
    """Ctrl-C is heard while a trace is waited for, and nothing is left behind."""
    pipe = tmp_path / "endless.keys"
    os.mkfifo(pipe)
    arguments = [*command, pipe, *([tmp_path / "out.csv"] if command == ["convert"] else [])]
    both = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    command = [sys.executable, "-m", "augury", *arguments]
    with subprocess.Popen(command, **both) as running, pipe.open("wb"):
        running.send_signal(signal.SIGINT)
        out, errors = running.communicate(timeout=30)
    assert (130, b"", b"interrupted\n") == (running.returncode, out, errors)


def test_completion_is_offered(augury: Run) -> None:
    """Shells can ask for their completion."""
    done = augury("--show-completion", "bash")
    assert done.returncode == 0
    assert "_AUGURY_COMPLETE" in done.stdout


@pytest.mark.parametrize("command", ["replay", "inspect", "convert"])
def test_a_name_that_is_no_utf8_is_told(folder: Path, command: str) -> None:
    """A message, not a traceback."""
    rest = {"replay": [b"-plru", b"-c10"], "inspect": [], "convert": [b"out.csv"]}[command]
    arguments = [os.fsencode(sys.executable), b"-m", b"augury", command.encode(), b"\xff.keys"]
    done = subprocess.run([*arguments, *rest], cwd=folder, capture_output=True, check=False)
    assert (1, b"") == (done.returncode, done.stdout)
    assert b"not valid UTF-8" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("redirection", [">&-", "> /dev/full"])
@pytest.mark.parametrize("form", ["table", "json"])
def test_output_that_takes_nothing_is_a_failure(folder: Path, redirection: str, form: str) -> None:
    """Standard output closed, or full: one line and exit code 1."""
    command = f"{sys.executable} -m augury replay {LOOP} -p lru -c 10 -f {form} {redirection}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=False
    )
    assert 1 == done.returncode
    assert done.stderr.startswith("error: ")
    assert 1 == done.stderr.count("\n")


@pytest.mark.parametrize("target", ["/dev/full", "."])
def test_a_file_that_takes_nothing_is_named(augury: Run, target: str) -> None:
    """No room, or a folder in its place."""
    done = augury("replay", LOOP, "-p", "lru", "-c", "10", "-f", "csv", "-o", target)
    assert 1 == done.returncode
    assert f"'{target}'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_terminal_without_unicode_gets_replacements(augury: Run) -> None:
    """What ASCII cannot say is a question mark."""
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = augury("replay", SKEWED, "-p", "auto,lru", "-c", "10,1%", env=environment)
    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.isascii()
    assert 0 == augury("inspect", SKEWED, env=environment).returncode


def test_a_trace_without_reads_is_told_and_not_judged(augury: Run, tmp_path: Path) -> None:
    """Where nothing was read, no policy is lowest."""
    trace = tmp_path / "writes.csv"
    trace.write_text("time,key,size,op\n0,1,1,set\n1,2,1,set\n2,1,1,set\n")
    done = augury("replay", trace, "-p", "auto,lru,belady", "-c", "2")
    assert 0 == done.returncode
    assert "no reads" in done.stdout
    assert "lowest" not in done.stdout
