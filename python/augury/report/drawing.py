"""Figures in the house style, and their way into the page."""

import io
import re
from collections.abc import Callable
from functools import wraps
from html import escape
from typing import Any, ParamSpec

from matplotlib import rc_context
from matplotlib.figure import Figure

from augury.report import ink

__all__ = ["as_svg", "house_style", "new_figure"]

P = ParamSpec("P")

#: Inches; the page scales a plot to its own width.
WIDTH = 9.6
STYLE: Any = {
    "axes.edgecolor": ink.GRID,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": ink.MUTED,
    "axes.labelsize": 10,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": ink.INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "figure.facecolor": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "grid.color": ink.GRID,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.labelcolor": ink.INK,
    "lines.linewidth": 1.6,
    "svg.fonttype": "none",
    "text.color": ink.INK,
    "xtick.color": ink.MUTED,
    "ytick.color": ink.MUTED,
}
#: What a document of its own needs and an element of a page must not have.
FOREIGN = re.compile(
    r'<metadata>.*?</metadata>|<style.*?</style>| xmlns(:\w+)?="[^"]*"|(?<=<g) id="[^"]*"'
    r"|font-family: [^;\"]*;? ?",
    re.DOTALL,
)


def house_style(draw: Callable[P, str]) -> Callable[P, str]:
    """Draw in the house style, and leave the process's own settings as they were."""

    @wraps(draw)
    def styled(*args: P.args, **kwargs: P.kwargs) -> str:
        with rc_context(STYLE):
            return draw(*args, **kwargs)

    return styled


def new_figure(height: float) -> Figure:
    """An empty figure of the page's width, apart from any that the process draws elsewhere."""
    return Figure(figsize=(WIDTH, height), layout="constrained")


def as_svg(figure: Figure, label: str) -> str:
    """The figure as an SVG element with ids of its own and the colours of the page.

    ``label`` says what is shown, to those who cannot see it; no two on a page are the same.
    """
    text = io.StringIO()
    with rc_context({"svg.hashsalt": label}):
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    svg = FOREIGN.sub("", text.getvalue()).replace("xlink:href", "href")
    svg = ink.as_variables(svg[svg.index("<svg") :])
    return svg.replace("<svg", f'<svg role="img" aria-label="{escape(label, quote=True)}"', 1)
