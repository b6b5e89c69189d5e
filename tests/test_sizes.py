"""Sizes of entries where nobody says how to measure: what is counted, and what it may cost."""

import sys
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import augury
from augury.sizes import LARGEST, deep_size

KEY = sys.getsizeof("key")


def exact(value: object) -> int:
    """Sum over everything that is referred to, each object once."""
    waiting, seen, total = [value], set[int](), 0
    while waiting:
        found = waiting.pop()
        if id(found) in seen:
            continue
        seen.add(id(found))
        total += sys.getsizeof(found)
        if isinstance(found, dict):
            waiting += [*found.keys(), *found.values()]
        elif isinstance(found, list | tuple | set | frozenset | deque):
            waiting += found
    return total


PLAIN = st.recursive(
    st.one_of(st.none(), st.integers(), st.floats(), st.text(), st.binary()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.tuples(inner, inner),
        st.dictionaries(st.text(), inner, max_size=5),
        st.frozensets(st.integers(), max_size=5),
    ),
    max_leaves=30,
)


@given(PLAIN)
def test_small_plain_values_are_measured_exactly(value: object) -> None:
    """Containers and leaves, each object once."""
    assert exact(["key", value]) - sys.getsizeof([0, 0]) == pytest.approx(
        deep_size("key", value), abs=1
    )


@pytest.mark.parametrize("rows", [100, 10_000, 200_000])
def test_large_values_are_estimated_from_a_part(rows: int) -> None:
    """Within a tenth where the items are alike, whatever their number."""
    value = [{"id": 10**6 + row, "name": f"user {10**6 + row}"} for row in range(rows)]
    assert deep_size("key", value) == pytest.approx(KEY + exact(value), rel=0.1)


def test_large_values_take_no_longer_than_small_ones() -> None:
    """A hundred thousand items in the time of a few thousand looks."""
    small, large = [[list(range(count)) for _ in range(count)] for count in (40, 400)]

    def seconds(value: object) -> float:
        return min(timed(value) for _ in range(5))

    assert seconds(large) < 20 * seconds(small)


def timed(value: object) -> float:
    """Seconds for one look at a value."""
    start = time.perf_counter()
    deep_size("key", value)
    return time.perf_counter() - start


def test_cycles_end() -> None:
    """A list in itself, and two dictionaries in each other."""
    cycle: list[object] = []
    cycle.append(cycle)
    one: dict[str, object] = {}
    other = {"one": one}
    one["other"] = other
    assert KEY + sys.getsizeof(cycle) == deep_size("key", cycle)
    assert deep_size("key", one) > sys.getsizeof(one) + sys.getsizeof(other)


@dataclass(slots=True)
class Slotted:
    """Attributes in slots."""

    data: bytes
    more: Any


class Plain:
    """Attributes in a dictionary."""

    def __init__(self, data: bytes) -> None:
        self.data = data


@pytest.mark.parametrize(
    "value",
    [
        b"x" * 5_000,
        bytearray(5_000),
        memoryview(bytes(5_000)),
        memoryview(bytearray(5_000))[10:20],
        np.zeros(5_000, "u1"),
        np.zeros(5_000, "u1")[::2],
        np.array([b"x" * 5_000], object),
        [b"x" * 5_000],
        {"a": {"b": (b"x" * 5_000,)}},
        deque([b"x" * 5_000]),
        OrderedDict(a=b"x" * 5_000),
        Plain(b"x" * 5_000),
        Slotted(b"x" * 5_000, None),
        Slotted(b"", Plain(b"x" * 5_000)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_referred_to_is_counted_once(value: object) -> None:
    """Five thousand bytes, wherever they are, and their wrapping."""
    assert 5_000 < deep_size("key", value) < 6_500
    assert 5_000 < deep_size(value, None) < 6_500


def test_keys_count() -> None:
    """A long key is part of the entry."""
    assert deep_size("k" * 1_000, 1) - deep_size("k", 1) == 999


class Odd:
    """Raises whatever is asked."""

    def __getattribute__(self, name: str) -> Any:
        """Not even that."""
        raise RuntimeError(name)

    def __sizeof__(self) -> int:
        """Nonsense."""
        return -5

    @property
    def nbytes(self) -> int:
        """Neither."""
        raise SystemError


class OddList(list[int]):
    """A list that lies."""

    def __iter__(self) -> Any:
        """Raise."""
        raise RuntimeError

    def __len__(self) -> int:
        """Raise."""
        raise RuntimeError


class Huge:
    """Says that it is larger than anything."""

    nbytes = 10**30


@pytest.mark.parametrize("make", [Odd, lambda: OddList([1, 2]), lambda: Odd, lambda: len, object])
def test_odd_objects_have_some_size(make: Callable[[], object]) -> None:
    """Nothing raises, and what a class or function refers to is not counted."""
    assert 1 <= deep_size("key", make()) < 5_000


def test_sizes_have_a_limit() -> None:
    """What is larger than four gigabytes is said to be so large."""
    assert LARGEST == deep_size("key", Huge())


def test_a_capacity_in_bytes_counts_what_is_referred_to() -> None:
    """Lists of long texts fill a cache as the texts would."""
    cache: augury.Cache[int, list[str]] = augury.Cache("100 kB")
    for number in range(100):
        cache[number] = [f"{number} " + "x" * 5_000]
    assert 10 < len(cache) < 20
