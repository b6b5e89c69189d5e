"""Tables of the results inside other documents: the README, the concepts, in two languages.

A document has ``<!-- rendered: NAME -->`` and ``<!-- end -->``; what stands between is written anew
when RESULTS.md is. `NAME zh` is the same with its words in Chinese. Numbers come from the results
alone; which rows are shown is said here and nowhere else.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from benchmarks import scores
from benchmarks.inputs import ROOT, percent
from benchmarks.markdown import table
from benchmarks.scores import Cell

__all__ = ["Results", "documents", "renew", "renewed"]

REGION = re.compile(r"(<!-- rendered: ([a-z]+)( zh)? -->\n).*?(<!-- end -->)", re.DOTALL)
#: Beside `auto`, in this order: what is widely used, and the best of the peers.
PEERS = ("GDSF", "S3FIFO", "ARC", "Sieve", "WTinyLFU", "LRU")
#: Where keys follow each other, and where they do not.
FORETOLD = (
    "arc_p3", "cloudphysics_io", "mooncake_conversation", "kosarak_part", "sessions_diginetica",
    "twitter_cluster52",
)  # fmt: skip
BLOCKS = "mooncake_conversation"
#: The capacity of the tables that show one.
FRACTION = "0.01"
CHINESE = {
    "policy": "策略",
    "gap closed, mean": "平均补上的差距",
    "not above the best peer": "不高于最佳对手的比例",
    "regret": "最大遗憾",
    "trace, 1%": "轨迹 1%",
    "best peer": "最佳对手",
    "augury": "augury",
    "without": "不预取",
    "with prefetch": "带预取",
    "extra requests": "额外请求",
    "accuracy": "准确率",
    "cell": "轨迹与容量",
    "behind by": "落后",
}


class Results(NamedTuple):
    """What tables are made of."""

    #: Object miss ratios of `auto` by cell, one for each seed.
    auto: Mapping[str, Sequence[float]]
    #: Those cells that count, with the peers' miss ratios.
    cells: Sequence[Cell]
    #: The part `prefetch`, by trace and fraction.
    ahead: Mapping[tuple[str, str], Mapping[str, Any]]

    @classmethod
    def of(cls, parts: Mapping[str, dict[str, Any]], cells: Sequence[Cell]) -> "Results":
        """From the files; cells that were not measured are left out."""
        measured = parts["miss_ratios"]["cells"]
        auto = {key: [row[0] for row in cell["policies"]["auto"]] for key, cell in measured.items()}
        rows = [row for row in parts["prefetch"]["cells"] if not row["sessions"]]
        ahead = {(row["trace"], row["fraction"]): row for row in rows}
        return cls(auto, [one for one in scores.counted(cells) if one.key in auto], ahead)


def regret(found: Results) -> Iterator[list[str]]:
    """`auto` beside peers over all cells that count."""
    yield ["policy", "gap closed, mean", "not above the best peer", "regret"]
    rows = [scores.score("auto", found.auto, found.cells)]
    rows += [
        scores.score(name, scores.peer_values(found.cells, name), found.cells) for name in PEERS
    ]
    for row in rows:
        yield [row.policy, f"{row.gap_mean:.2f}", f"{row.wins:.0%}", f"{row.regret:.3f}"]


def prefetch(found: Results, traces: Sequence[str] = FORETOLD) -> Iterator[list[str]]:
    """What fetching ahead brings at one capacity."""
    yield ["trace, 1%", "Belady", "without", "with prefetch", "extra requests", "accuracy"]
    for trace in traces:
        row = found.ahead[trace, FRACTION]
        got = row["variants"]["default"]
        yield [
            trace,
            f"{row['belady']:.3f}",
            f"{row['without']:.3f}",
            f"{got['ratio']:.3f}",
            f"{got['extra']:+.1%}",
            f"{got['accuracy']:.2f}",
        ]


def blocks(found: Results) -> Iterator[list[str]]:
    """The same for the trace of prefix blocks."""
    yield from prefetch(found, (BLOCKS,))


def behind(found: Results) -> Iterator[list[str]]:
    """Cells where the best peer misses less."""
    yield ["cell", "best peer", "augury", "behind by"]
    for fall in scores.shortfalls(found.auto, found.cells):
        cell = fall.cell
        yield [
            f"{cell.trace} {percent(cell.fraction)}",
            f"{cell.best:.4f} {cell.best_peer}",
            f"{fall.ratio:.4f}",
            f"{fall.excess:.4f}",
        ]


def overview(found: Results) -> Iterator[list[str]]:
    """Every trace that counts at one capacity."""
    yield ["trace, 1%", "LRU", "best peer", "augury", "Belady", "with prefetch"]
    for cell in found.cells:
        if cell.fraction != FRACTION:
            continue
        auto = fmean(found.auto[cell.key])
        ahead = found.ahead[cell.trace, FRACTION]
        wins = auto <= cell.best + scores.SAME
        yield [
            cell.trace,
            f"{cell.lru:.3f}",
            f"{cell.best:.3f} {cell.best_peer}",
            f"**{auto:.3f}**" if wins else f"{auto:.3f}",
            f"{ahead['belady']:.3f}",
            f"{ahead['variants']['default']['ratio']:.3f}",
        ]


TABLES: Mapping[str, Callable[[Results], Iterator[list[str]]]] = {
    "behind": behind,
    "blocks": blocks,
    "overview": overview,
    "prefetch": prefetch,
    "regret": regret,
}


def renewed(text: str, found: Results) -> str:
    """A document with its tables as the results have them."""

    def region(match: re.Match[str]) -> str:
        begin, name, chinese, end = match.groups()
        head, *rows = TABLES[name](found)
        words = [CHINESE.get(word, word) for word in head] if chinese else head
        return f"{begin}\n{table(words, rows)}\n\n{end}"

    return REGION.sub(region, text)


def documents() -> list[Path]:
    """Those that have such tables."""
    every = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return sorted(path for path in every if REGION.search(path.read_text(encoding="utf-8")))


def renew(found: Results) -> None:
    """Write the tables anew."""
    for path in documents():
        path.write_text(renewed(path.read_text(encoding="utf-8"), found), encoding="utf-8")
