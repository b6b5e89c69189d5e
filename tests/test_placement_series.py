"""Windows of load on disk, bounded and whatever happens to their files."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import augury
from augury.placement import Store, Window, history_of, read_windows
from augury.placement.series import SEGMENT

OWNERS = {"a": [(0, 8_191)], "b": [(8_192, 16_383)]}


def window(time: float, seconds: float = 60.0, **loads: float) -> Window:
    """A window whose slots have these CPU times, twice as many bytes and one request each."""
    table = {int(slot[1:]): (cpu, 2 * cpu, 1.0) for slot, cpu in loads.items()}
    return Window(time, seconds, OWNERS, table)


def fill(folder: Path, count: int, limit: int = 1 << 20) -> None:
    """So many windows of a minute."""
    with Store(folder, limit) as store:
        for number in range(count):
            store.append(window(60.0 * number, s7=number + 1.0, s9000=5.0))


def test_windows_read_back_as_they_were_written(tmp_path: Path) -> None:
    """Across segments, compressed ones too, and across stores of one folder."""
    fill(tmp_path, SEGMENT + 3)
    fill(tmp_path, 2)
    found = list(read_windows(tmp_path))
    assert SEGMENT + 5 == len(found)
    assert window(60.0, s7=2.0, s9000=5.0) == found[1]
    assert 1 == len(list(tmp_path.glob("*.gz")))
    assert found[-2:] == list(read_windows(tmp_path, 2))


def test_a_folder_is_bounded(tmp_path: Path) -> None:
    """The oldest windows go; those that are left are the latest."""
    everything = {f"s{slot}": 1.0 for slot in range(2_000)}
    with Store(tmp_path, 1 << 16) as store:
        for number in range(4 * SEGMENT):
            store.append(window(60.0 * number, **everything))
    # The segment that is written to stands beside what the limit allows.
    sizes = [path.stat().st_size for path in tmp_path.glob("windows-*.gz")]
    assert sum(sizes) <= 1 << 16
    times = [one.time for one in read_windows(tmp_path)]
    assert 60.0 * (4 * SEGMENT - 1) == times[-1]
    assert times[0] > 0


def test_one_process_writes(tmp_path: Path) -> None:
    """A second is refused; after the first has closed it is not."""
    with (
        Store(tmp_path),
        pytest.raises(augury.ConfigError, match="by another process"),
        Store(tmp_path),
    ):
        pass
    Store(tmp_path).close()


def test_what_a_kill_cuts_short_is_skipped(tmp_path: Path) -> None:
    """Half a line, and half a compressed segment."""
    fill(tmp_path, SEGMENT + 2)
    packed, plain = sorted(tmp_path.glob("windows-*"))
    plain.write_bytes(plain.read_bytes()[:-20])
    packed.write_bytes(packed.read_bytes()[:-20])
    found = [one.time for one in read_windows(tmp_path)]
    assert 60.0 * SEGMENT == found[-1]
    fill(tmp_path, 1)
    assert 0.0 == list(read_windows(tmp_path))[-1].time


@given(st.binary(max_size=300))
def test_no_line_does_harm(line: bytes) -> None:
    """Any bytes are a window or none."""
    assert Window.from_line(line.decode("utf-8", "surrogateescape")) is None


@given(
    st.sampled_from(["augury", "time", "seconds", "owners", "slots", "cpu", "bytes"]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    ),
)
def test_no_value_does_harm(field: str, value: object) -> None:
    """A window with any value in any place is a window or none, and what is one has sane loads."""
    whole = json.loads(window(60.0, s1=1.0).to_line()) | {field: value}
    found = Window.from_line(json.dumps(whole))
    if found is not None:
        assert all(0 <= slot < 16_384 for slot in found.loads)
        assert all(load >= 0 for loads in found.loads.values() for load in loads)


def test_history_is_per_second_on_an_even_grid() -> None:
    """A short gap is filled by a line; before a long one nothing counts."""
    windows = [window(60.0 * minute, s7=60.0 * minute) for minute in (1, 2, 3, 20, 21, 23)]
    history = history_of(windows)
    assert [7] == history.slots.tolist()
    assert [20.0, 21.0, 22.0, 23.0] == history.of("cpu")[:, 0].tolist()
    assert (60.0, 60.0 * 23) == (history.every, history.end)
    assert [22.0, 23.0] == history_of(windows, 2).of("cpu")[:, 0].tolist()


def test_history_notes_who_has_come() -> None:
    """A slot that was seen at another node before, and when."""
    later = Window(120.0, 60.0, {"a": [(0, 16_000)], "b": [(16_001, 16_383)]}, {7: (1, 1, 1)})
    history = history_of([window(60.0, s7=1.0), later])
    assert dict.fromkeys(range(8192, 16001), 120.0) == history.moved


def test_an_empty_store_says_what_to_do(tmp_path: Path) -> None:
    """No folder, and a folder without windows."""
    with pytest.raises(augury.ConfigError, match="augury cluster watch"):
        list(read_windows(tmp_path / "none"))
    with pytest.raises(augury.ConfigError, match="augury cluster watch"):
        history_of(read_windows(tmp_path))


def test_a_compressed_segment_replaces_the_plain_one(tmp_path: Path) -> None:
    """Where both are there, since a kill came between, the windows are read once."""
    fill(tmp_path, SEGMENT)
    [packed] = tmp_path.glob("*.gz")
    packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
    assert SEGMENT == len(list(read_windows(tmp_path)))
