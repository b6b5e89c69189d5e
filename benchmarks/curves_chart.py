"""The picture at the top of the README: miss ratio against capacity, a panel per trace.

One file for light and dark: ink and paper are variables of a style sheet inside it, and the lines
have colours that can be read on both.
"""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

__all__ = ["NAME", "draw"]

#: File name beside the JSON.
NAME = "curves.svg"
INK, FAINT, PAPER = "#1f2329", "#d0d4da", "#fefefe"
#: What these colours are where the reader prefers dark.
DARK = {INK: "#e6e8eb", FAINT: "#3a4048", PAPER: "#15181c"}
LOOKS: dict[str, dict[str, Any]] = {
    "LRU": {"color": "#d9534f", "linewidth": 1.8},
    # Wide, to be seen under the next where prefetch changes nothing.
    "augury": {"color": "#1f9d6b", "linewidth": 4.5},
    "Belady": {"color": INK, "linewidth": 1.4, "linestyle": "--"},
    "augury with prefetch": {"color": "#3d86e0", "linewidth": 1.8},
}
PEER = {"color": "#c98a12", "marker": "D", "markersize": 5, "linestyle": "none"}
TITLES = {
    "cloudphysics_io": "blocks of a disk (cloudphysics_io)",
    "twitter_cluster52": "a key-value cache (twitter_cluster52)",
}
ALT = "Object miss ratio against capacity: LRU, the best peer, augury, Belady, augury with prefetch"


def draw(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write the picture; the same rows give the same bytes."""
    settings: Any = {
        "svg.hashsalt": "curves", "font.size": 9, "axes.edgecolor": FAINT, "text.color": INK,
        "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK, "axes.facecolor": PAPER,
        "figure.constrained_layout.w_pad": 0.12, "figure.constrained_layout.h_pad": 0.1,
        "figure.facecolor": PAPER, "legend.edgecolor": PAPER, "legend.facecolor": PAPER,
    }  # fmt: skip
    with rc_context(settings):
        figure = Figure(figsize=(9, 3.7), layout="constrained")
        panels = figure.subplots(1, len(rows), squeeze=False)[0]
        for panel, row in zip(panels, rows, strict=True):
            fill(panel, row)
        panels[0].set_ylabel("object miss ratio")
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None, "Title": ALT})
    path.write_text(adaptable(drawn.getvalue()), encoding="utf-8")


def fill(panel: Any, row: Mapping[str, Any]) -> None:
    """One trace."""
    for name, look in LOOKS.items():
        shares, ratios = zip(*row["curves"][name], strict=True)
        panel.plot([100 * share for share in shares], ratios, label=name, **look)
    shares, ratios, _ = zip(*row["peers"], strict=True)
    peer = "best of 21 peers, with hindsight"
    panel.plot([100 * share for share in shares], ratios, label=peer, **PEER)
    ticks = [100 * share for share, _ in row["curves"]["LRU"]]
    panel.set(xscale="log", xlabel="capacity, % of the footprint", ylim=(0, None))
    panel.set_title(TITLES[row["trace"]], fontsize=10)
    panel.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    panel.minorticks_off()
    panel.grid(color=FAINT, linewidth=0.6)
    panel.spines[["top", "right"]].set_visible(False)


def adaptable(svg: str) -> str:
    """The drawing with ink and paper as variables, exchanged where the reader prefers dark."""
    names = {INK: "ink", FAINT: "faint", PAPER: "paper"}
    for colour, name in names.items():
        svg = svg.replace(colour, f"var(--{name}, {colour})")
    dark = " ".join(f"--{names[colour]}: {other};" for colour, other in DARK.items())
    style = f"<style>@media (prefers-color-scheme: dark) {{ svg {{ {dark} }} }}</style>\n"
    place = svg.index("<defs>")
    return svg[:place] + style + svg[place:]
