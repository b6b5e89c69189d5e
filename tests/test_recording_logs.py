"""Access logs: what counts, what is left out, and that no line does harm."""

import gzip
import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import augury
from augury.recording import AccessLog, KeyedRequest, LeftOut
from augury.recording.log_line import NotALineError, TextLine, reader_of
from augury.recording.log_time import of_common_log, of_field

TIME = "10/Oct/2023:13:55:36 +0200"
SECONDS = 1_696_938_936
AGENT = ' "https://example.org/" "Mozilla/5.0 (\\"x\\")"'


def line(
    request: str = "GET /a/b.png?x=1 HTTP/1.1",
    status: int = 200,
    size: object = 2326,
    rest: str = AGENT,
    time: str = TIME,
) -> str:
    """A line of a log."""
    return f'203.0.113.7 - frank [{time}] "{request}" {status} {size}{rest}'


def read(path: Path, *lines: str, **options: object) -> list[KeyedRequest | LeftOut]:
    """What a log with these lines yields."""
    log = path / "access.log"
    log.write_bytes("\n".join(lines).encode("utf-8", "surrogateescape"))
    return [one for one in AccessLog(log, **options) if one is not None]  # type: ignore[arg-type]


def get(key: bytes, size: int | None = 2326, **rest: object) -> KeyedRequest:
    """A read at the usual time."""
    return KeyedRequest(SECONDS, key, size, "get")._replace(**rest)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (line(), get(b"a/b.png?x=1")),
        (line(rest=""), get(b"a/b.png?x=1")),
        (line(rest=AGENT + ' 0.003 "-"'), get(b"a/b.png?x=1")),
        ("www.example.org:443 " + line(), get(b"a/b.png?x=1")),
        (line("GET / HTTP/1.1"), get(b"/")),
        (line("GET //x HTTP/1.1"), get(b"//x")),
        (line("GET /a b HTTP/1.1"), get(b"a b")),
        (line("GET /old"), get(b"old")),
        (line("GET http://example.org/x HTTP/1.1"), get(b"http://example.org/x")),
        (line(r"GET /q\"u\\o\x20te HTTP/1.1"), get(b'q"u\\o te')),
        (line("GET /grün HTTP/1.1"), get("grün".encode())),
        (line("HEAD /a HTTP/1.1", size=0), get(b"a", None)),
        (line("GET /a HTTP/1.1", 304, "-"), get(b"a", None)),
        (line("GET /a HTTP/1.1", 206, 100), get(b"a", None, part=100)),
        (line("GET /a HTTP/1.1", 204, 0), get(b"a", 1)),
        (line("PUT /a HTTP/1.1", 201), get(b"a", None, op="delete")),
        (line("POST /a HTTP/1.1", 500), LeftOut("POST requests that failed")),
        (line(status=500), LeftOut("answers of a status that does not count", "500")),
        (line("-", 408), LeftOut("lines without a request that could be read")),
        (line(r"\x16\x03\x01\x02", 400), LeftOut("lines without a request that could be read")),
        (
            line("OPTIONS * HTTP/1.1"),
            LeftOut("requests of methods that neither read nor invalidate", "OPTIONS"),
        ),
    ],
)
def test_lines_of_servers(tmp_path: Path, text: str, expected: KeyedRequest | LeftOut) -> None:
    """As nginx and Apache write them; by what a cache in front would have been asked."""
    assert [expected] == read(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        "-",
        "GET / HTTP/1.1",
        line(time="10/Foo/2023:13:55:36 +0200"),
        line(time="99/Oct/2023:13:55:36 +0200"),
        line(time="10/Oct/2523:13:55:36 +0200"),
        line(time="10/Oct/1923:13:55:36 +0200"),
        line(size="many"),
        line()[:60],
        line("GET /a\\"),
        "\udcff\udcfe binary",
        "x\x00y",
        "{",
        "[1, 2]",
        '{"time": 5}',
        '{"time": [], "uri": "/a"}',
        '{"time": NaN, "uri": "/a"}',
        '{"time": 1e999, "uri": "/a"}',
        '{"time": 5, "uri": {"a": 1}}',
        '{"time": 5, "uri": "/a", "bytes": "many"}',
        '{"time": 5, "uri": "/a", "status": -1}',
        '{"time": ' + "[" * 100_000,
        "x" * (2**20 + 1),
    ],
    ids=range(22),
)
def test_malformed_lines_are_counted_by_place(tmp_path: Path, text: str) -> None:
    """A good line before and behind is read; the bad one has its number."""
    first, bad, last = read(tmp_path, line(), text, line())
    assert first == last == get(b"a/b.png?x=1")
    assert isinstance(bad, LeftOut)
    assert ("line 2", True) == (bad.example, bad.malformed)


@given(st.text(alphabet='[]" \\-:/aGET2{}+', max_size=120))
def test_no_text_crashes_a_reader(text: str) -> None:
    """Text is a line, or there is a word about it."""
    for log_format in (None, "common", "combined", "json"):
        with suppress(NotALineError):
            assert reader_of(log_format, {})(text).time is not None


def test_the_format_that_is_named_must_be_kept(tmp_path: Path) -> None:
    """Common ends with the size, combined has referer and agent, JSON is JSON."""
    both = (line(rest=""), line())
    kinds = {
        name: [type(one) for one in read(tmp_path, *both, log_format=name)]
        for name in ("common", "combined", "json")
    }
    assert {
        "common": [KeyedRequest, LeftOut],
        "combined": [LeftOut, KeyedRequest],
        "json": [LeftOut, LeftOut],
    } == kinds


def test_json_by_usual_and_by_given_names(tmp_path: Path) -> None:
    """Numbers may be text; a request line serves where there is no path."""
    usual = json.dumps(
        {
            "time_iso8601": "2023-10-10T13:55:36+02:00", "request_method": "GET",
            "request_uri": "/a?b", "status": "200", "body_bytes_sent": "7",
        }
    )  # fmt: skip
    by_request = json.dumps({"msec": SECONDS, "request": "GET /a?b HTTP/1.1", "bytes": 7})
    own = json.dumps({"ts": f"[{TIME}]", "u": "/a?b", "n": 7, "h": "example.org"})
    assert [get(b"a?b", 7)] * 2 == read(tmp_path, usual, by_request)
    columns = {"key": "u", "size": "n", "time": "ts", "host": "h"}
    assert [get(b"example.org/a?b", 7)] == read(tmp_path, own, columns=columns)
    assert [get(b"a", 7)] == read(tmp_path, usual, query="drop")


def test_statuses_can_be_chosen(tmp_path: Path) -> None:
    """A list, or all."""
    lines = [line(status=status) for status in (200, 302, 503)]
    for statuses, expected in (("302,503", 2), ([200], 1), ("all", 3)):
        found = read(tmp_path, *lines, statuses=statuses)
        assert expected == sum(isinstance(one, KeyedRequest) for one in found)


@pytest.mark.parametrize(
    "options",
    [
        {"log_format": "xml"},
        {"query": "maybe"},
        {"statuses": "ok"},
        {"columns": "path=uri"},
        {"columns": "key="},
        {"columns": "key=uri", "log_format": "common"},
    ],
)
def test_impossible_options_are_refused(options: dict[str, str]) -> None:
    """Before anything is read."""
    with pytest.raises(augury.ConfigError):
        AccessLog("none.log", **options)  # type: ignore[arg-type]


def test_a_missing_log_is_an_error(tmp_path: Path) -> None:
    """It is named."""
    with pytest.raises(augury.TraceError, match=r"none\.log"):
        list(AccessLog(tmp_path / "none.log"))


def test_a_damaged_archive_ends_the_log_and_keeps_what_came_before(tmp_path: Path) -> None:
    """The lines before the damage are there; the recording is not complete, and says why."""
    whole = gzip.compress("\n".join(f"{line()}{number}" for number in range(50_000)).encode())
    (tmp_path / "cut.log.gz").write_bytes(whole[: len(whole) // 2])
    log = AccessLog(tmp_path / "cut.log.gz")
    found = augury.recording.record_from(log, augury.recording.Recorder(tmp_path / "cut.csv"))
    assert (False, True) == (found.complete, found.requests > 1000)
    assert "gzip stream is damaged" in found.ended


def test_times_of_logs() -> None:
    """Zones count either way; a leap second is the one before; ISO without a zone is UTC."""
    assert SECONDS == of_common_log(TIME) == of_common_log("10/Oct/2023:10:55:36 -0100")
    assert of_common_log("31/Dec/2016:23:59:60 +0000") == of_field("2016-12-31T23:59:59")
    assert SECONDS == of_field("2023-10-10T11:55:36Z") == of_field(SECONDS * 1000)


def test_the_same_second_is_read_once_and_the_next_anew() -> None:
    """What is remembered of the last time does not leak into another."""
    reader = TextLine()
    times = [TIME, TIME, TIME.replace(":36", ":37"), TIME]
    assert [0, 0, 1, 0] == [reader(line(time=time)).time - SECONDS for time in times]
