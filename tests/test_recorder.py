"""The recorder: sizes, order, samples, hidden keys, and files that read back."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import augury
from augury.recording import (
    Anonymiser,
    KeyedRequest,
    LeftOut,
    Recorder,
    Recording,
    record_from,
)
from augury.recording.objects import DistinctCount
from augury.recording.recorder import hash_of
from augury.recording.sizes import SizeTable

SECRET = b"a secret of more than sixteen bytes"


class Listed:
    """A source of what it is given; an exception is raised in its turn."""

    name = "listed"
    is_live = True
    ended = "end of input"
    complete = True

    def __init__(self, *found: KeyedRequest | LeftOut | BaseException | None) -> None:
        self.notes: list[str] = []
        self.found = found

    def __iter__(self) -> Iterator[KeyedRequest | LeftOut | None]:
        """One after the other."""
        for one in self.found:
            if isinstance(one, BaseException):
                raise one
            yield one


def asked(op: str, key: bytes = b"k", size: int | None = None, **rest: object) -> KeyedRequest:
    """A request at second 5."""
    return KeyedRequest(5.0, key, size, op)._replace(**rest)


def recorded(path: Path, *found: KeyedRequest | LeftOut, **options: object) -> Recording:
    """What came of recording these."""
    with Recorder(path, **options) as recorder:  # type: ignore[arg-type]
        return record_from(Listed(*found), recorder)


def sizes(path: Path) -> list[int]:
    """The sizes in a trace."""
    return [request.size for request in augury.traces.open(path)]


def test_sizes_are_those_seen_or_known_or_one(tmp_path: Path) -> None:
    """Reads have the last size known; parts raise it, appends add; a delete forgets it."""
    path = tmp_path / "a.csv"
    found = recorded(
        path,
        asked("get"), asked("set", size=10), asked("get"), asked("append", part=5), asked("get"),
        asked("set", part=7), asked("set", part=40), asked("add", size=3), asked("get"),
        asked("set", b"new", origin=b"k"), asked("delete"), asked("get"), asked("set", size=0),
        asked("set", size=2**40), asked("append", part=1),
    )  # fmt: skip
    limit = 2**32 - 1
    expected = [1, 10, 10, 15, 15, 15, 40, 3, 40, 40, 40, 1, 1, limit, limit]
    assert expected == sizes(path)
    assert (3, 2, 4) == (found.sizes_remembered, found.sizes_unknown, found.sizes_partial)


def test_the_size_table_forgets_what_was_asked_for_longest_ago() -> None:
    """A question counts as asking; there are never more than the limit."""
    table = SizeTable(limit=3)
    for key in (1, 2, 3):
        table.learn(key, key)
    table.of(1)
    table.learn(4, 4)
    assert [1, None, 3, 4] == [table.of(key) for key in (1, 2, 3, 4)]
    assert 3 == len(table)


def test_times_never_decrease_and_it_is_said(tmp_path: Path) -> None:
    """Earlier ones are raised; the trace reads back."""
    requests = [asked("get", time=time) for time in (10.9, 300.0, 250.5, 301.0)]
    found = recorded(tmp_path / "a.csv", *requests)
    times = [request.time for request in augury.traces.open(tmp_path / "a.csv")]
    assert [10, 300, 300, 301] == times
    assert "1 requests were stamped up to 50 s before" in found.summary()
    assert (10, 301) == (found.first_time, found.last_time)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.binary(max_size=12), min_size=1, max_size=30, unique=True))
def test_keys_of_any_bytes_stay_apart_in_every_format(
    tmp_path_factory: pytest.TempPathFactory, keys: list[bytes]
) -> None:
    """As many objects are read as keys were recorded; both formats agree about them."""
    folder = tmp_path_factory.mktemp("keys")
    objects = {}
    for name in ("a.csv.zst", "b.oracleGeneral.gz"):
        found = recorded(folder / name, *(asked("get", key) for key in keys))
        assert (len(keys), True) == (found.objects, found.objects_exact)
        objects[name] = [request.key for request in augury.traces.open(folder / name)]
    assert len(set(objects["a.csv.zst"])) == len(keys)
    assert objects["a.csv.zst"] == objects["b.oracleGeneral.gz"]


def test_plain_keys_stay_as_they_are(tmp_path: Path) -> None:
    """In CSV, where their namespaces can be seen."""
    recorded(tmp_path / "a.csv", asked("set", b"user:42", 7, ttl=60), asked("delete", b"a,b"))
    lines = (tmp_path / "a.csv").read_text().splitlines()
    # Session and namespace stand in the last two columns.
    told = [line.rsplit(",", 2)[0] for line in lines]
    assert ["time,key,size,op,ttl", "5,user:42,7,set,60", '5,"a,b",1,delete,0'] == told


def test_oracle_general_has_reads_only_and_knows_the_future(tmp_path: Path) -> None:
    """Writes are left out, their sizes kept; Belady can be replayed; nothing else is left."""
    path = tmp_path / "a.oracleGeneral"
    requests = [asked("set", size=9), asked("get"), asked("get", b"other"), asked("get")]
    found = recorded(path, *requests)
    assert [9, 1, 9] == sizes(path)
    assert ["writes and deletes: oracleGeneral has no operations, CSV has"] == [
        one.reason for one in found.left_out
    ]
    (cell,) = augury.replay(path, policies="belady", capacity=100)
    assert 2 == cell.misses
    assert [path] == list(tmp_path.iterdir())


def test_a_sample_keeps_keys_whole(tmp_path: Path) -> None:
    """Each key has all of its requests or none, the same ones every time, and near the share."""
    keys = [b"key:%d" % number for number in range(2000)]
    requests = [asked("get", key) for key in keys * 3]
    recorded(tmp_path / "a.csv", *requests, sample=0.25)
    kept = [line.split(",")[1] for line in (tmp_path / "a.csv").read_text().splitlines()[1:]]
    assert {3} == {kept.count(key) for key in set(kept)}
    assert 400 < len(set(kept)) < 600
    found = recorded(tmp_path / "b.csv", *requests, sample=0.25, anonymiser=Anonymiser(SECRET))
    assert len(set(kept)) == found.objects


def test_hidden_keys_keep_namespace_and_identity(tmp_path: Path) -> None:
    """One name per key, none of it readable; the namespace as it is, or hashed by itself."""
    keys = [b"user:ann", b"user:bob", b"user:ann", b"img/cat", b"alone", b":odd"]
    names = [Anonymiser(SECRET)(key) for key in keys]
    assert names[0] == names[2]
    assert 5 == len(set(names))
    assert [b"user", b"user", b"user", b"img"] == [
        name[: min(place for place in map(name.find, b":/") if place > 0)] for name in names[:4]
    ]
    hide = Anonymiser(SECRET, namespaces="hash")
    first, second, third = (hide(key) for key in (b"user:ann", b"user:bob", b"img:ann"))
    assert first.partition(b":")[0] == second.partition(b":")[0] != third.partition(b":")[0]
    for name in (*names, first, second, third):
        assert not any(word in name for word in (b"ann", b"bob", b"cat", b"alone", b"odd"))
    assert not hide.kept


def test_other_secrets_give_other_names_and_no_secret_is_shown() -> None:
    """A random one each time where none is given."""
    names = [Anonymiser(secret)(b"user:ann") for secret in (SECRET, SECRET * 9, None, None)]
    assert 4 == len(set(names))
    assert SECRET.decode() not in repr(Anonymiser(SECRET))
    with pytest.raises(augury.ConfigError, match="5 bytes") as refused:
        Anonymiser(b"short")
    assert "short" not in str(refused.value)


def test_namespaces_without_end_are_names_and_hidden() -> None:
    """The first 1,024 stay; whatever comes then is hashed."""
    hide = Anonymiser(SECRET)
    shown = [hide(b"ns%d:x" % number).partition(b":")[0] for number in range(1100)]
    assert 1024 == sum(name.startswith(b"ns") for name in shown)
    assert 1100 == len(set(shown))
    assert 1024 == len(hide.kept)


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), None])
def test_an_interrupt_keeps_what_there_is(tmp_path: Path, stop: BaseException | None) -> None:
    """As does the end of the source; the file is whole either way."""
    source = Listed(*([asked("get")] * 3), *([stop] if stop else []))
    found = record_from(source, Recorder(tmp_path / "a.csv"))
    assert ("interrupted" if stop else "end of input", True) == (found.ended, found.complete)
    assert 3 == len(sizes(tmp_path / "a.csv"))


def test_limits_end_a_recording(tmp_path: Path) -> None:
    """So many requests; so many seconds by a clock that is given."""
    endless = Listed(*([asked("get")] * 5000))
    found = record_from(endless, Recorder(tmp_path / "a.csv"), requests=4500)
    assert (4500, True) == (found.requests, found.complete)
    ticks = itertools.count().__next__
    silent = Listed(asked("get"), *([None] * 50))
    found = record_from(
        silent, Recorder(tmp_path / "b.csv"), duration=10, clock=lambda: float(ticks())
    )
    assert (1, "after the time asked for") == (found.requests, found.ended)


def test_strict_stops_at_damage_and_leaves_nothing(tmp_path: Path) -> None:
    """The error has the place; without strict it is counted with its first place."""
    bad = [LeftOut("malformed lines", f"line {line}", malformed=True) for line in (3, 9)]
    with (
        pytest.raises(augury.TraceError, match="listed: line 3: malformed lines"),
        Recorder(tmp_path / "a.csv") as recorder,
    ):
        record_from(Listed(asked("get"), *bad), recorder, strict=True)
    assert [] == list(tmp_path.iterdir())
    found = recorded(tmp_path / "a.csv", asked("get"), *bad)
    assert "left out: 2 malformed lines (the first is line 3)" in found.summary()


def test_nothing_to_record_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    """It says what was left out."""
    for name in ("a.csv", "a.oracleGeneral"):
        with pytest.raises(augury.TraceError, match="left out: 1 unknown commands"):
            recorded(tmp_path / name, LeftOut("unknown commands", "FOO"))
    assert [] == list(tmp_path.iterdir())


def test_reasons_and_examples_are_bounded(tmp_path: Path) -> None:
    """However many kinds a hostile source makes up."""
    made_up = [LeftOut(f"reason {number}", f"name {number}") for number in range(500)]
    names = [LeftOut("unknown commands", f"name {number}") for number in range(500)]
    found = recorded(tmp_path / "a.csv", asked("get"), *names, *made_up)
    assert 65 == len(found.left_out)
    assert 1000 == sum(one.count for one in found.left_out)


def test_long_keys_are_left_out(tmp_path: Path) -> None:
    """Where no line of a trace would hold them."""
    found = recorded(tmp_path / "a.csv", asked("get"), asked("get", b"x" * 65_537))
    assert ["keys longer than 65,536 bytes"] == [one.reason for one in found.left_out]


@pytest.mark.parametrize("options", [{"sample": 0}, {"sample": 1.5}, {"size_limit": 0}])
def test_impossible_options_are_refused(tmp_path: Path, options: dict[str, float]) -> None:
    """Before the target is touched."""
    with pytest.raises(augury.ConfigError):
        Recorder(tmp_path / "a.csv", **options)  # type: ignore[arg-type]
    assert [] == list(tmp_path.iterdir())


def test_targets_that_cannot_be_are_refused(tmp_path: Path) -> None:
    """An ending that names no format; a folder that is not there."""
    with pytest.raises(augury.ConfigError, match="no ending"):
        Recorder(tmp_path / "a.txt")
    for name in ("none/a.csv", "none/a.oracleGeneral"):
        with pytest.raises(augury.TraceError, match="cannot write"):
            Recorder(tmp_path / name)


def test_objects_are_counted_exactly_and_then_nearly() -> None:
    """Five standard errors for the estimate; duplicates do not count."""
    few, many = DistinctCount(k=1000), DistinctCount(k=1000)
    for number in range(1000):
        few.add(hash_of(b"%d" % (number % 900)))
    for number in range(50_000):
        many.add(hash_of(b"%d" % (number % 20_000)))
    assert (900, True) == (int(few), few.is_exact)
    assert not many.is_exact
    assert abs(int(many) - 20_000) < 5 * 20_000 / 1000**0.5
