"""The first block of a saved cache: what the cache was made with, and what follows, as JSON."""

import json
from dataclasses import asdict, dataclass, fields
from types import GenericAlias, NoneType
from typing import Any, get_args

from augury.errors import PersistenceError

__all__ = ["OPTIONS", "UNITS", "Header"]

#: Bytes at most.
LONGEST = 1 << 16
#: What sizes are counted in: entries, bytes as measured by default, or by a function of the user.
UNITS = ("entries", "bytes", "own")
#: Arguments of a cache that are saved beside its capacity, and what they may be.
OPTIONS: dict[str, tuple[type, ...]] = {
    "policy": (str,),
    "ttl": (int, float, NoneType),
    "tti": (int, float, NoneType),
    "predicted_ttl": (list, NoneType),
    "jitter": (int, float),
    "journal": (int, NoneType),
    "sample_rows": (int,),
    "seed": (int,),
    "curve": (bool,),
}


@dataclass(frozen=True, slots=True)
class Header:
    """See the module's head."""

    unit: str
    capacity: int
    #: Other arguments of the cache.
    options: dict[str, Any]
    serializer: str
    #: Seconds since 1970 by the system's clock, for what is left of TTLs.
    saved_at: float
    #: Requests so far, of each shard.
    ticks: list[int]
    #: Whether each shard has learned anything.
    learned: list[bool]
    has_model: bool
    tags: int
    entries: int

    def to_bytes(self) -> bytes:
        """As JSON."""
        return json.dumps(asdict(self), allow_nan=False).encode()

    @classmethod
    def of(cls, data: bytes, name: str) -> "Header":
        """Read it, every part checked.

        Raises :class:`~augury.PersistenceError`, which names the file.
        """
        try:
            parts = json.loads(data)
            header = cls(**parts)
        except (ValueError, TypeError, RecursionError) as error:
            raise PersistenceError(f"{name}: is no sound saved cache: {error}") from error
        for field in fields(cls):
            found = getattr(header, field.name)
            if not fits(found, field.type):
                raise PersistenceError(
                    f"{name}: is no sound saved cache: {field.name} {found!r:.60}"
                )
        is_sound = (
            header.unit in UNITS
            and 1 <= header.capacity < 2**63
            and len(header.ticks) == len(header.learned) > 0
            and all(0 <= tick < 2**63 for tick in header.ticks)
            and min(header.tags, header.entries) >= 0
            and all(type(value) in OPTIONS.get(key, ()) for key, value in header.options.items())
        )
        if not is_sound:
            raise PersistenceError(f"{name}: is no sound saved cache: its header cannot be")
        return header


def fits(value: object, kind: Any) -> bool:
    """Whether a value of JSON is of this type."""
    if isinstance(kind, GenericAlias):
        if kind.__origin__ is dict:
            return isinstance(value, dict)
        return isinstance(value, list) and all(fits(part, get_args(kind)[0]) for part in value)
    if kind is float:
        return type(value) in (int, float)
    return type(value) is kind
