"""`augury.replay` as a library: results, conversions, refusals, progress."""

import json
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import augury
from augury import _core
from augury.laboratory.policies import DEFAULT_POLICIES


@pytest.fixture(scope="module")
def result(folder: Path) -> augury.ReplayResult:
    """Two traces, two policies, two capacities."""
    traces = [folder / "loop.oracleGeneral", folder / "sized.oracleGeneral"]
    return augury.replay(traces, policies=["lru", "belady"], capacity=["5%", 0.2])


def test_a_result_is_a_sequence_of_frozen_cells(result: augury.ReplayResult) -> None:
    """Length, order, slices and immutability."""
    assert len(result) == 8
    asked = [(cell.trace, cell.capacity, cell.policy) for cell in result]
    assert asked[:4] == [
        ("loop", "5%", "lru"), ("loop", "5%", "belady"),
        ("loop", "20%", "lru"), ("loop", "20%", "belady"),
    ]  # fmt: skip
    assert result[-1] is result.cells[7]
    assert result[:2] == result.cells[:2]
    with pytest.raises(AttributeError):
        result[0].misses = 0  # type: ignore[misc]


def test_bytes_are_counted_as_objects_are(result: augury.ReplayResult) -> None:
    """Where every object has one size, both ratios are the same; capacities are bytes."""
    sized = [cell for cell in result if cell.trace == "sized"]
    for cell in sized:
        assert pytest.approx(cell.object_miss_ratio) == cell.byte_miss_ratio
        assert cell.capacity_bytes % 100 != cell.capacity_bytes


def test_the_policies_are_those_of_the_contract_and_all_run(folder: Path) -> None:
    """Every name gives a cell; no cache beats an oracle on objects of one size."""
    names = ["auto", "lru", "fifo", "lfu", "sieve", "s3fifo", "wtinylfu", "gdsf", "hyperbolic"]
    names += ["survival", "belady", "beladysize", "belady-bypass"]
    assert names == list(_core.policies())
    assert set(DEFAULT_POLICIES) <= set(names)
    found = augury.replay(folder / "skewed.oracleGeneral", policies=names, capacity="5%")
    assert names == [cell.policy for cell in found]
    misses = {cell.policy: cell.misses for cell in found}
    assert min(misses.values()) == misses["belady-bypass"]


def test_windows_and_reigns_cover_the_trace(folder: Path) -> None:
    """The miss ratio over time adds up to the whole; `auto` says what ruled."""
    [auto] = augury.replay(folder / "skewed.oracleGeneral", policies="auto", capacity="5%")
    assert auto.requests == sum(window.requests for window in auto.windows)
    assert auto.misses == sum(window.misses for window in auto.windows)
    assert auto.reigns[0].start == 0
    assert pytest.approx(1.0) == sum(auto.ruled().values())


def test_data_frames_hold_the_same_numbers(result: augury.ReplayResult) -> None:
    """pandas, polars and Arrow: a row per cell, a column per field, the fields' types."""
    dicts = result.to_dicts()
    pandas_frame, polars_frame, table = result.to_pandas(), result.to_polars(), result.to_arrow()
    assert isinstance(pandas_frame, pd.DataFrame)
    assert isinstance(polars_frame, pl.DataFrame)
    assert isinstance(table, pa.Table)
    assert dicts == pandas_frame.to_dict(orient="records")
    assert dicts == polars_frame.to_dicts() == table.to_pylist()
    assert dicts == json.loads(result.to_json())
    assert table.schema.field("misses").type == pa.int64()
    assert polars_frame.schema["object_miss_ratio"] == pl.Float64


def test_an_empty_result_converts(result: augury.ReplayResult) -> None:
    """Nothing in, nothing out, the columns kept."""
    empty = augury.ReplayResult(())
    assert "[]" == empty.to_json()
    assert list(empty.to_pandas().columns) == list(result.to_pandas().columns)
    assert empty.summary() is None


def test_a_notebook_shows_a_table(result: augury.ReplayResult) -> None:
    """`_repr_html_` is a table per trace."""
    html = result._repr_html_()
    assert html.count("<table>") == html.count("</table>") == 2


def test_progress_reaches_the_end(folder: Path) -> None:
    """The last report says that all is done, and none goes backwards."""
    seen: list[augury.Progress] = []
    trace = folder / "skewed.oracleGeneral"
    augury.replay(trace, policies="lru,fifo,gdsf", capacity="1%,10%", progress=seen.append)
    assert (6, 6, 1.0) == (seen[-1].replays_done, seen[-1].replays, seen[-1].fraction)
    assert 6 * 20_000 == seen[-1].requests
    assert sorted(one.fraction for one in seen) == [one.fraction for one in seen]


def test_what_progress_raises_stops_the_replay(folder: Path) -> None:
    """A caller can give up."""

    def give_up(_: augury.Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        augury.replay(folder / "loop.oracleGeneral", policies="lru", capacity=5, progress=give_up)


@pytest.mark.parametrize("name", ["skewed.oracleGeneral", "sized.oracleGeneral"])
def test_streaming_changes_no_number(folder: Path, name: str) -> None:
    """A trace read anew for every replay gives what it gives from memory."""
    ask = {"policies": "lru,gdsf,belady", "capacity": "1%,10%"}
    streamed, decoded = (
        [cell.misses for cell in augury.replay(folder / name, stream=stream, **ask)]  # type: ignore[arg-type]
        for stream in (True, False)
    )
    assert decoded == streamed


def test_an_oracle_on_a_stream_without_a_future_is_refused(folder: Path) -> None:
    """Plain keys do not say what comes next; the message says what to do."""
    with pytest.raises(augury.ConfigError, match="oracleGeneral"):
        augury.replay(folder / "words.keys", policies="belady", capacity=10, stream=True)


def test_a_trace_larger_than_memory_is_streamed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has to ask for it, and a note says so."""
    monkeypatch.setattr("augury.reading.SHARE_OF_MEMORY", 0.0)
    result = augury.replay(folder / "loop.oracleGeneral", policies="lru", capacity=10)
    assert 4000 == result[0].misses
    assert "streamed" in result.notes[0]


def test_curves_fall_as_capacity_grows(folder: Path) -> None:
    """With `curve`, a curve per policy; at the whole footprint only compulsory misses remain."""
    trace = folder / "skewed.oracleGeneral"
    result = augury.replay(trace, policies="lru,belady", capacity="1%", curve=True)
    assert ["lru", "belady"] == [curve.policy for curve in result.curves]
    assert len(result) == 2
    for curve in result.curves:
        capacities, ratios = zip(*curve.points, strict=True)
        assert sorted(capacities) == list(capacities)
        assert sorted(ratios, reverse=True) == list(ratios)
    assert result.curves[0].points[-1] == result.curves[1].points[-1]


@pytest.mark.parametrize("name", ["skewed.oracleGeneral", "sized.oracleGeneral"])
@pytest.mark.parametrize("stream", [True, False])
def test_the_curve_of_lru_is_what_replays_give(folder: Path, name: str, stream: bool) -> None:
    """One pass over stack distances, every point as by a replay, the object's size and above."""
    seen: list[augury.Progress] = []
    trace = folder / name
    [curve] = augury.replay(
        trace, policies="lru", capacity="1%", curve=True, stream=stream, progress=seen.append
    ).curves
    assert len(curve.fine) > 100
    below = sum(capacity < curve.fine[0][0] for capacity, _ in curve.points)
    assert set(curve.points[below:]) <= set(curve.fine)
    asked = curve.fine[::16]
    found = augury.replay(trace, policies="lru", capacity=[capacity for capacity, _ in asked])
    assert [ratio for _, ratio in asked] == [cell.object_miss_ratio for cell in found]
    replays = 2 + below
    last = seen[-1]
    assert (replays, replays, 1.0) == (last.replays_done, last.replays, last.fraction)


def test_the_curve_of_lru_falls_back_to_replays(folder: Path, tmp_path: Path) -> None:
    """With TTLs, and below the size of the largest object, there is no one stack."""
    timed, large = tmp_path / "timed.csv", tmp_path / "large.csv"
    rows = [(n, n * n % 37) for n in range(2000)]
    timed.write_text("time,key,ttl\n" + "".join(f"{n},{key},30\n" for n, key in rows))
    large.write_text("time,key,size\n" + "".join(f"{n},{key},{10 + key * 10}\n" for n, key in rows))
    of_timed, of_large = augury.replay(
        [timed, large], policies="lru", capacity=1000, curve=True
    ).curves
    assert () == of_timed.fine
    assert of_large.fine[0][0] >= 370
    assert of_large.points[0][0] < 370
    for source, curve in ((timed, of_timed), (large, of_large)):
        capacities = [capacity for capacity, _ in curve.points]
        found = augury.replay(source, policies="lru", capacity=capacities)
        assert {cell.capacity_bytes: cell.object_miss_ratio for cell in found} == dict(curve.points)


def test_a_cell_tells_what_came_in_and_what_left(folder: Path) -> None:
    """Insertions are residents and removals; every miss is inserted, rejected or oversized."""
    names = "lru,s3fifo,wtinylfu,survival,auto"
    for cell in augury.replay(folder / "skewed.oracleGeneral", policies=names, capacity="5%"):
        assert cell.insertions is not None
        assert cell.insertions == (cell.resident or 0) + (cell.evictions or 0)
        assert cell.misses == cell.insertions + (cell.rejections or 0)
        assert (0, 0 < (cell.memory_bytes or 0) < 2**24) == (cell.expired, True)


def test_a_capacity_that_is_nothing_for_one_trace_is_left_out_there(folder: Path) -> None:
    """The rest is replayed and a note says so; only where nothing is left it is an error."""
    traces = [folder / "loop.oracleGeneral", folder / "skewed.oracleGeneral"]
    seen: list[augury.Progress] = []
    result = augury.replay(traces, policies="lru", capacity="0.1%,10%", progress=seen.append)
    cells = [(cell.trace, cell.capacity) for cell in result]
    assert [("loop", "10%"), ("skewed", "0.1%"), ("skewed", "10%")] == cells
    assert "loop: capacity" in result.notes[0]
    assert (3, 3) == (seen[-1].replays_done, seen[-1].replays)
    with pytest.raises(augury.CapacityError, match="loop: capacity"):
        augury.replay(traces[0], policies="lru", capacity="0.1%,0.2%")


def test_two_traces_of_one_name_stay_apart(folder: Path, tmp_path: Path) -> None:
    """Where short names would be the same, results carry the paths."""
    other = tmp_path / "loop.csv"
    other.write_text("time,key\n" + "".join(f"{n},{n % 7}\n" for n in range(70)))
    traces = [folder / "loop.oracleGeneral", other]
    result = augury.replay(traces, policies="lru", capacity=5)
    assert [str(trace) for trace in traces] == [cell.trace for cell in result]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"policies": "none"}, augury.ConfigError),
        ({"policies": []}, augury.ConfigError),
        ({"policies": [1]}, augury.ConfigError),
        ({"capacity": "much"}, augury.CapacityError),
        ({"capacity": []}, augury.ConfigError),
        ({"capacity": 1e-9}, augury.CapacityError),
        ({"seed": -1}, augury.ConfigError),
        ({"seed": []}, augury.ConfigError),
        ({"seed": "1"}, augury.ConfigError),
        ({"jobs": 0}, augury.ConfigError),
        ({"trace_format": "xml"}, augury.TraceError),
        ({"columns": {"what": "x"}}, augury.TraceError),
    ],
)
def test_refusals_are_augury_errors(
    folder: Path, options: dict[str, object], error: type[augury.AuguryError]
) -> None:
    """No lower exception escapes."""
    with pytest.raises(error):
        augury.replay(folder / "loop.oracleGeneral", **options)  # type: ignore[arg-type]


def test_trace_errors_carry_a_code(tmp_path: Path) -> None:
    """Programs branch on the code, people read the message."""
    empty = tmp_path / "empty.csv"
    empty.touch()
    with pytest.raises(augury.TraceError) as refused:
        augury.replay(empty, policies="lru", capacity=5)
    assert "empty" == refused.value.code
    assert str(empty) in str(refused.value)
