"""Miss ratio curves: what each capacity would have come to."""

from dataclasses import dataclass

__all__ = ["SWEEP", "Curve"]

#: The shares of the footprint that a curve asks for: about three per decade.
SWEEP = ("0.05%", "0.1%", "0.2%", "0.5%", "1%", "2%", "5%", "10%", "20%", "40%", "70%", "100%")


@dataclass(frozen=True, slots=True)
class Curve:
    """The object miss ratio of one policy on one trace, by capacity, smallest first."""

    trace: str
    policy: str
    #: Pairs of capacity in bytes (entries where every object has size 1) and miss ratio.
    points: tuple[tuple[int, float], ...]
