"""Saved caches: what comes back, what it is worth, and what no file can do."""

import copy
import json
import os
import pickle
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import augury
from augury import AuguryError, Cache, ConfigError, PersistenceError
from augury.learn import KINDS, Artifact, dataset_of, describe
from augury.learn.fitting import fit
from augury.persistence import PlainData
from augury.persistence.container import START

POLICIES = ("auto", "survival", "lru", "fifo", "lfu", "sieve", "s3fifo", "wtinylfu", "gdsf")


def drive(cache: "Cache[int, int]", keys: Iterable[int]) -> float:
    """Get, and set where it missed; the hit ratio."""
    hits = requests = 0
    for key in keys:
        requests += 1
        if cache.get(key) is None:
            cache[key] = -key
        else:
            hits += 1
    return hits / requests


def traffic(seed: int, requests: int, objects: int = 20_000) -> list[int]:
    """Skewed, and a fifth of it new objects that are asked for once."""
    draw = Random(seed)
    return [
        objects + seed * 10**6 + at if draw.random() < 0.2 else int(objects ** draw.random())
        for at in range(requests)
    ]


LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.binary(),
    st.complex_numbers(allow_nan=False), st.decimals(allow_nan=False), st.uuids(), st.dates(),
    st.datetimes(timezones=st.none() | st.just(UTC) | st.timezones()), st.times(),
    st.timedeltas(), st.integers(-(2**200), 2**200),
)  # fmt: skip
HASHABLE = st.recursive(
    LEAVES, lambda inner: st.tuples(inner, inner) | st.frozensets(inner), max_leaves=4
)
VALUES = st.recursive(
    HASHABLE,
    lambda inner: st.one_of(
        st.lists(inner), st.dictionaries(HASHABLE, inner), st.tuples(inner), st.sets(HASHABLE)
    ),
    max_leaves=12,
)


def typed(value: object) -> object:
    """A value with the types of its parts, for a comparison that tells 1 from True."""
    if isinstance(value, list | tuple):
        return type(value), [typed(part) for part in value]
    if isinstance(value, dict):
        return dict, [(typed(key), typed(part)) for key, part in value.items()]
    if isinstance(value, set | frozenset):
        return type(value), len(value), value
    return type(value), value


@given(VALUES)
def test_plain_data_comes_back_equal_and_of_its_type(value: object) -> None:
    """Nested as it may be."""
    plain = PlainData()
    assert typed(value) == typed(plain.loads(plain.dumps(value)))


def test_dates_keep_their_zones() -> None:
    """Fixed offsets and named ones, and which of two equal hours it was."""
    offset = timezone(timedelta(hours=-3, minutes=-30))
    moments = [
        datetime(2024, 10, 27, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1),
        datetime(2024, 1, 1, tzinfo=offset),
        time(1, 2, 3, 4, tzinfo=offset),
        datetime.max,
    ]
    plain = PlainData()
    back = plain.loads(plain.dumps(moments))
    assert moments == back
    assert [(m.fold, m.utcoffset()) for m in moments] == [(m.fold, m.utcoffset()) for m in back]


class Sub(int):
    """A number that is more than one."""


@pytest.mark.parametrize(
    "value",
    [object(), Sub(1), len, {"a": [Sub(1)]}, 1 << 2**21, (1, {2: Exception()})],
    ids=["object", "subclass", "function", "nested", "huge", "deep"],
)
def test_what_is_no_plain_data_is_refused_by_its_type_and_its_key(
    value: object, tmp_path: Path
) -> None:
    """The error names what to do, and the file of before is there still, alone."""
    path = tmp_path / "saved"
    cache: Cache[str, object] = Cache(10)
    cache["fine"] = 1
    cache.save(path)
    before = path.read_bytes()
    cache["culprit"] = value
    with pytest.raises(PersistenceError, match=r"'culprit'.*serializer="):
        cache.save(path)
    assert before == path.read_bytes()
    assert [path] == list(tmp_path.iterdir())


def test_a_list_in_itself_is_refused(tmp_path: Path) -> None:
    """It has no end."""
    cycle: list[object] = []
    cycle.append((cycle,))
    cache: Cache[str, object] = Cache(10)
    cache["cycle"] = cycle
    with pytest.raises(PersistenceError, match="cycle"):
        cache.save(tmp_path / "saved")


@pytest.mark.parametrize("policy", POLICIES)
def test_entries_come_back_under_every_policy(policy: str, tmp_path: Path) -> None:
    """Keys, values and sizes, and the cache still keeps within its capacity."""
    cache: Cache[int, int] = Cache(500, policy=policy, sizeof=lambda key, _: 1 + key % 3)
    drive(cache, traffic(1, 5_000))
    cache.save(tmp_path / "saved")
    again: Cache[int, int] = Cache.load(tmp_path / "saved", sizeof=lambda key, _: 1 + key % 3)
    assert dict(cache.items()) == dict(again.items())
    assert (cache.used, cache.capacity) == (again.used, again.capacity)
    drive(again, traffic(2, 5_000))
    assert again.used <= 500


@pytest.mark.parametrize("policy", ["auto", "survival", "lru"])
@pytest.mark.parametrize("objects", [20_000, 4_000])
def test_a_restored_cache_goes_on_as_the_one_that_was_saved(
    policy: str, objects: int, tmp_path: Path
) -> None:
    """Its hit ratio over the next requests is that of the one that went on, not a cold one's."""
    went_on: Cache[int, int] = Cache(1_000, policy=policy)
    drive(went_on, traffic(1, 60_000, objects))
    went_on.save(tmp_path / "saved")
    restored: Cache[int, int] = Cache.load(tmp_path / "saved")
    cold: Cache[int, int] = Cache(1_000, policy=policy)
    entries: Cache[int, int] = Cache(1_000, policy=policy)
    for key in went_on:
        entries[key] = -key
    caches = (went_on, restored, entries, cold)
    best, found, without_memory, least = (
        drive(cache, traffic(2, 6_000, objects)) for cache in caches
    )
    assert abs(best - found) < 0.01
    assert found > least + 0.02
    if policy != "lru":
        assert found > without_memory + 0.01


def test_a_restored_cache_knows_what_it_knew(tmp_path: Path) -> None:
    """Ages, counts and heats of its entries, by its own explanation."""
    cache: Cache[int, int] = Cache(300)
    drive(cache, traffic(1, 8_000, 2_000))
    cache.save(tmp_path / "saved")
    again: Cache[int, int] = Cache.load(tmp_path / "saved")
    for key in list(cache)[:50]:
        before, after = cache.explain(key), again.explain(key)
        assert before.standing is not None
        assert after.standing is not None
        assert before.standing.history == after.standing.history
        assert before.standing.density == after.standing.density
        assert before.ruling == after.ruling


def test_lru_keeps_its_order_and_those_who_would_stay(tmp_path: Path) -> None:
    """Where there is less room the oldest are left out, whatever the policy is then."""
    cache: Cache[int, int] = Cache(10, policy="lru")
    for key in range(10):
        cache[key] = key
    assert (cache[2], cache[0]) == (2, 0)
    cache.save(tmp_path / "saved")
    smaller: Cache[int, int] = Cache.load(tmp_path / "saved", capacity=4)
    assert {8, 9, 2, 0} == set(smaller)
    smaller[10] = 10
    assert {9, 2, 0, 10} == set(smaller)
    other: Cache[int, int] = Cache.load(tmp_path / "saved", capacity=2, policy="fifo")
    assert {2, 0} == set(other)


class Clock:
    """Seconds, as the test says."""

    now = 100.0

    def __call__(self) -> float:
        """Tell."""
        return self.now


def test_lives_tags_and_pins_come_back(tmp_path: Path) -> None:
    """What is left of TTL and TTI, less what has passed meanwhile; tags; pins."""
    clock = Clock()
    cache: Cache[str, object] = Cache(3, policy="lru", timer=clock)
    cache.set("ttl", 1, 100)
    cache.set("tti", 2, tti=10, tags=[("user", 1), "all"])
    cache["pinned"] = 3
    cache.pin("pinned")
    clock.now += 5
    path = tmp_path / "saved"
    assert cache.save(path) == 3

    later = Clock()
    later.now = 7_000.0

    def load(elapsed: float) -> "Cache[str, object]":
        return Cache.load(path, timer=later, elapsed=elapsed)

    assert {"ttl", "tti", "pinned"} == set(load(4.9))
    assert {"ttl", "pinned"} == set(load(5.1))
    assert {"pinned"} == set(load(95.1))
    again = load(0)
    later.now += 4.9
    assert again["tti"] == 2
    later.now += 9.9
    assert again["tti"] == 2
    again.invalidate_tag(("user", 1))
    assert "tti" not in again
    again["one"] = again["two"] = again["three"] = 0
    assert "pinned" in again
    later.now += 81
    assert "ttl" not in again


def test_time_passes_while_nothing_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the system's clock, where nobody says."""
    cache: Cache[str, int] = Cache(10, ttl=3_600)
    cache["a"] = 1
    cache.save(tmp_path / "saved")
    assert "a" in Cache.load(tmp_path / "saved")
    present = __import__("time").time
    monkeypatch.setattr("time.time", lambda: present() + 3_601)
    assert "a" not in Cache.load(tmp_path / "saved")


def test_sizes_come_back_in_their_unit(tmp_path: Path) -> None:
    """Entries, bytes by the default, and a function's, which has to be given again."""
    for capacity, options in ((10, {}), ("10 kB", {}), (10_000, {"sizeof": lambda k, v: 700})):
        cache: Cache[str, str] = Cache(capacity, **options)
        cache["a"], cache["b"] = "x" * 500, "y"
        cache.save(tmp_path / "saved")
        again: Cache[str, str] = Cache.load(tmp_path / "saved", **options)
        assert (cache.used, cache.capacity) == (again.used, again.capacity)
        counted: Cache[str, str] = Cache.load(tmp_path / "saved", capacity="5 kB")
        assert 500 < counted.used < 1_000
    with pytest.raises(ConfigError, match="sizeof="):
        Cache.load(tmp_path / "saved")


def test_the_trained_model_is_kept(tmp_path: Path) -> None:
    """Its bytes, and its place among the experts."""
    cache: Cache[int, int] = Cache(200, sample_rows=2_000)
    drive(cache, traffic(1, 20_000, 2_000))
    data = dataset_of(cache)
    horizon = data.horizon()
    found = fit(KINDS["tree"], data, horizon, parameters={}, seed=1)
    artifact = Artifact.of(describe(found.estimator), meaning="probability", horizon=horizon)
    cache.load_model(artifact)
    cache.save(tmp_path / "saved")
    again: Cache[int, int] = Cache.load(tmp_path / "saved")
    again.save(tmp_path / "again")
    assert artifact.hash.encode() in (tmp_path / "again").read_bytes()
    names = {expert.name for expert in again.explain(1).experts}
    assert {expert.name for expert in cache.explain(1).experts} == names
    Cache.load(tmp_path / "saved", model=None).save(tmp_path / "without")
    assert artifact.hash.encode() not in (tmp_path / "without").read_bytes()


class Json:
    """A serializer of the user's."""

    @staticmethod
    def dumps(value: object) -> bytes:
        """Text as bytes."""
        return json.dumps(value).encode()

    @staticmethod
    def loads(data: bytes) -> object:
        """The object."""
        return json.loads(data)


def test_a_serializer_is_the_users_choice(tmp_path: Path) -> None:
    """JSON, or pickle; what was saved with one is not read with another."""
    cache: Cache[str, object] = Cache(10)
    cache["a"] = {"b": [1, None]}
    cache.save(tmp_path / "json", Json())
    assert Cache.load(tmp_path / "json", Json())["a"] == {"b": [1, None]}
    with pytest.raises(ConfigError, match="'Json'"):
        Cache.load(tmp_path / "json")
    cache["c"] = Decimal
    cache.save(tmp_path / "pickle", pickle)
    assert Cache.load(tmp_path / "pickle", pickle)["c"] is Decimal
    with pytest.raises(ConfigError, match="dumps"):
        cache.save(tmp_path / "none", 7)  # type: ignore[arg-type]
    with pytest.raises(PersistenceError, match="returned str"):
        cache.save(tmp_path / "text", json)  # type: ignore[arg-type]
    keys: Cache[tuple[int], int] = Cache(10)
    keys[(1,)] = 1
    keys.save(tmp_path / "lists", Json())
    with pytest.raises(PersistenceError, match="unhashable"):
        Cache.load(tmp_path / "lists", Json())


def test_another_process_reads_it(tmp_path: Path) -> None:
    """Whose hashes of text are others."""
    cache: Cache[str, int] = Cache(100)
    for number in range(100):
        cache[f"key {number}"] = number
    cache.save(tmp_path / "saved")
    code = (
        "import augury, sys; cache = augury.Cache.load(sys.argv[1]); "
        "print(sum(cache[f'key {number}'] for number in range(100)))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "saved")]
    environment = os.environ | {"PYTHONHASHSEED": "77"}
    assert b"4950\n" == subprocess.check_output(command, env=environment)


@pytest.mark.parametrize(
    "act", [copy.copy, copy.deepcopy, pickle.dumps], ids=["copy", "deepcopy", "pickle"]
)
def test_caches_are_not_copied_but_saved(act: Callable[[object], object]) -> None:
    """The error says how."""
    with pytest.raises(PersistenceError, match=r"cache\.save\(path\)"):
        act(Cache(10))


def test_saving_while_others_write(tmp_path: Path) -> None:
    """What was there at one instant: never two values of one round."""
    cache: Cache[int, int] = Cache(1_000, policy="lru")
    for key in range(50):
        cache[key] = 0
    stop = threading.Event()

    def write() -> None:
        rounds = 0
        while not stop.is_set():
            rounds += 1
            for key in range(50):
                cache[key] = rounds

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(20):
            cache.save(tmp_path / "saved")
            values = list(Cache.load(tmp_path / "saved").values())
            assert len(values) == 50
            assert max(values) - min(values) <= 1
    finally:
        stop.set()
        writer.join()


def sample(path: Path) -> bytes:
    """A file with something of everything in it."""
    cache: Cache[object, object] = Cache(60, ttl=500, curve=True)
    for key in range(300):
        if cache.get(key % 70) is None:
            cache[key % 70] = (key, "text")
    cache.set(date(2020, 1, 1), {UUID(int=1)}, tags=["a", "b"], tti=9.0, stale=5)
    cache.pin(3) or cache.pin(4)
    cache.save(path)
    return path.read_bytes()


def sealed(data: bytes) -> bytes:
    """With a hash that fits."""
    return data[: START - 32] + sha256(data[START:]).digest() + data[START:]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A place for files, and the bytes of a sound one."""
    path = tmp_path_factory.mktemp("damage") / "saved"
    return path, sample(path)


FUZZED = settings(
    max_examples=int(os.environ.get("AUGURY_FUZZ", "300")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@FUZZED
@given(at=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_a_flipped_byte_is_found(saved: tuple[Path, bytes], at: float, flip: int) -> None:
    """Wherever it is."""
    path, sound = saved
    data = bytearray(sound)
    data[int(at * len(data))] ^= flip
    path.write_bytes(data)
    with pytest.raises(PersistenceError, match="saved"):
        Cache.load(path)


@FUZZED
@given(at=st.floats(0, 1, exclude_max=True), seal=st.booleans())
def test_what_is_cut_off_is_found(saved: tuple[Path, bytes], at: float, seal: bool) -> None:
    """Behind a fitting hash too."""
    path, sound = saved
    data = sound[: int(at * len(sound))]
    path.write_bytes(sealed(data) if seal and len(data) > START else data)
    with pytest.raises(PersistenceError, match="saved"):
        Cache.load(path)


@FUZZED
@given(
    st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=8)),
        min_size=1,
        max_size=4,
    )
)
def test_no_bytes_behind_a_fitting_hash_do_harm(
    saved: tuple[Path, bytes], writes: list[tuple[float, bytes]]
) -> None:
    """An error of the package, or a cache that works; never anything else."""
    path, sound = saved
    data = bytearray(sound)
    for at, written in writes:
        start = START + int(at * (len(data) - START))
        data[start : start + len(written)] = written
    path.write_bytes(sealed(bytes(data)))
    try:
        cache: Cache[Any, Any] = Cache.load(path)
    except AuguryError:
        return
    drive(cache, range(200))
    assert cache.used <= cache.capacity


def blocks(data: bytes) -> list[bytes]:
    """The parts of a file."""
    found, at = [], START
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "little")
        found.append(data[at + 4 : at + 4 + length])
        at += 4 + length
    return found


@pytest.mark.parametrize(
    "change",
    [
        {"entries": 2**62},
        {"tags": 2**62},
        {"entries": -1},
        {"ticks": []},
        {"ticks": [2**64], "learned": [True]},
        {"capacity": 0},
        {"capacity": "64 GB"},
        {"options": {"on_removal": "print"}},
        {"options": {"seed": []}},
        {"options": []},
        {"unit": "stones"},
        {"saved_at": "now"},
        {"more": 1},
    ],
    ids=str,
)
def test_headers_that_cannot_be_are_refused_at_no_cost(
    saved: tuple[Path, bytes], change: dict[str, object]
) -> None:
    """Nothing is allocated for what is declared."""
    path, sound = saved
    head = blocks(sound)[0]
    fresh = json.dumps(json.loads(head) | change).encode()
    rest = sound[START + 4 + len(head) :]
    path.write_bytes(sealed(bytes(START) + len(fresh).to_bytes(4, "little") + fresh + rest))
    data = bytearray(path.read_bytes())
    data[: START - 32] = sound[: START - 32]
    path.write_bytes(data)
    tracemalloc.start()
    try:
        with pytest.raises(PersistenceError, match="saved"):
            Cache.load(path)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_lengths_beyond_the_file_allocate_nothing(saved: tuple[Path, bytes]) -> None:
    """Four gigabytes in a file of a few thousand bytes."""
    path, sound = saved
    data = bytearray(sound)
    data[START : START + 4] = b"\xff" * 4
    path.write_bytes(sealed(bytes(data)))
    tracemalloc.start()
    try:
        with pytest.raises(PersistenceError, match=r"4,294,967,295"):
            Cache.load(path)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), lambda path: None, os.mkfifo])
def test_what_is_no_file_is_refused(make: Callable[[Path], object], tmp_path: Path) -> None:
    """A folder, nothing, and a pipe that would never end."""
    make(tmp_path / "saved")
    with pytest.raises(PersistenceError, match="saved"):
        Cache.load(tmp_path / "saved")


def test_where_nothing_can_be_written_nothing_is(tmp_path: Path) -> None:
    """A folder that is not there, and one in the file's place."""
    cache: Cache[int, int] = Cache(10)
    with pytest.raises(PersistenceError, match="No such"):
        cache.save(tmp_path / "none" / "saved")
    (tmp_path / "saved").mkdir()
    with pytest.raises(PersistenceError, match="saved"):
        cache.save(tmp_path / "saved")
    assert [tmp_path / "saved"] == list(tmp_path.iterdir())


def test_a_subclass_loads_as_itself(tmp_path: Path) -> None:
    """With the arguments of the public class."""

    class Own(Cache[int, int]):
        pass

    cache = Own(10)
    cache[1] = 1
    cache.save(tmp_path / "saved")
    assert type(augury.Cache.load(tmp_path / "saved")) is Cache
    assert type(Own.load(tmp_path / "saved")) is Own
