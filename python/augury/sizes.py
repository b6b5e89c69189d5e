"""How many bytes an entry takes, where a capacity is in bytes and nobody says how to measure.

:func:`deep_size` follows what keys and values refer to: items of containers, attributes, the memory
under arrays and views. It looks at some hundreds of objects at most and extrapolates from them, so
that a large value takes about a tenth of a millisecond, a small dictionary ten microseconds and
plain text half a one. It never raises, whatever the objects do.
"""

import sys
from collections import deque
from collections.abc import Callable
from itertools import islice
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any

__all__ = ["LARGEST", "deep_size"]

Parts = list[object]

#: Objects looked at per entry, and items per container.
LOOKS = 256
ITEMS = 32
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


def spread(get: Callable[[Any, int], object], container: Any, length: int, count: int) -> Parts:
    """Items of a sequence, evenly apart."""
    step = max(length // count, 1)
    return [get(container, at) for at in range(0, length, step)][:count]


def of_list(container: Any, count: int) -> Parts:
    """Items of a list."""
    return spread(list.__getitem__, container, list.__len__(container), count)


def of_tuple(container: Any, count: int) -> Parts:
    """Items of a tuple."""
    return spread(tuple.__getitem__, container, tuple.__len__(container), count)


def of_dict(container: Any, count: int) -> Parts:
    """Keys and values of a dictionary."""
    pairs = list(islice(dict.items(container), count // 2))
    return [part for pair in pairs for part in pair]


#: Types of containers, how many items they have, and some of the items: by the methods of the
#: built-in type, since those of a subclass are foreign code.
CONTAINERS: dict[type, tuple[Callable[[Any], int], Callable[[Any, int], Parts]]] = {
    dict: (lambda found: 2 * dict.__len__(found), of_dict),
    list: (list.__len__, of_list),
    tuple: (tuple.__len__, of_tuple),
    set: (set.__len__, lambda found, count: list(islice(set.__iter__(found), count))),
    frozenset: (
        frozenset.__len__,
        lambda found, count: list(islice(frozenset.__iter__(found), count)),
    ),
    deque: (deque.__len__, lambda found, count: list(islice(deque.__iter__(found), count))),
}


def deep_size(key: object, value: object) -> int:
    """Bytes that a key and its value take, with what they refer to, from 1 to 4,294,967,295.

    Counted are containers of the built-in types with their items, attributes of objects
    (``__dict__`` and ``__slots__``), the memory under numpy arrays, views of them and memoryviews,
    and ``nbytes`` of other arrays and tensors. An object that is referred to twice counts once;
    classes, functions and modules do not. Of a container of more than 32 items 32 stand for all,
    and after 256 objects the mean of those looked at stands for the rest, so the size of a
    large value is an estimate: exact where its items are alike.

    >>> from augury.sizes import deep_size
    >>> deep_size("a", {"data": [b"x" * 1000]}) > 1000
    True
    >>> rows = [{"id": 10**6 + number, "name": f"user {number}"} for number in range(10_000)]
    >>> 2_700_000 < deep_size("rows", rows) < 2_900_000
    True
    """
    if type(value) in ATOMS and type(key) in ATOMS:
        return min(sys.getsizeof(key) + sys.getsizeof(value), LARGEST)
    return max(1, min(round(measured([key, value])), LARGEST))


def measured(roots: Parts) -> float:
    """Bytes of these objects and what they refer to, by looks at a bounded number of them."""
    # Objects that may refer to others, and how many each stands for: the nearest first.
    waiting: deque[tuple[object, float]] = deque((root, 1.0) for root in roots)
    seen: set[int] = set()
    total = looked = shares = 0.0
    while waiting and len(seen) < LOOKS:
        found, share = waiting.popleft()
        if id(found) in seen or issubclass(type(found), SHARED):
            continue
        seen.add(id(found))
        size: float = own_size(found)
        parts, number = referred(found)
        each = number / len(parts) if parts else 0.0
        for part in parts:
            if type(part) not in ATOMS:
                waiting.append((part, share * each))
            elif id(part) not in seen:
                seen.add(id(part))
                size += each * sys.getsizeof(part)
        total += share * size
        # The root of a large value says nothing of what is within.
        if found is not roots[-1]:
            looked, shares = looked + share * size, shares + share
    rest = sum(share for found, share in waiting if id(found) not in seen)
    return total + rest * looked / max(shares, 1.0)


def own_size(found: object) -> int:
    """Bytes of an object by itself."""
    kind = type(found)
    if kind in ATOMS or kind in CONTAINERS:
        return sys.getsizeof(found)
    try:
        size = max(sys.getsizeof(found, UNKNOWN), 0)
    except Exception:
        size = UNKNOWN
    if is_array(kind):
        return size
    try:
        # Tensors and tables of other libraries, whose memory is elsewhere.
        return max(size, int(found.nbytes))  # type: ignore[attr-defined]
    except Exception:
        return size


def referred(found: object) -> tuple[Parts, int]:
    """Some of the objects that this one refers to, and how many there are."""
    kind = type(found)
    if kind in ATOMS:
        return [], 0
    try:
        for base in (kind,) if kind in CONTAINERS else CONTAINERS:
            if issubclass(kind, base):
                length, some = CONTAINERS[base]
                parts = some(found, ITEMS)
                return parts, max(length(found), len(parts))
        parts = array_parts(found) if is_array(kind) else attributes(found)
    except Exception:
        # It has changed meanwhile, or is none of those that it says it is.
        return [], 0
    return parts, len(parts)


def is_array(kind: type) -> bool:
    """Whether objects of this type lay their memory open: memoryviews, and arrays of numpy."""
    numpy = sys.modules.get("numpy")
    return kind is memoryview or (numpy is not None and issubclass(kind, numpy.ndarray))


def array_parts(found: Any) -> Parts:
    """Whose memory a view shows, and items that are objects; an array's own is in its size."""
    if type(found) is memoryview:
        return [found.obj]
    parts: Parts = [] if found.base is None else [found.base]
    if found.dtype.hasobject:
        parts += found.ravel()[:ITEMS].tolist()
    return parts


def attributes(found: object) -> Parts:
    """An object's dictionary and what its slots hold, without running its own code."""
    kind = type(found)
    parts: Parts = []
    for base in kind.__mro__:
        for name, slot in list(vars(base).items()):
            if name == "__dict__" and type(slot) is GetSetDescriptorType:
                parts.append(slot.__get__(found, kind))
            elif type(slot) is MemberDescriptorType and base.__module__ != "builtins":
                try:
                    parts.append(slot.__get__(found, kind))
                except AttributeError:
                    continue
    return parts[:ITEMS]
