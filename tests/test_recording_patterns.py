"""Access logs in a format of one's own, Caddy's, and what real servers write."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import augury
from augury.errors import ConfigError
from augury.recording import AccessLog, KeyedRequest, LeftOut
from augury.recording.log_line import LoggedAnswer, NotALineError
from augury.recording.log_pattern import PatternLine, is_pattern

SECONDS = 1_696_938_936
LOCAL = "10/Oct/2023:13:55:36 +0200"
#: As servers have them, but for what a shell would make of quotation marks.
COMBINED = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
    '"$http_referer" "$http_user_agent"'
)
APACHE = '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"'
LINE = f'10.0.0.1 - me [{LOCAL}] "GET /a/b?x=1 HTTP/1.1" 200 12 "-" "A \\"B\\""'


def read(path: Path, *lines: str, **options: object) -> list[KeyedRequest | LeftOut]:
    """What a log with these lines yields."""
    log = path / "access.log"
    log.write_text("\n".join(lines))
    return [one for one in AccessLog(log, **options) if one is not None]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pattern", "line", "expected"),
    [
        (COMBINED, LINE, ("GET", b"/a/b?x=1", 200, 12)),
        (APACHE, LINE, ("GET", b"/a/b?x=1", 200, 12)),
        (APACHE, LINE + " and more", ("GET", b"/a/b?x=1", 200, 12)),
        (f"log_format own '{COMBINED[:40]}'\n  '{COMBINED[40:]}';", LINE,
         ("GET", b"/a/b?x=1", 200, 12)),
        ('LogFormat "' + APACHE.replace('"', '\\"') + '" own', LINE, ("GET", b"/a/b?x=1", 200, 12)),
        ("$time_local $request_method $request_uri $status", f"{LOCAL} GET /a 404",
         ("GET", b"/a", 404, None)),
        ("$msec|$uri|$args|$bytes_sent", "1696938936.000|/a|x=1|7", ("GET", b"/a?x=1", None, 7)),
        ("$time_iso8601\t${request_uri}\t$status", "2023-10-10T13:55:36+02:00\t/a b\t200",
         ("GET", b"/a b", 200, None)),
        ("%t %m %U%q %s %B", f"[{LOCAL}] POST /a?x=1 200 0", ("POST", b"/a?x=1", 200, 0)),
        ("%{sec}t %v%U %s 100%%", "1696938936 a.org/x 200 100%", None),
        ("%{usec}t %U %q %s", "1696938936000000 /x ?y 200", ("GET", b"/x?y", 200, None)),
        ("%t %U %b", f"[{LOCAL}] /x -", ("GET", b"/x", None, None)),
        ('%t "%r" %s', f'[{LOCAL}] "GET /q\\"u\\x20t HTTP/1.1" 200', ("GET", b'/q"u t', 200, None)),
        ('%t "%r" %s', f'[{LOCAL}] "-" 408', (None, b"", 408, None)),
    ],
)  # fmt: skip
def test_formats_of_nginx_and_apache(
    pattern: str, line: str, expected: tuple[str | None, bytes, int | None, int | None] | None
) -> None:
    """Are read as the server wrote them; two fields with nothing between have no end."""
    if expected is None:
        with pytest.raises(ConfigError, match="nothing stands between"):
            PatternLine(pattern, {})
        return
    assert is_pattern(pattern)
    found = PatternLine(pattern, {})(line)
    assert expected == (found.method, found.target, found.status, found.bytes_sent)
    assert SECONDS == int(found.time)


def test_a_field_may_have_another_role() -> None:
    """The host in front of the path, a size by another variable."""
    pattern = "$msec $host $request_uri $upstream_bytes"
    columns = {"host": "$host", "size": "upstream_bytes"}
    found = PatternLine(pattern, columns)("1696938936.5 a.org /x 77")
    assert LoggedAnswer(SECONDS + 0.5, "GET", b"/x", b"a.org", None, 77) == found


@pytest.mark.parametrize(
    ("pattern", "columns", "word"),
    [
        ("$request_uri $status", {}, "no time"),
        ("%U %s", {}, "no time"),
        ("$time_local $status", {}, "no path"),
        ("$msec $uri", {"size": "bytes"}, "is not in the format"),
        ("$msec$uri", {}, "nothing stands between"),
    ],
)
def test_formats_that_tell_too_little(pattern: str, columns: dict[str, str], word: str) -> None:
    """Are refused before any line is read, with what to log."""
    with pytest.raises(ConfigError, match=word):
        PatternLine(pattern, columns)


@given(st.text(max_size=200))
def test_no_line_does_harm(text: str) -> None:
    """It is an answer or no line."""
    for pattern in (COMBINED, "%t %U%q %s %b", "$msec|$uri|$args"):
        with contextlib.suppress(NotALineError):
            PatternLine(pattern, {})(text)


@given(st.text(alphabet="$%{}a\"' tUq>!0;\\", max_size=40))
def test_no_format_does_harm(pattern: str) -> None:
    """It is one, or is refused."""
    with contextlib.suppress(ConfigError, NotALineError):
        PatternLine(pattern, {})("x")


@pytest.mark.parametrize(
    "line", ['"' * 200_000, "\\" * 200_000, "[" + "/" * 200_000, " " * 200_000]
)
def test_hostile_lines_take_time_in_proportion(line: str) -> None:
    """However long they are."""
    started = time.process_time()
    with contextlib.suppress(NotALineError):
        PatternLine(COMBINED, {})(f'a - b [{LOCAL}] "{line}')
    assert time.process_time() - started < 5


def caddy(uri: str = "/a?x=1", **changes: object) -> str:
    """A line of Caddy."""
    request = {"remote_ip": "10.0.0.1", "proto": "HTTP/2.0", "method": "GET", "host": "a.org",
               "uri": uri, "headers": {"User-Agent": ["curl"]}}  # fmt: skip
    line = {"level": "info", "ts": SECONDS + 0.25, "logger": "http.log.access", "msg": "handled",
            "request": request, "size": 120, "status": 200, **changes}  # fmt: skip
    return json.dumps(line)


def test_caddy(tmp_path: Path) -> None:
    """Path and method stand within the request; the server's other messages are no answers."""
    other = json.dumps({"level": "info", "ts": 1.5, "logger": "admin", "msg": "started"})
    for options in ({}, {"log_format": "caddy"}, {"log_format": "json"}):
        found = read(tmp_path, caddy(), other, caddy("/b", request={"uri": 5}), **options)
        assert KeyedRequest(SECONDS + 0.25, b"a?x=1", 120, "get") == found[0]
        assert LeftOut("messages of the server") == found[1]
    (found,) = read(tmp_path, caddy(), columns="host=request.host,key=request.uri")
    assert isinstance(found, KeyedRequest)
    assert b"a.org/a?x=1" == found.key


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def asked(port: int, log: Path, paths: list[str], process: "subprocess.Popen[bytes]") -> None:
    """Ask a server for paths, and wait until its log has them all."""
    until = time.monotonic() + 60
    while True:
        assert process.poll() is None, "the server ended"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            break
        assert time.monotonic() < until
    for path in paths:
        urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20).read()
    while not log.exists() or log.read_text().count("/the-end") < 1:
        assert time.monotonic() < until, "the log is not written"


@contextlib.contextmanager
def started(command: list[str], home: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A server of another, at home in a folder, ended afterwards."""
    own = {
        **os.environ,
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "XDG_DATA_HOME": str(home),
    }
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, env=own, **silent) as process:
        try:
            yield process
        finally:
            process.terminate()


PATHS = ["/a?x=1", "/b%20c", "/a?x=1", "/the-end"]


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")
def test_a_real_nginx(tmp_path: Path) -> None:
    """Its own log_format, handed over as it stands in the configuration."""
    own = "log_format own '$msec \"$request\" <$http_user_agent> ' '$status $body_bytes_sent';"
    port, log = free_port(), tmp_path / "own.log"
    (tmp_path / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {tmp_path}/pid; error_log {tmp_path}/error.log;\n"
        f"events {{}}\nhttp {{ {own} access_log {log} own; server {{ listen 127.0.0.1:{port};\n"
        "location / { return 200 'twelve bytes'; } } }\n"
    )
    with started(
        ["nginx", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")], tmp_path
    ) as process:
        asked(port, log, PATHS, process)
    found = augury.record(log, tmp_path / "out.csv", log_format=own)
    rows = [row.split(",") for row in (tmp_path / "out.csv").read_text().splitlines()[1:]]
    assert (4, 3, ()) == (found.requests, found.objects, found.left_out)
    assert [["a?x=1", "12"], ["b%20c", "12"], ["a?x=1", "12"], ["the-end", "12"]] == [
        row[1:3] for row in rows
    ]


@pytest.mark.skipif(shutil.which("caddy") is None, reason="caddy is not installed")
def test_a_real_caddy(tmp_path: Path) -> None:
    """Its JSON, told by the lines themselves."""
    port, log = free_port(), tmp_path / "access.log"
    (tmp_path / "Caddyfile").write_text(
        f"{{\n admin off\n auto_https off\n}}\nhttp://127.0.0.1:{port} {{\n"
        f' log {{\n  output file {log}\n }}\n respond "twelve bytes"\n}}\n'
    )
    command = ["caddy", "run", "--config", str(tmp_path / "Caddyfile")]
    with started(command, tmp_path) as process:
        asked(port, log, PATHS, process)
    found = augury.record(log, tmp_path / "out.csv")
    rows = [row.split(",") for row in (tmp_path / "out.csv").read_text().splitlines()[1:]]
    assert (4, 3) == (found.requests, found.objects)
    assert not any("malformed" in one.reason for one in found.left_out)
    assert [["a?x=1", "12"], ["b%20c", "12"]] == [row[1:3] for row in rows[:2]]
