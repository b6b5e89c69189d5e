"""Capacities as people write them: a share of the trace's footprint, bytes, or entries."""

from dataclasses import dataclass

from augury import _core
from augury.errors import CapacityError

__all__ = ["Capacity"]

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
        if isinstance(asked, str):
            return cls(asked.strip(), *_core.read_capacity(asked))
        if isinstance(asked, float) and 0 < asked <= 1:
            return cls(f"{asked * 100:.12g}%", fraction=asked)
        if isinstance(asked, int) and not isinstance(asked, bool) and 1 <= asked <= LARGEST:
            return cls(str(asked), absolute=asked)
        raise CapacityError(
            f"capacity {asked!r} cannot be: expected a share above 0 and at most 1 (0.01), a "
            f'number from 1 to {LARGEST}, or text such as "1%", "1000", "64MB" or "64MiB"'
        )

    @property
    def asked(self) -> tuple[float | None, int | None]:
        """The capacity as the extension takes it."""
        return self.fraction, self.absolute

    def for_cache(self) -> int:
        """The number of entries or bytes; a share is of a footprint, which only a trace has.

        >>> Capacity.parse("64 kB").for_cache()
        64000
        """
        if self.absolute is None:
            raise CapacityError(
                f"capacity {self.label} is a share of a trace's footprint; a cache takes entries, "
                'such as 1000, or bytes, such as "64 MB"'
            )
        return self.absolute
