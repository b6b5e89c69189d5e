"""Capacities as people write them: a share of the trace's footprint, bytes, or entries."""

import math
import re
from dataclasses import dataclass

from augury.errors import CapacityError

__all__ = ["Capacity"]

UNITS = {
    "": 1,
    "B": 1,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KIB": 2**10,
    "MIB": 2**20,
    "GIB": 2**30,
    "TIB": 2**40,
}
FORMS = "a share of the footprint (1%), a number (1000) or a size (64MB, 64MiB)"
NUMBER = re.compile(r"(?P<number>\d+(?:_\d+)*(?:\.\d+)?)\s*(?P<unit>%|[A-Za-z]*)")
LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Capacity:
    """A capacity as asked for; what it comes to depends on the trace.

    Exactly one of ``fraction`` (of the footprint, above 0 and at most 1) and ``absolute``
    (entries where every object has size 1, else bytes) is given.

    >>> Capacity.parse("0.1%")
    Capacity(label='0.1%', fraction=0.001, absolute=None)
    >>> Capacity.parse("64MiB").absolute
    67108864
    >>> Capacity.parse(1000).label
    '1000'
    """

    label: str
    fraction: float | None = None
    absolute: int | None = None

    @classmethod
    def parse(cls, asked: "str | int | float | Capacity") -> "Capacity":
        """Read a capacity; a float stands for a fraction of the footprint, an int for a number.

        Raises :class:`~augury.CapacityError` for anything else.
        """
        if isinstance(asked, Capacity):
            return asked
        if isinstance(asked, bool) or not isinstance(asked, str | int | float):
            raise CapacityError(f"capacity {asked!r} is not one: expected {FORMS}")
        if isinstance(asked, int):
            return cls.of_number(str(asked), asked)
        if isinstance(asked, float):
            return cls.of_share(f"{asked * 100:.12g}%", asked)
        return cls.of_text(asked)

    @classmethod
    def of_text(cls, text: str) -> "Capacity":
        """Read a capacity from text."""
        label = text.strip()
        match = NUMBER.fullmatch(label)
        unit = match["unit"].upper() if match else None
        if match is None or (unit != "%" and unit not in UNITS):
            raise CapacityError(f"capacity {text!r} is not one: expected {FORMS}")
        number = match["number"].replace("_", "")
        if unit == "%":
            return cls.of_share(label, float(number) / 100)
        whole = float(number) * UNITS[unit] if "." in number else int(number) * UNITS[unit]
        return cls.of_number(label, math.floor(whole))

    @classmethod
    def of_share(cls, label: str, fraction: float) -> "Capacity":
        """A share of the footprint."""
        if not 0 < fraction <= 1:
            raise CapacityError(f"capacity {label!r} is outside the range above 0% up to 100%")
        return cls(label, fraction=fraction)

    @classmethod
    def of_number(cls, label: str, absolute: int) -> "Capacity":
        """A number of entries or bytes."""
        if not 1 <= absolute <= LARGEST:
            raise CapacityError(f"capacity {label!r} is outside the range from 1 to {LARGEST}")
        return cls(label, absolute=absolute)
