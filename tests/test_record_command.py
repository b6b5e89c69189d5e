"""`augury record` with access logs, as a newcomer runs it."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import augury as package
from small_traces import Run, skewed

GARBAGE = b"\x00\xff\xfe\n" + b"x" * (2**20 + 1) + b'\n"\\\n'


def combined(requests: int, objects: int) -> bytes:
    """A log in the combined format, a request per second."""
    lines = (
        f"203.0.113.7 - - [10/Oct/2023:{index // 3600:02}:{index // 60 % 60:02}:{index % 60:02} "
        f'+0000] "GET /img/{key}.png?v=1 HTTP/1.1" 200 {100 + key} "-" "curl"\n'
        for index, key in enumerate(skewed(requests, objects))
    )
    return "".join(lines).encode()


@pytest.mark.parametrize("name", ["plain.log", "packed.log.gz"])
@pytest.mark.parametrize("target", ["out.csv.zst", "out.oracleGeneral"])
def test_a_log_becomes_a_trace(augury: Run, tmp_path: Path, name: str, target: str) -> None:
    """With garbage within it; standard output stays empty; the trace is inspected and replayed."""
    contents = combined(2000, 300) + GARBAGE
    (tmp_path / name).write_bytes(gzip.compress(contents) if name.endswith("gz") else contents)
    trace = tmp_path / target
    done = augury("record", tmp_path / name, trace, "--format", "combined")
    assert (0, "") == (done.returncode, done.stdout)
    assert "wrote 2,000 requests" in done.stderr
    for fault in ("binary data (the first is line 2,001)", "longer than 1 MiB (the first is line"):
        assert fault in done.stderr
    found = json.loads(augury("inspect", trace, "--json").stdout)
    assert (2000, 2000) == (found["requests"], found["reads"])
    assert not found["unit_sizes"]
    assert 0 == augury("replay", trace, "--capacity", "10%", "--policies", "lru").returncode


def test_standard_input_json_and_hidden_keys(augury: Run, tmp_path: Path) -> None:
    """A secret from a file gives the same names as the same one from the environment."""
    lines = [
        {"ts": 1_700_000_000 + index, "uri": f"/user/{key}", "bytes": 100}
        for index, key in enumerate(skewed(500, 50))
    ]
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    (tmp_path / "secret").write_text("sixteen bytes or more\n")
    options = ["--columns", "key=uri,size=bytes,time=ts", "--anonymise"]
    by_file, by_environment = tmp_path / "a.csv", tmp_path / "b.csv"
    done = augury(
        "record", "-", by_file, *options, "--secret-file", tmp_path / "secret", input=text
    )
    assert (0, "") == (done.returncode, done.stdout)
    environment = dict(os.environ) | {"AUGURY_RECORD_SECRET": "sixteen bytes or more"}
    assert 0 == augury(
        "record", "-", by_environment, *options, input=text, env=environment
    ).returncode  # fmt: skip
    assert by_file.read_bytes() == by_environment.read_bytes()
    assert "sixteen" not in done.stderr
    keys = {line.split(",")[1] for line in by_file.read_text().splitlines()[1:]}
    assert {"user"} == {key.partition("/")[0] for key in keys}
    assert "1 namespaces are written as they are: user" in done.stderr


def test_a_log_that_grows_is_recorded_until_interrupted(tmp_path: Path) -> None:
    """From a pipe that stays open: the lines that came are kept."""
    target = tmp_path / "out.csv"
    command = [sys.executable, "-m", "augury", "record", "-", str(target), "--requests", "30"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        process.stdin.write(combined(30, 5))
        process.stdin.flush()
        # The pipe is still open: the limit ends the recording, not the end of input.
        assert 0 == process.wait(timeout=60)
        process.stdin.close()
    assert 30 == sum(1 for _ in package.traces.open(target))


def test_strict_stops_with_the_line(augury: Run, tmp_path: Path) -> None:
    """Exit code 1, and nothing is written."""
    (tmp_path / "a.log").write_bytes(combined(3, 3) + b"noise\n")
    done = augury("record", tmp_path / "a.log", tmp_path / "a.csv", "--strict")
    assert 1 == done.returncode
    assert "a.log: line 4: malformed lines" in done.stderr
    assert not (tmp_path / "a.csv").exists()


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--namespaces", "hash"], "add --anonymise"),
        (["--secret-file", "x"], "add --anonymise"),
        (["--anonymise", "--namespaces", "drop"], "namespaces 'drop'"),
        (["--sample", "0"], "sample 0"),
        (["--duration", "soon"], "duration 'soon'"),
        (["--duration", "0"], "duration 0"),
        (["--requests", "0"], "requests 0"),
        (["--format", "xml"], "format 'xml'"),
        (["--query", "x"], "query 'x'"),
        (["--status", "x"], "status 'x'"),
        (["--columns", "x"], "columns"),
    ],
)
def test_impossible_options_are_usage_errors(
    augury: Run, tmp_path: Path, options: list[str], word: str
) -> None:
    """Exit code 2, the value in the message, nothing written."""
    (tmp_path / "a.log").write_bytes(combined(3, 3))
    done = augury("record", tmp_path / "a.log", tmp_path / "a.csv", *options)
    assert 2 == done.returncode
    assert word in done.stderr
    assert ["a.log"] == [path.name for path in tmp_path.iterdir()]


def test_options_of_logs_are_refused_for_a_server(augury: Run, tmp_path: Path) -> None:
    """They would do nothing."""
    for option in (["--format", "json"], ["--query", "drop"], ["--status", "all"]):
        done = augury("record", "redis://127.0.0.1:9", tmp_path / "a.csv", *option)
        assert 2 == done.returncode
        assert "is about logs" in done.stderr


def test_the_trace_is_not_its_own_source(augury: Run, tmp_path: Path) -> None:
    """A target that is the log itself is refused, and the log left as it is."""
    log = tmp_path / "log.csv"
    log.write_bytes(combined(3, 3))
    done = augury("record", log, log)
    assert 2 == done.returncode
    assert combined(3, 3) == log.read_bytes()


def test_without_the_extra_the_error_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The pip command is in the message."""
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(package.ConfigError, match=r"augury\[record\]"):
        package.record("redis://127.0.0.1:9", tmp_path / "a.csv")
