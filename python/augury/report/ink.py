"""Colours: drawn as placeholders, shown as CSS variables, so that a plot has a dark side too."""

import re
from collections.abc import Iterable, Mapping

from augury.laboratory.policies import is_oracle

__all__ = ["GRID", "INK", "MUTED", "OTHER", "PAPER", "SERIES", "SUBJECT", "as_variables", "assign"]

#: Colours that no chart uses, each standing for the CSS variable of its name.
PLACEHOLDERS = {
    name: f"#fe01{number:02x}"
    for number, name in enumerate(
        ["ink", "muted", "grid", "paper", "subject", "other"] + [f"series-{n}" for n in range(10)]
    )
}
INK = PLACEHOLDERS["ink"]
MUTED = PLACEHOLDERS["muted"]
GRID = PLACEHOLDERS["grid"]
PAPER = PLACEHOLDERS["paper"]
SUBJECT = PLACEHOLDERS["subject"]
OTHER = PLACEHOLDERS["other"]
SERIES = tuple(PLACEHOLDERS[f"series-{n}"] for n in range(10))
ANY_PLACEHOLDER = re.compile("|".join(PLACEHOLDERS.values()))
VARIABLES = {colour: f"var(--{name})" for name, colour in PLACEHOLDERS.items()}


def as_variables(svg: str) -> str:
    """The drawing with CSS variables in place of the placeholders."""
    return ANY_PLACEHOLDER.sub(lambda found: VARIABLES[found[0]], svg)


def assign(policies: Iterable[str]) -> Mapping[str, str]:
    """A colour per policy: `auto` stands out, oracles recede, the rest share the series."""
    rest = iter(SERIES * 3)
    colours = {}
    for policy in policies:
        if policy == "auto":
            colours[policy] = SUBJECT
        else:
            colours[policy] = MUTED if is_oracle(policy) else next(rest, OTHER)
    return colours
