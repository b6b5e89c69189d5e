"""Tables and the picture of the results that stand in other documents."""

import re
from pathlib import Path

import pytest
from benchmarks import curves_chart, excerpts, results, scores
from benchmarks.curves_section import curves_section
from benchmarks.excerpts import Results
from benchmarks.inputs import ROOT, Shared

ROW = {
    "trace": "cloudphysics_io",
    "curves": {name: [[0.01, 0.5], [0.1, 0.25]] for name in curves_chart.LOOKS},
    "peers": [[0.01, 0.45, "LHD"]],
}


@pytest.fixture(scope="module")
def found() -> Results:
    """The results that are kept, with the peers' where the traces are."""
    try:
        shared = Shared.find()
    except SystemExit as reason:
        pytest.skip(str(reason))
    parts = {name: results.read(name, quick=False) for name in ("miss_ratios", "prefetch")}
    measured = {name: part for name, part in parts.items() if part is not None}
    return Results.of(measured, scores.read_cells(shared.manifest, shared.peers))


@pytest.mark.parametrize("path", excerpts.documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_tables_in_documents_are_those_of_the_results(path: Path, found: Results) -> None:
    """Else: ``python -m benchmarks.render``."""
    text = path.read_text(encoding="utf-8")
    assert text == excerpts.renewed(text, found)


def test_a_table_is_put_between_its_marks(found: Results) -> None:
    """Whatever stood there, and nothing else is touched."""
    text = "before\n<!-- rendered: blocks -->\nold\n<!-- end -->\nafter\n"
    new = excerpts.renewed(text, found)
    assert new.startswith("before\n<!-- rendered: blocks -->\n\n| trace, 1% |")
    assert new.endswith("\n\n<!-- end -->\nafter\n")
    assert "old" not in new
    chinese = excerpts.renewed(text.replace("blocks", "blocks zh"), found)
    assert re.findall(r"\d+\.\d+", new) == re.findall(r"\d+\.\d+", chinese)
    assert "| 轨迹 1% |" in chinese


def test_the_picture_follows_the_reader(tmp_path: Path) -> None:
    """Ink and paper are variables with another value in the dark; equal rows, equal bytes."""
    paths = [tmp_path / "one.svg", tmp_path / "two.svg"]
    for path in paths:
        curves_chart.draw([ROW, {**ROW, "trace": "twitter_cluster52"}], path)
    one, two = (path.read_text() for path in paths)
    assert one == two
    assert "@media (prefers-color-scheme: dark)" in one
    for colour in (curves_chart.INK, curves_chart.PAPER):
        assert one.count(colour) == one.count(f", {colour})")


def test_the_picture_is_that_of_the_results(tmp_path: Path) -> None:
    """The one in the repository has the points that were measured."""
    part = results.read("curves", quick=False)
    assert part is not None
    drawn = tmp_path / curves_chart.NAME
    curves_chart.draw(part["rows"], drawn)
    labels = re.compile(r"<!-- (.*) -->")
    kept = (results.FULL / curves_chart.NAME).read_text()
    assert labels.findall(drawn.read_text()) == labels.findall(kept)


def test_points_stand_below_the_picture() -> None:
    """With the best peer where one is known."""
    text = curves_section({"quick": False, "rows": [ROW]})
    assert "](results/curves.svg)" in text
    assert "| 1.0% | 0.5000 | 0.5000 | 0.5000 | 0.5000 | 0.4500 LHD |" in text
    assert "| 10.0% | 0.2500 | 0.2500 | 0.2500 | 0.2500 |  |" in text
    assert "Not measured." in curves_section(None)
