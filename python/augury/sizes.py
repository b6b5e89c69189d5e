"""How many bytes an entry takes, where a capacity is in bytes and nobody says how to measure.

:func:`deep_size` follows what keys and values refer to: items of containers, attributes, the memory
under arrays and views. It looks at some hundreds of objects at most and extrapolates from them, so
that a large value costs no more than a few ten microseconds. It never raises, whatever the objects do.
"""

import sys
from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

__all__ = ["LARGEST", "deep_size"]

#: Objects looked at per entry, and items per container.
LOOKS = 512
ITEMS = 64
#: The largest size of an entry; what is larger is said to be so large.
LARGEST = 2**32 - 1
#: Of an object that cannot say how large it is.
UNKNOWN = 64

#: Types whose objects refer to nothing.
ATOMS = frozenset({
    bool, bytearray, bytes, complex, float, int, range, str, type(None), type(Ellipsis),
})  # fmt: skip
#: What is not part of a value, though it refers to it.
SHARED = (type, type(sys), type(lambda: None), type(len), type("".join))

#: Items of containers, at most so many, by the methods of the built-in type: a subclass may have
#: others, which are foreign code.
CONTAINERS: dict[type, tuple[Callable[[Any], int], Callable[[Any, int], Iterable[Any]]]] = {
    dict: (dict.__len__, lambda container, count: some_pairs(container, count)),
    list: (list.__len__, lambda container, count: spread(list.__getitem__, container, count)),
    tuple: (tuple.__len__, lambda container, count: spread(tuple.__getitem__, container, count)),
    set: (set.__len__, lambda container, count: islice(set.__iter__(container), count)),
    frozenset: (
        frozenset.__len__,
        lambda container, count: islice(frozenset.__iter__(container), count),
    ),
    deque: (deque.__len__, lambda container, count: islice(deque.__iter__(container), count)),
}


def deep_size(key: object, value: object) -> int:
    """Bytes that a key and its value take, with what they refer to, from 1 to 4,294,967,295.

    Counted are containers of the built-in types with their items, attributes of objects
    (``__dict__`` and ``__slots__``), the memory under numpy arrays, views of them and memoryviews,
    and ``nbytes`` of other arrays and tensors. An object that is referred to twice counts once;
    classes, functions and modules do not. Of a container of more than 64 items 64 stand for all,
    and after 512 objects the mean of those looked at stands for the rest, so the size of a
    large value is an estimate: exact where its items are alike.

    >>> from augury.sizes import deep_size
    >>> deep_size("a", b"x" * 1000) < 1200 < deep_size("a", [b"x" * 1000])
    True
    >>> rows = [{"id": 10**6 + number, "name": f"user {number}"} for number in range(10_000)]
    >>> 3_400_000 < deep_size("rows", rows) < 4_600_000
    True
    """
    if type(value) in ATOMS and type(key) in ATOMS:
        return min(sys.getsizeof(key) + sys.getsizeof(value), LARGEST)
    return max(1, min(round(measured([key, value])), LARGEST))


def measured(roots: list[object]) -> float:
    """Bytes of these objects and what they refer to, by looks at a bounded number of them."""
    # Objects with the number of objects that each stands for, in the order of their depth.
    waiting: deque[tuple[object, float]] = deque((root, 1.0) for root in roots)
    seen: set[int] = set()
    total = weight = 0.0
    while waiting and len(seen) < LOOKS:
        found, count = waiting.popleft()
        if id(found) in seen or issubclass(type(found), SHARED):
            continue
        seen.add(id(found))
        total += count * own_size(found)
        weight += count
        if type(found) not in ATOMS:
            parts, number = referred(found)
            share = count * number / len(parts) if parts else 0.0
            waiting.extend((part, share) for part in parts)
    rest = sum(count for found, count in waiting if id(found) not in seen)
    return total + rest * total / max(weight, 1.0)


def own_size(found: object) -> int:
    """Bytes of an object by itself."""
    kind = type(found)
    try:
        size = sys.getsizeof(found, UNKNOWN)
    except Exception:
        size = UNKNOWN
    if kind in ATOMS or kind in CONTAINERS or is_array(kind):
        return size
    try:
        # Tensors and tables of other libraries, whose memory is elsewhere.
        return max(size, int(found.nbytes))  # type: ignore[attr-defined]
    except Exception:
        return size


def referred(found: object) -> tuple[list[object], int]:
    """Some of the objects that this one refers to, and how many there are."""
    kind = type(found)
    parts: list[object] = []
    for base, (length, some) in CONTAINERS.items():
        if issubclass(kind, base):
            try:
                parts = list(some(found, ITEMS))
            except Exception:
                return [], 0
            number = length(found) * (2 if base is dict else 1)
            return parts + attributes(found), max(number, len(parts))
    if kind is memoryview:
        parts = [found.obj]  # type: ignore[attr-defined]
    elif is_array(kind):
        parts = array_parts(found)
    else:
        parts = attributes(found)
    return parts, len(parts)


def attributes(found: object) -> list[object]:
    """The values of an object's attributes, without running its own code."""
    kind = type(found)
    if kind.__module__ == "builtins":
        return []
    parts: list[object] = []
    try:
        own = object.__getattribute__(found, "__dict__")
        parts += islice(dict.values(own), ITEMS)
        parts.append(own) if not parts else None
    except Exception:
        pass
    for base in kind.__mro__:
        for name in slots(base)[:ITEMS]:
            try:
                parts.append(base.__dict__[name].__get__(found, kind))
            except Exception:
                continue
    return parts
