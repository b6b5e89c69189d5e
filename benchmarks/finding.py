"""One limit, and what was measured against it."""

from dataclasses import dataclass

__all__ = ["Finding"]


@dataclass(frozen=True)
class Finding:
    """A limit and what was measured against it."""

    what: str
    limit: str
    value: str
    met: bool
    #: The cell with the worst value.
    where: str | None = None
