"""`augury.traces`: reading, making, converting, inspecting."""

from pathlib import Path

import pytest

import augury
from augury import traces
from small_traces import skewed


def test_requests_come_in_order_and_again(folder: Path) -> None:
    """A trace is iterated as often as wanted."""
    trace = traces.open(folder / "skewed.oracleGeneral")
    keys = [request.key for request in trace]
    assert skewed(20_000, 5_000) == keys
    assert keys == [request.key for request in trace]
    assert "skewed" == trace.name


def test_chunks_hold_all_requests(folder: Path) -> None:
    """Chunks are bounded and none is empty."""
    chunks = list(traces.open(folder / "skewed.oracleGeneral").chunks())
    assert 20_000 == sum(map(len, chunks))
    assert all(0 < len(chunk) <= 10_000 for chunk in chunks)


def test_a_csv_is_read_by_the_columns_named(tmp_path: Path) -> None:
    """Names, numbers and a mapping say the same."""
    path = tmp_path / "log.csv"
    path.write_text("when,what,bytes_sent\n5,9,100\n6,8,200\n")
    for columns in ("time=when,key=what,size=bytes_sent", {"time": "1", "key": "2", "size": "3"}):
        read = list(traces.open(path, trace_format="csv", columns=columns))
        assert [traces.Request(5, 9, 100, "get", 0), traces.Request(6, 8, 200, "get", 0)] == read


def test_a_missing_file_is_found_at_once() -> None:
    """`open` raises before anything is iterated."""
    with pytest.raises(augury.TraceError) as refused:
        traces.open("absent.csv")
    assert "cannot_open" == refused.value.code


def test_a_trace_stands_where_a_path_is_asked_for(folder: Path) -> None:
    """`augury.replay` takes an opened trace."""
    trace = traces.open(folder / "loop.oracleGeneral")
    [cell] = augury.replay(trace, policies="lru", capacity=10)
    assert "loop" == cell.trace


def test_synthetic_workloads_are_seeded() -> None:
    """The same parameters give the same requests, another seed gives others."""
    name = traces.workloads()[0].name
    one, again, other = (
        [request.key for request in traces.synthetic(name, n=500, seed=seed)] for seed in (1, 1, 2)
    )
    assert one == again
    assert len(one) == 500
    assert one != other or name == "loop"


def test_conversion_keeps_keys_sizes_and_times(folder: Path, tmp_path: Path) -> None:
    """There and back again."""
    source = folder / "sized.oracleGeneral"
    there, back = tmp_path / "t.csv.zst", tmp_path / "t.oracleGeneral.gz"
    assert traces.Conversion(5_000, 0) == traces.convert(source, there)
    traces.convert(there, back)
    assert list(traces.open(source)) == list(traces.open(back))


def test_an_inspection_counts(folder: Path) -> None:
    """Requests, objects and footprint are what they are."""
    found = traces.inspect(folder / "loop.oracleGeneral")
    assert (4000, 100, 100) == (found.requests, found.objects, found.footprint_bytes)
