"""Times to live, from a framework's numbers to the cache's."""

import math
from typing import Final

__all__ = ["LONGEST", "lifetime"]

#: Seconds that the cache counts at most, some 136 years.
LONGEST: Final = 2**32 - 1


def lifetime(seconds: float | None) -> float:
    """A TTL as the cache takes it: for ever where it is None or longer than can be counted.

    >>> lifetime(60), lifetime(None), lifetime(1e12)
    (60.0, inf, inf)
    """
    return math.inf if seconds is None or seconds > LONGEST else float(seconds)
