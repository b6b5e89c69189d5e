"""How keys and values become bytes and come back: the contract, and the checks around it."""

from typing import Any, Protocol, runtime_checkable

from augury.errors import ConfigError, PersistenceError
from augury.persistence.plain_data import PlainData

__all__ = ["Serializer", "decoded", "encoded", "name_of", "resolve"]


@runtime_checkable
class Serializer(Protocol):
    """Makes bytes of an object, and the object of the bytes.

    Any object or module with these two functions is one. What :func:`dumps` cannot save it refuses
    by an exception. `pickle` fits too, for whoever trusts the file as much as the program: reading
    a pickle runs what it says.
    """

    def dumps(self, value: Any, /) -> bytes:
        """Return the object as bytes."""

    def loads(self, data: bytes, /) -> Any:
        """Return the object that these bytes were made of."""


def resolve(asked: Serializer | None) -> Serializer:
    """The serializer that was asked for; plain data by msgpack for None."""
    if asked is None:
        return PlainData()
    if not callable(getattr(asked, "dumps", None)) or not callable(getattr(asked, "loads", None)):
        raise ConfigError(
            f"serializer {asked!r}: expected an object with dumps(object) -> bytes and "
            "loads(bytes) -> object, or None for plain data"
        )
    return asked


def name_of(serializer: Serializer) -> str:
    """What the file says of it, to tell one from another."""
    if isinstance(serializer, PlainData):
        return PlainData.NAME
    named = serializer if hasattr(serializer, "__name__") else type(serializer)
    return str(getattr(named, "__name__", "unknown"))[:100]


def encoded(serializer: Serializer, part: str, key: object, value: object) -> bytes:
    """The bytes of a key or a value (``part``), or an error that names it and the way out."""
    try:
        data = serializer.dumps(value)
    except Exception as error:
        raise PersistenceError(
            f"the {part} of type {type(value).__qualname__} under {shown(key)} cannot be saved: "
            f"{reason(error)}; pass a serializer= whose dumps and loads know it, "
            "or delete the entry first"
        ) from error
    if type(data) is not bytes:
        raise PersistenceError(
            f"serializer {name_of(serializer)}: dumps returned {type(data).__name__} for the "
            f"{part} under {shown(key)}, expected bytes"
        )
    return data


def decoded(serializer: Serializer, part: str, place: int, data: bytes) -> Any:
    """The key or value of an entry of the file, by its number."""
    try:
        return serializer.loads(data)
    except Exception as error:
        raise PersistenceError(
            f"the {part} of entry {place:,} cannot be read by the serializer "
            f"{name_of(serializer)}: {reason(error)}; load with the serializer "
            "that it was saved with"
        ) from error


def reason(error: Exception) -> str:
    """What an exception says, or its name where it says nothing."""
    return str(error) or type(error).__name__


def shown(key: object) -> str:
    """A key, cut to a length that fits a message; its ``__repr__`` may raise."""
    try:
        text = repr(key)
    except Exception:
        text = f"<{type(key).__qualname__}>"
    return text if len(text) <= 60 else f"{text[:57]}..."
