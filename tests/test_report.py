"""The HTML report: well formed, self-contained, complete."""

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

import augury

VOID = {"br", "hr", "img", "input", "link", "meta"}


class Page(HTMLParser):
    """Collects what a page is made of, and what is wrong with its nesting."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []
        self.loads: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the tag, its id and whatever it would load."""
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in {"src", "href", "xlink:href"} and not (value or "").startswith("#"):
                self.loads.append(f"{tag} {name}={value}")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag that closes itself."""
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        """Note a tag closed out of order."""
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")


@pytest.fixture(scope="module")
def html(folder: Path) -> str:
    """A report about two traces, with curves."""
    names = ["loop.oracleGeneral", "skewed.oracleGeneral"]
    result = augury.replay(
        [folder / name for name in names],
        policies="auto,lru,gdsf,belady",
        capacity="5%,20%",
        curve=True,
    )
    return result.report("augury replay <these> & those")


def test_the_page_is_well_formed(html: str) -> None:
    """Every tag is closed in order and every id is one element's."""
    page = Page(html)
    assert [] == page.faults
    assert [] == page.open
    assert len(page.ids) == len(set(page.ids))


def test_the_page_loads_nothing(html: str) -> None:
    """No script, no link, no address: the file is all there is."""
    page = Page(html)
    assert [] == page.loads
    assert set() == {"script", "link", "img", "iframe"} & set(page.tags)
    assert "http" not in html
    assert "url(http" not in html
    assert "@import" not in html


def test_the_page_shows_every_trace_plot_and_the_method(html: str) -> None:
    """Tables, bars, curves, time and rankings of each trace, and how to get them again."""
    for name in ("loop", "skewed"):
        assert f"<h2>{name}</h2>" in html
        for plot in ("miss ratios on", "miss ratio curves of", "miss ratio over time of",
                     "rankings that ruled on"):  # fmt: skip
            assert f'aria-label="{plot} {name}"' in html
    assert "augury replay &lt;these&gt; &amp; those" in html
    assert f"augury {augury.__version__}" in html


def test_the_page_has_a_light_and_a_dark_side(html: str) -> None:
    """Plots take their colours from the page, which follows the reader."""
    assert "prefers-color-scheme: dark" in html
    assert "var(--subject)" in html
    assert "#fe01" not in html


def test_drawing_leaves_matplotlib_as_it_was(folder: Path) -> None:
    """No setting of the process changes and no figure stays behind."""
    import matplotlib as mpl
    from matplotlib import pyplot

    before = dict(mpl.rcParams)
    augury.replay(folder / "loop.oracleGeneral", policies="lru,fifo", capacity=10).report()
    assert before == dict(mpl.rcParams)
    assert [] == pyplot.get_fignums()


def test_only_auto_is_shown_by_what_it_evicted(html: str, folder: Path) -> None:
    """Other policies that choose among rankings have no place in that plot."""
    choosing = augury.replay(folder / "skewed.oracleGeneral", policies="lru,survival", capacity=10)
    cells = [
        replace(cell, windows=tuple(replace(w, ruling="lru") for w in cell.windows))
        for cell in choosing
    ]
    assert "rankings that ruled" not in replace(choosing, cells=tuple(cells)).report()
    assert "rankings that ruled" in html
