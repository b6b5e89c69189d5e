"""Plain data as bytes, by msgpack: nothing that is read is ever run.

msgpack itself knows None, booleans, integers of 64 bits, floats, text, bytes, lists and
dictionaries. What it would turn into something else (tuples into lists) or refuse has an extension
type of its own here, so that what comes back is equal to what was saved. Subclasses are refused:
they would come back as what they are not.
"""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

from augury.extras import require

__all__ = ["PlainData"]

#: Bits of an integer of Python at most: as long as its text may be (`sys.int_info`).
LONGEST_INTEGER = 1 << 20


class PlainData:
    """The default serializer (extra ``save``): plain data of these exact types.

    ``None bool int float complex str bytes list tuple dict set frozenset datetime date time
    timedelta Decimal UUID``, nested as they like. Integers may be of any size up to a million bits,
    text may have lone surrogates. Datetimes keep a fixed offset or the name of their zone. A
    ``bytearray`` or ``memoryview`` comes back as ``bytes``.

    >>> from augury.persistence import PlainData
    >>> plain = PlainData()
    >>> plain.loads(plain.dumps({"ids": (1, 2**80), "tags": {"a"}}))
    {'ids': (1, 1208925819614629174706176), 'tags': {'a'}}
    """

    NAME: ClassVar[str] = "plain data"

    def __init__(self) -> None:
        self._msgpack: Any = require("msgpack", "save")

    def dumps(self, value: Any, /) -> bytes:
        """Return the object as bytes; ``TypeError`` names the type that is no plain data."""
        return bytes(
            self._msgpack.packb(
                value, default=self._extended, strict_types=True, unicode_errors="surrogatepass"
            )
        )

    def loads(self, data: bytes, /) -> Any:
        """Return the object. Nothing is allocated that the bytes have no room for."""
        return self._msgpack.unpackb(
            data,
            ext_hook=self._restored,
            strict_map_key=False,
            unicode_errors="surrogatepass",
        )

    def _extended(self, value: Any) -> Any:
        for code, (kind, parts, _) in EXTENSIONS.items():
            if type(value) is kind:
                return self._msgpack.ExtType(code, self.dumps(parts(value)))
        raise TypeError(
            f"{type(value).__module__}.{type(value).__qualname__} is no plain data, which is of "
            "the built-in types, dates, Decimal and UUID"
        )

    def _restored(self, code: int, data: bytes) -> Any:
        if code not in EXTENSIONS:
            raise ValueError(f"extension type {code} is not known")
        kind, _, made = EXTENSIONS[code]
        value = made(self.loads(data))
        if type(value) is not kind:
            raise ValueError(f"extension type {code} is no {kind.__name__}")
        return value


def integer_bytes(value: int) -> bytes:
    """An integer that does not fit into 64 bits."""
    if value.bit_length() > LONGEST_INTEGER:
        raise ValueError(f"an integer of {value.bit_length():,} bits, at most {LONGEST_INTEGER:,}")
    return value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)


def zone_parts(value: datetime | time) -> str | int | None:
    """A time zone: its name, its offset in microseconds, or None."""
    zone = value.tzinfo
    if zone is None:
        return None
    if type(zone) is ZoneInfo and zone.key is not None:
        return zone.key
    if type(zone) is timezone:
        return zone.utcoffset(None) // timedelta(microseconds=1)
    raise TypeError(f"time zone {zone!r} is neither a timezone nor a ZoneInfo with a key")


def zone_of(parts: str | int | None) -> timezone | ZoneInfo | None:
    """The time zone of these parts."""
    if parts is None:
        return None
    return ZoneInfo(parts) if isinstance(parts, str) else timezone(timedelta(microseconds=parts))


def moment_parts(value: datetime | time) -> list[Any]:
    """Text without its zone, fold, and zone."""
    return [value.replace(tzinfo=None, fold=0).isoformat(), value.fold, zone_parts(value)]


def datetime_of(parts: list[Any]) -> datetime:
    """The moment of these parts."""
    text, fold, zone = parts
    return datetime.fromisoformat(text).replace(fold=fold, tzinfo=zone_of(zone))


def time_of(parts: list[Any]) -> time:
    """The time of day of these parts."""
    text, fold, zone = parts
    return time.fromisoformat(text).replace(fold=fold, tzinfo=zone_of(zone))


#: By the code in the file: the type, what is packed of it, and how it is made again. Codes are for
#: ever.
EXTENSIONS: dict[int, tuple[type, Callable[[Any], Any], Callable[[Any], Any]]] = {
    1: (tuple, list, tuple),
    2: (set, list, set),
    3: (frozenset, list, frozenset),
    4: (int, integer_bytes, lambda data: int.from_bytes(data, "little", signed=True)),
    5: (datetime, moment_parts, datetime_of),
    6: (date, date.isoformat, date.fromisoformat),
    7: (time, moment_parts, time_of),
    8: (
        timedelta,
        lambda value: [value.days, value.seconds, value.microseconds],
        lambda parts: timedelta(*parts),
    ),
    9: (Decimal, str, Decimal),
    10: (UUID, lambda value: value.bytes, lambda data: UUID(bytes=data)),
    11: (complex, lambda value: [value.real, value.imag], lambda parts: complex(*parts)),
}
