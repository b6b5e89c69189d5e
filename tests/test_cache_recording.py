"""A running cache recorded as a trace."""

import gc
import threading
from pathlib import Path
from typing import Any

import pytest

import augury
from augury import Cache
from augury.recording import Anonymiser, KeyedRequest, Recorder
from augury.recording.live import LiveRecording, key_text


def test_gets_sets_and_deletes_are_written(tmp_path: Path) -> None:
    """With key, size, operation and TTL, in order; whatever else is asked is no request."""
    path = tmp_path / "own.csv"
    with Cache[Any, Any](100, record=path, sizeof=lambda key, value: len(value)) as cache:
        cache.get("user:1")
        cache.set("user:1", "x" * 30, ttl=59.5)
        cache.get("user:1")
        cache[b"raw"] = "abc"
        cache.delete(-7)
        assert "user:1" in cache
        cache.explain("user:1")
        cache.clear()
        assert not path.exists()
    lines = path.read_text().splitlines()
    assert lines[0].startswith("time,key,size,op,ttl")
    assert [
        ["user:1", "1", "get", "0"],
        ["user:1", "30", "set", "60"],
        ["user:1", "30", "get", "0"],
        ["raw", "3", "set", "0"],
        ["-7", "1", "delete", "0"],
    ] == [line.split(",")[1:5] for line in lines[1:]]
    assert cache.get("user:1") is None, "a closed recording does not close the cache"
    assert 5 == cache.close().requests  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["own.csv.zst", "own.oracleGeneral"])
def test_the_recorded_trace_replays(name: str, tmp_path: Path) -> None:
    """With the misses that the cache had, where gets alone decide."""
    cache: Cache[int, int] = Cache(300, record=tmp_path / name)
    for request in augury.traces.synthetic("zipf", n=20_000):
        if cache.get(request.key) is None:
            cache.set(request.key, 1)
    recording = cache.close()
    assert recording is not None
    assert recording.complete
    assert 20_000 <= recording.requests
    (cell,) = augury.replay(tmp_path / name, policies="auto", capacity=300)
    assert 1 - cache.stats().hit_ratio == pytest.approx(cell.object_miss_ratio, abs=0.02)


def test_a_share_of_the_keys_is_recorded_under_other_names(tmp_path: Path) -> None:
    """Each key wholly or not at all; namespaces stay."""
    path = tmp_path / "own.csv"
    hide = Anonymiser(secret=b"0123456789abcdef")
    with Cache[str, int](10_000, record=path, record_sample=0.3, record_anonymiser=hide) as cache:
        for _ in range(2):
            for number in range(1_000):
                cache.get(f"user:{number}")
    keys = [line.split(",")[1] for line in path.read_text().splitlines()[1:]]
    assert 200 < len(set(keys)) < 400
    assert all(keys.count(key) == 2 and key.startswith("user:") for key in set(keys))
    assert not {f"user:{number}" for number in range(1_000)} & set(keys)


def test_a_recorder_may_be_given(tmp_path: Path) -> None:
    """It has its own options; giving them twice is refused."""
    recorder = Recorder(tmp_path / "own.csv")
    with pytest.raises(augury.ConfigError, match="recorder has its own"):
        Cache[str, int](10, record=recorder, record_sample=0.5)
    with Cache[str, int](10, record=recorder) as cache:
        cache.get("a")
    assert "a" in (tmp_path / "own.csv").read_text()


def test_nothing_asked_leaves_nothing(tmp_path: Path) -> None:
    """No file, no error; and a path that cannot be is told at once."""
    with Cache[str, int](10, record=tmp_path / "own.csv") as cache:
        pass
    assert cache.close() is None
    assert [] == list(tmp_path.iterdir())
    with pytest.raises(augury.TraceError):
        Cache[str, int](10, record=tmp_path / "no" / "own.csv")
    with pytest.raises(augury.ConfigError, match="ending"):
        Cache[str, int](10, record=tmp_path / "own.txt")


def test_threads_lose_no_request(tmp_path: Path) -> None:
    """All are written, whoever writes."""
    cache: Cache[int, int] = Cache(100, record=tmp_path / "own.csv")

    def work() -> None:
        for number in range(5_000):
            cache.get(number)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recording = cache.close()
    assert recording is not None
    assert (20_000, ()) == (recording.requests, recording.left_out)


class Slow:
    """A recorder in the middle of whose work something happens."""

    def __init__(self, happens: Any) -> None:
        self.requests = 0
        self.times: list[float] = []
        self.notes: list[str] = []
        self.finished = 0
        self._happens = happens

    def add(self, request: KeyedRequest) -> None:
        """Count it, and let it happen."""
        self.requests += 1
        self.times.append(request.time)
        self._happens()

    def finish(self, ended: str, complete: bool, notes: Any) -> Any:
        """Count it."""
        self.finished += 1
        self.notes = list(notes)
        return "done"

    def discard(self) -> None:
        """Nothing to leave behind."""


def test_a_destructor_during_a_write_waits_for_nobody() -> None:
    """It may ask the cache, and close it: what waits is still written, once and in order."""
    cache: Cache[Any, Any]

    class Last:
        def __del__(self) -> None:
            cache.get("from a destructor")
            cache.close()

    def happens() -> None:
        if slow.requests == 100:
            Last()
            gc.collect()

    slow = Slow(happens)
    cache = Cache(10, record=slow)
    for number in range(1_000):
        cache.get(number)
    assert 1 == slow.finished
    assert 257 == slow.requests
    assert sorted(slow.times) == slow.times
    assert "done" == cache.close()  # type: ignore[comparison-overlap]


def test_what_comes_faster_than_it_is_written_is_left_out_and_counted() -> None:
    """Memory is bounded however long a write takes."""
    recording: LiveRecording

    def happens() -> None:
        if slow.requests == 1:
            for number in range(70_000):
                recording.add(number, "get")

    slow = Slow(happens)
    recording = LiveRecording(slow)
    for number in range(256):
        recording.add(number, "get")
    recording.close()
    assert 65_536 + 1 == slow.requests
    assert ["about 4,719 requests came faster than they were written"] == slow.notes


def test_a_full_disk_stops_the_recording_and_not_the_cache() -> None:
    """A warning at once, the error at the end."""

    def happens() -> None:
        raise augury.TraceError("no space left", "io")

    cache: Cache[int, int] = Cache(10, record=Slow(happens))
    for number in range(255):
        cache.set(number, number)
    with pytest.warns(RuntimeWarning, match="no space left"):
        cache.set(255, 255)
    assert 1 == cache.set(1, 1) == cache.get(1)
    with pytest.raises(augury.TraceError, match="no space left"):
        cache.close()


def test_keys_become_text_without_code_of_their_own() -> None:
    """Subclasses are taken for what they are; others stand under their hash."""

    class Loud(str):
        def encode(self, *_: object) -> bytes:  # type: ignore[override]
            raise OSError

    assert b"a" == key_text(Loud("a"))
    assert b"\xff" == key_text("\udcff")
    assert b"1" == key_text(True)
    assert key_text((1, 2)) == key_text((1, 2)) != key_text((2, 1))
    assert b"#%016x" % (hash(1.5) & (2**64 - 1)) == key_text(1.5)
