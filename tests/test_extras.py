"""Optional packages: libCacheSim's policies give its numbers; each absence is a clear word."""

import sys
from collections.abc import Callable
from pathlib import Path

import libcachesim
import pytest

import augury
from augury.laboratory import peers

PEERS = ("LRU", "S3FIFO", "GDSF", "Belady")


def test_peers_give_the_numbers_of_their_package(folder: Path) -> None:
    """On sized objects and a share of the footprint."""
    trace = folder / "sized.oracleGeneral"
    result = augury.replay(trace, policies=[f"peer:{peer}" for peer in PEERS], capacity="10%")
    for cell, peer in zip(result, PEERS, strict=True):
        reader = libcachesim.TraceReader(str(trace), libcachesim.TraceType.ORACLE_GENERAL_TRACE)
        cache = getattr(libcachesim, peer)(cache_size=cell.capacity_bytes)
        assert cache.process_trace(reader) == (cell.object_miss_ratio, cell.byte_miss_ratio)
        assert cell.version == "libcachesim 0.3.5"


def test_what_peers_do_not_tell_is_nothing(folder: Path) -> None:
    """Their counters are None in cells and JSON, and whole numbers beside it in data frames."""
    result = augury.replay(folder / "sized.oracleGeneral", policies="lru,peer:LRU", capacity="10%")
    ours, peers = result
    assert (None, None) == (peers.insertions, peers.memory_bytes)
    assert '"resident": null' in result.to_json()
    assert [ours.resident, None] == result.to_arrow()["resident"].to_pylist()
    assert [ours.resident, None] == result.to_polars()["resident"].to_list()
    frame = result.to_pandas()
    assert "Int64" == str(frame["resident"].dtype)
    assert ours.resident == frame["resident"][0]


def test_our_lru_is_the_peers(folder: Path) -> None:
    """Policies of one name give the same number of misses on size-1 traces."""
    pairs = "lru,peer:LRU,fifo,peer:FIFO,sieve,peer:Sieve,belady,peer:Belady"
    result = augury.replay(folder / "skewed.oracleGeneral", policies=pairs, capacity="1%,10%")
    misses = [cell.misses for cell in result]
    assert misses[0::2] == misses[1::2]


def test_peers_adds_all_of_them() -> None:
    """`peers=True` is every peer of the evaluation, and the two oracles."""
    from augury.laboratory.policies import resolve_policies

    resolved = resolve_policies("auto", peers=True)
    assert 1 + 21 + 2 == len(resolved)
    assert all(hasattr(libcachesim, policy.removeprefix("peer:")) for policy in resolved[1:])


def test_without_the_package_the_error_says_how_to_get_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pip command is in the message."""
    monkeypatch.setitem(sys.modules, "libcachesim", None)
    with pytest.raises(augury.ConfigError, match="pip install"):
        augury.replay(folder / "loop.oracleGeneral", policies="peer:LRU", capacity=10)


@pytest.mark.parametrize(
    ("module", "extra", "convert"),
    [
        ("pandas", "pandas", augury.ReplayResult.to_pandas),
        ("polars", "polars", augury.ReplayResult.to_polars),
        ("pyarrow", "arrow", augury.ReplayResult.to_arrow),
        ("matplotlib", "report", augury.ReplayResult.report),
    ],
)
def test_so_do_the_other_extras(
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    extra: str,
    convert: Callable[[augury.ReplayResult], object],
) -> None:
    """Each conversion names its extra."""
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(augury.ConfigError, match=rf"augury\[{extra}\]"):
        convert(augury.ReplayResult(()))


def test_a_peer_that_does_not_finish_is_a_note(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other cells stand; the note names the peer, the trace and the limit."""
    monkeypatch.setattr(peers, "LIMIT_SECONDS", 0)
    result = augury.replay(folder / "loop.oracleGeneral", policies="lru,peer:LRU", capacity=10)
    assert ["lru"] == [cell.policy for cell in result]
    assert ("peer:LRU did not finish loop at 10 within 0 s",) == result.notes
