"""Access and caching probability: sums, bounds, monotony, and agreement with exact counts."""

import math
from collections import Counter, deque
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import augury
from augury.probability import (
    ExponentialDecay,
    SlidingWindow,
    access_probability,
    caching_probability,
)

COUNTS = st.dictionaries(st.integers(0, 40), st.integers(0, 1000), min_size=1, max_size=30)
FRACTIONS = COUNTS.map(lambda counts: {key: Fraction(count) for key, count in counts.items()})
SIZES = st.lists(st.integers(1, 500), min_size=41, max_size=41)
KEYS = st.lists(st.integers(0, 60), min_size=1, max_size=300)
TINY = 1e-9


@given(FRACTIONS)
def test_access_probabilities_sum_to_one(counts: dict[int, Fraction]) -> None:
    """Exactly, unless nothing was asked for."""
    shares = access_probability(counts)
    assert sum(shares.values()) == (1 if any(counts.values()) else 0)
    assert list(shares) == list(counts)


@given(FRACTIONS, st.integers(1, 8000), SIZES)
def test_the_room_is_filled_and_no_more(
    counts: dict[int, Fraction], capacity: int, sizes: list[int]
) -> None:
    """The sum of size times alpha is the capacity, or all that was asked for where that is less."""
    of_key = dict(enumerate(sizes))
    alpha = caching_probability(counts, capacity, of_key)
    asked = sum(of_key[key] for key, count in counts.items() if count)
    assert sum(of_key[key] * share for key, share in alpha.items()) == min(capacity, asked)
    assert all(0 <= share <= 1 for share in alpha.values())


@given(FRACTIONS, st.integers(1, 40), SIZES)
def test_alpha_is_water_filling(
    counts: dict[int, Fraction], capacity: int, sizes: list[int]
) -> None:
    """Below 1, all have one c = alpha / P; at 1, P is at least 1 / c; never asked for means 0."""
    alpha = caching_probability(counts, capacity, dict(enumerate(sizes)))
    levels = {alpha[key] / counts[key] for key in counts if counts[key] and alpha[key] < 1}
    assert len(levels) <= 1
    for level in levels:
        assert all(counts[key] * level >= 1 for key in counts if alpha[key] == 1)
    assert all(alpha[key] == 0 for key in counts if not counts[key])


@given(FRACTIONS, st.integers(1, 30), st.integers(1, 30))
def test_more_room_and_more_requests_never_lower_alpha(
    counts: dict[int, Fraction], capacity: int, more: int
) -> None:
    """Alpha rises with the capacity, and with P among keys."""
    alpha = caching_probability(counts, capacity)
    larger = caching_probability(counts, capacity + more)
    assert all(alpha[key] <= larger[key] for key in counts)
    ordered = sorted(counts, key=counts.__getitem__)
    assert sorted(alpha.values()) == [alpha[key] for key in ordered]


@given(COUNTS, st.floats(0.01, 50))
def test_floats_agree_with_fractions(counts: dict[int, int], capacity: float) -> None:
    """To rounding, whatever the scale of the weights."""
    exact = caching_probability(
        {key: Fraction(count) for key, count in counts.items()}, Fraction(capacity)
    )
    found = caching_probability({key: count / 7 for key, count in counts.items()}, capacity)
    assert found == {key: pytest.approx(float(share), abs=1e-9) for key, share in exact.items()}
    assert all(0.0 <= share <= 1.0 for share in found.values())


@given(KEYS, st.integers(1, 400), st.integers(1, 30))
def test_a_window_keeps_its_bounds(keys: list[int], width: int, panes: int) -> None:
    """Against an exact window, by the bounds that its documentation states."""
    window = SlidingWindow(width, panes=panes, heavy_hitters=20)
    exact: deque[int] = deque(maxlen=width)
    for key in keys:
        window.record(key)
        exact.append(key)
    assert window.requests == len(exact)
    counts = Counter(exact)
    pane = math.ceil(width / min(panes, width))
    outside = pane / 4 / len(exact)
    excess = window.excess[0] * (width + pane) / len(exact)
    for key in range(61):
        share = counts[key] / len(exact)
        assert share - outside - TINY <= window.probability(key) <= share + outside + excess + TINY


@given(KEYS)
def test_decay_by_requests_is_that_of_exact_counts(keys: list[int]) -> None:
    """Few enough keys for the summary: equal to decayed counts, and summing to 1."""
    decay = ExponentialDecay(half_life=7)
    counts: dict[int, float] = {}
    for key in keys:
        decay.record(key)
        counts = {known: count * 2 ** (-1 / 7) for known, count in counts.items()}
        counts[key] = counts.get(key, 0.0) + 1.0
    shares = access_probability(counts)
    assert decay.top() == {key: pytest.approx(share) for key, share in shares.items()}
    assert sum(decay.top().values()) == pytest.approx(1.0)


def test_decay_by_seconds_forgets_and_takes_times_out_of_order() -> None:
    """A thousand half-lives later nothing is left; an early time counts as the latest."""
    decay = ExponentialDecay(half_life=1, unit="seconds")
    decay.record("old", 0.0)
    decay.record("new", 1000.0)
    assert (2.0**-1000, 1.0) == (decay.probability("old"), decay.probability("new"))
    decay.record("old", 5.0)
    assert (2.0, 0.5) == (decay.requests, decay.probability("old"))


def test_memory_does_not_grow() -> None:
    """A hundred thousand keys take what five thousand take, and what is documented."""
    window = SlidingWindow(1000, panes=4, error=0.01, heavy_hitters=50)
    decay = ExponentialDecay(1000, error=0.01, heavy_hitters=50)
    held = set()
    for number in range(100_000):
        window.record(f"key:{number}")
        decay.record(f"key:{number}")
        if number >= 5_000 and number % 5_000 == 0:
            held.add((window.memory_bytes, decay.memory_bytes))
    assert 1 == len(held)
    documented = 32 * 512 + 120 * 50
    assert window.memory_bytes <= 5 * documented
    assert decay.memory_bytes <= documented


def test_keys_are_told_apart_as_in_traces() -> None:
    """An integer is one object however it is written; top() has one of its forms."""
    window = SlidingWindow(10)
    for key in (42, "42", b"42", b"\xff", -1, "-1", 2**64 - 1):
        window.record(key)
    assert 3 / 7 == window.probability("42")
    top = window.top()
    assert 4 == len(top)
    assert {b"\xff": 1 / 7, 2**64 - 1: 1 / 7}.items() <= top.items()
    assert [3 / 7, 2 / 7] == [pytest.approx(share) for share in window.top(2).values()]


def test_the_top_of_a_stream_can_be_cached() -> None:
    """top() goes into caching_probability as it is."""
    window = SlidingWindow(900)
    for key, count in (("a", 100), ("b", 300), ("c", 500)):
        for _ in range(count):
            window.record(key)
    alpha = caching_probability(window.top(), 2)
    assert {"a": 0.25, "b": 0.75, "c": 1.0} == {
        key: pytest.approx(alpha[key]) for key in ("a", "b", "c")
    }


@pytest.mark.parametrize("capacity", [0, -1, math.nan, math.inf, True])
def test_impossible_capacities_are_refused(capacity: float) -> None:
    """By name and value."""
    with pytest.raises(augury.CapacityError, match="capacity"):
        caching_probability({"a": 1}, capacity)


@pytest.mark.parametrize(
    ("weights", "sizes", "word"),
    [
        ({"a": -1}, None, "weight -1 of key 'a'"),
        ({"a": math.nan}, None, "weight nan"),
        ({"a": math.inf}, None, "weight inf"),
        ({"a": 1}, {}, "size None of key 'a'"),
        ({"a": 1}, {"a": 0}, "size 0 of key 'a'"),
    ],
)
def test_impossible_weights_and_sizes_are_refused(
    weights: dict[str, float], sizes: dict[str, float] | None, word: str
) -> None:
    """By key and value."""
    with pytest.raises(augury.ConfigError, match=word):
        caching_probability(weights, 2, sizes)


def test_impossible_parameters_are_refused() -> None:
    """Each names the parameter and its limit."""
    for make, word in (
        (lambda: SlidingWindow(0), "width 0"),
        (lambda: SlidingWindow(5, panes=0), "panes 0"),
        (lambda: SlidingWindow(5, error=0), "error 0"),
        (lambda: SlidingWindow(5, heavy_hitters=0), "heavy_hitters 0"),
        (lambda: ExponentialDecay(0), "half_life 0"),
        (lambda: ExponentialDecay(1, "days"), "unit 'days'"),
        (lambda: ExponentialDecay(1).record("a", 3.0), "time 3.0"),
        (lambda: ExponentialDecay(1, "seconds").record("a"), "time None"),
        (lambda: SlidingWindow(5).record(1.5), "key 1.5"),  # type: ignore[arg-type]
        (lambda: SlidingWindow(5).record(2**64), "key 18446744073709551616"),
    ):
        with pytest.raises(augury.ConfigError, match=word):
            make()
