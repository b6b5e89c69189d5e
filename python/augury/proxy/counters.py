"""What the proxy has done since it was started, as numbers that requests add to."""

from dataclasses import dataclass, field

__all__ = ["LABELS", "Counters"]

#: How an answer came about.
LABELS = ("hit", "stale", "revalidated", "miss", "collapsed", "pass", "refused", "failed", "purge")


@dataclass(slots=True)
class Counters:
    """See the module."""

    #: Answers by how they came about; `failed` is a 502, 503 or 504 of the proxy's own.
    answers: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LABELS, 0))
    #: Bytes of bodies.
    client_bytes: int = 0
    origin_bytes: int = 0
    origin_requests: int = 0
    origin_errors: int = 0
    stored: int = 0
    #: Validations behind a client's back, by stale-while-revalidate.
    revalidations: int = 0
    #: Fetches that nobody has asked for yet.
    ahead: int = 0
    #: Stale answers in place of an error.
    stood_in: int = 0
    collapsed: int = 0
    invalidations: int = 0
    #: Clients that left before their answer was complete.
    disconnects: int = 0
    in_flight: int = 0
