"""Miss ratio curves: what each capacity would have come to."""

from dataclasses import dataclass

__all__ = ["SWEEP", "Curve", "between"]

#: The shares of the footprint that a curve asks for: about three per decade.
SWEEP = ("0.05%", "0.1%", "0.2%", "0.5%", "1%", "2%", "5%", "10%", "20%", "40%", "70%", "100%")
#: Capacities of a curve that costs no more for having many.
FINE = 128

#: A capacity in bytes (entries where every object has size 1), and an object miss ratio.
Point = tuple[int, float]


@dataclass(frozen=True, slots=True)
class Curve:
    """The object miss ratio of one policy on one trace, by capacity, smallest first."""

    trace: str
    policy: str
    #: One per capacity of the sweep that holds something.
    points: tuple[Point, ...]
    #: Many more, for `lru`: its whole curve comes exactly from one pass over stack distances.
    fine: tuple[Point, ...] = ()


def between(smallest: int, largest: int) -> list[int]:
    """Capacities at equal ratios, both ends included.

    >>> between(1, 8)[:4], len(between(100, 1_000_000))
    ([1, 2, 3, 4], 128)
    """
    steps = FINE - 1
    ratio = largest / smallest
    return list(dict.fromkeys(round(smallest * ratio ** (step / steps)) for step in range(FINE)))
