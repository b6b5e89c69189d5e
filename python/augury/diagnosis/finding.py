"""What one look came to."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

__all__ = ["Finding", "State"]


class State(StrEnum):
    """How good it is."""

    OK = "ok"
    #: Something is not there that only some need, or is not as it would be best.
    NOTE = "note"
    #: Something will not work.
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    about: str
    state: State
    found: str
    #: What to do about it; empty where there is nothing to do.
    way_out: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {**asdict(self), "state": str(self.state)}
