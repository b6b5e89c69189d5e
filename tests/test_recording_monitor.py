"""MONITOR's lines and what their commands ask for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augury.recording import KeyedRequest, LeftOut
from augury.recording.commands import requests_of
from augury.recording.monitor_line import MonitoredCommand, read_line

NOW = 1_700_000_000.25
LETTERS = {9: rb"\t", 10: rb"\n", 13: rb"\r", 7: rb"\a", 8: rb"\b", 34: rb"\"", 92: rb"\\"}
#: Client addresses as servers write them.
CLIENTS = (b"127.0.0.1:50000", b"[::1]:50000", b"lua", b"unix:/run/a b.sock", b"?:0")
Asked = tuple[str, str, int | None, int]


def quoted(argument: bytes) -> bytes:
    """What `sdscatrepr` makes of an argument; the model of what is parsed."""
    shown = (
        LETTERS.get(byte) or (bytes([byte]) if 32 <= byte < 127 else b"\\x%02x" % byte)
        for byte in argument
    )
    return b'"' + b"".join(shown) + b'"'


def line_of(*arguments: bytes, client: bytes = CLIENTS[0], database: int = 0) -> bytes:
    """A line of MONITOR."""
    return b"1700000000.250000 [%d %b] %b" % (database, client, b" ".join(map(quoted, arguments)))


def asked(*arguments: str | bytes) -> list[Asked | str]:
    """Operation, key, size and TTL of a command's requests, or why it is left out."""
    given = tuple(one.encode() if isinstance(one, str) else one for one in arguments)
    found = requests_of(MonitoredCommand(NOW, 0, b"", given))
    return [
        one.reason if isinstance(one, LeftOut) else (one.op, one.key.decode(), one.size, one.ttl)
        for one in found
    ]


@given(
    st.lists(st.binary(max_size=30), min_size=1, max_size=5),
    st.sampled_from(CLIENTS),
    st.integers(0, 15),
)
def test_every_argument_is_read_back_exactly(
    arguments: list[bytes], client: bytes, database: int
) -> None:
    """Any bytes, any kind of client, any database."""
    line = line_of(*arguments, client=client, database=database)
    assert MonitoredCommand(NOW, database, client, tuple(arguments)) == read_line(line)


@given(st.binary(max_size=80))
def test_no_line_crashes(noise: bytes) -> None:
    """Noise alone, behind a head, and within an argument is a command or none."""
    for line in (noise, b"1700000000.25 [0 lua]" + noise, line_of(b"GET", noise)[:-1]):
        found = read_line(line)
        assert found is None or list(requests_of(found))


@pytest.mark.parametrize(
    "line",
    [
        b"OK",
        b"1700000000.25 [0 lua]",
        b"1700000000.25 [0 lua] ",
        b'1700000000.25 [0 lua] "GET" "unfinished',
        b'1700000000.25 [0 lua] "GET" "a" b',
        b'1700000000.25 [0 lua] "GET" "a"b"',
        b'1700000000.25 [0 lua] "GET""a"',
        b'1700000000.25 [0 lua "GET"',
    ],
)
def test_what_is_no_line_is_none(line: bytes) -> None:
    """Cut, unquoted and empty ones."""
    assert read_line(line) is None


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("GET k", [("get", "k", None, 0)]),
        ("hgetall k", [("get", "k", None, 0)]),
        ("MGET a b", [("get", "a", None, 0), ("get", "b", None, 0)]),
        ("SET k value", [("set", "k", 5, 0)]),
        ("SET k value EX 60", [("set", "k", 5, 60)]),
        ("SET k value px 1500 NX", [("add", "k", 5, 2)]),
        ("SET k value PX 1", [("set", "k", 5, 1)]),
        ("SET k value EXAT 1700000060 XX", [("replace", "k", 5, 60)]),
        ("SET k value PXAT 1700000060250", [("set", "k", 5, 60)]),
        ("SET k value EXAT 1600000000", [("delete", "k", None, 0)]),
        ("SET k value KEEPTTL", [("set", "k", 5, 0)]),
        ("SET k value GET", [("get", "k", None, 0), ("set", "k", 5, 0)]),
        ("SET k value IFEQ old", [("cas", "k", 5, 0)]),
        ("SETNX k v", [("add", "k", 1, 0)]),
        ("SETEX k 30 value", [("set", "k", 5, 30)]),
        ("PSETEX k 30000 value", [("set", "k", 5, 30)]),
        ("MSET a 1 b 22", [("set", "a", 1, 0), ("set", "b", 2, 0)]),
        ("MSETNX a 1", [("add", "a", 1, 0)]),
        ("GETSET k v", [("get", "k", None, 0), ("set", "k", 1, 0)]),
        ("GETEX k EX 60", [("get", "k", None, 0), ("replace", "k", None, 60)]),
        ("GETEX k PERSIST", [("get", "k", None, 0), ("replace", "k", None, 0)]),
        ("GETEX k", [("get", "k", None, 0)]),
        ("GETDEL k", [("get", "k", None, 0), ("delete", "k", None, 0)]),
        ("APPEND k abc", [("append", "k", None, 0)]),
        ("INCRBY k 5", [("incr", "k", None, 0)]),
        ("DECR k", [("decr", "k", None, 0)]),
        ("EXPIRE k 60 NX", [("replace", "k", None, 60)]),
        ("PEXPIRE k 60000", [("replace", "k", None, 60)]),
        ("EXPIREAT k 1700000060", [("replace", "k", None, 60)]),
        ("PEXPIREAT k 1700000060250", [("replace", "k", None, 60)]),
        ("EXPIRE k -1", [("delete", "k", None, 0)]),
        ("PERSIST k", [("replace", "k", None, 0)]),
        ("DEL a b", [("delete", "a", None, 0), ("delete", "b", None, 0)]),
        ("UNLINK a", [("delete", "a", None, 0)]),
        ("HSET k field value", [("set", "k", None, 0)]),
        ("SUNIONSTORE k a b", [("set", "k", None, 0)]),
        ("RENAME a b", [("set", "b", None, 0), ("delete", "a", None, 0)]),
        ("COPY a b", [("get", "a", None, 0), ("set", "b", None, 0)]),
        ("LCS a b LEN", [("get", "a", None, 0), ("get", "b", None, 0)]),
        ("TTL k", ["commands about keys that read no value"]),
        ("PING", ["commands about the connection or the server"]),
        ("EVAL return 0", ["scripts (the commands that they run are recorded)"]),
        ("FLUSHALL", ["commands that empty or exchange whole databases"]),
        ("FROBNICATE k", ["unknown commands"]),
    ],
)
def test_commands_ask_for_what_they_say(command: str, expected: list[Asked | str]) -> None:
    """Operation, key, size and TTL, in the order of the arguments."""
    assert expected == asked(*command.split())


@pytest.mark.parametrize(
    "arguments",
    [
        ("GET",),
        ("MGET",),
        ("SET", "k"),
        ("SET", "k", "v", "EX"),
        ("SET", "k", "v", "EX", "soon"),
        ("MSET", "a", "1", "b"),
        ("SET", "(redacted)", "(redacted)"),
    ],
)
def test_what_cannot_be_read_is_left_out_whole(arguments: tuple[str, ...]) -> None:
    """A command too short, wrong or redacted is counted once, and nothing of it recorded."""
    assert ["commands whose arguments are redacted or cannot be read"] == asked(*arguments)


def test_names_of_hostile_commands_are_cut() -> None:
    """An unknown name is shown as ASCII and at most 40 bytes of it."""
    (found,) = requests_of(MonitoredCommand(NOW, 0, b"", (b"\xff" + b"x" * 1000,)))
    assert LeftOut("unknown commands", "\\xff" + "X" * 39) == found


def test_parts_and_origins_are_handed_on() -> None:
    """What a write adds, and whose object a renamed key takes over."""

    def one(*arguments: bytes) -> KeyedRequest:
        found = next(requests_of(MonitoredCommand(NOW, 0, b"", arguments)))
        assert isinstance(found, KeyedRequest)
        return found

    assert 8 == one(b"HSET", b"k", b"one", b"value").part
    assert 3 == one(b"APPEND", b"k", b"abc").part
    assert b"a" == one(b"RENAME", b"a", b"b").origin
