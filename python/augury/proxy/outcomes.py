"""An answer and how it came about, for the client (Cache-Status, RFC 9211), the log and metrics."""

from dataclasses import dataclass

from augury.proxy.answers import Kept
from augury.proxy.flights import Alone, Coming, Landing, There

__all__ = ["Outcome", "brought"]


@dataclass(slots=True)
class Outcome:
    """See the module."""

    source: Kept | Coming | Alone
    #: One of hit, stale, revalidated, miss, collapsed, pass.
    label: str
    #: The parameters of Cache-Status.
    note: str

    @property
    def is_collapsed(self) -> bool:
        """Whether it was fetched for somebody else."""
        return self.label == "collapsed"


def brought(landing: Landing, why: str, is_collapsed: bool = False) -> Outcome:
    """That of an answer which the origin was asked for.

    Args:
        landing: What it brought.
        why: Why it was asked: `fwd` of Cache-Status.
        is_collapsed: Whether it was asked for somebody else.
    """
    forwarded = f"fwd={why}; fwd-status="
    end = "; collapsed" if is_collapsed else ""
    if isinstance(landing, There):
        return Outcome(landing.kept, "revalidated", f"{forwarded}{landing.forwarded}{end}")
    if isinstance(landing, Coming):
        label = "collapsed" if is_collapsed else "miss"
        return Outcome(landing, label, f"{forwarded}{landing.kept.status}; stored{end}")
    reason = f"; detail={landing.reason}" if landing.reason else ""
    return Outcome(landing, "pass", f"{forwarded}{landing.arrival.status}{reason}")
