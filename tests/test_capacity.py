"""Capacities as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augury import Capacity, CapacityError


@pytest.mark.parametrize(
    ("asked", "fraction", "absolute"),
    [
        ("1%", 0.01, None),
        ("0.1%", 0.001, None),
        ("100%", 1.0, None),
        (0.25, 0.25, None),
        ("1000", None, 1000),
        (1000, None, 1000),
        ("64MB", None, 64_000_000),
        ("64 mib", None, 67_108_864),
        ("1.5KiB", None, 1536),
        ("7B", None, 7),
    ],
)
def test_accepted_forms(asked: str | float, fraction: float | None, absolute: int | None) -> None:
    """Shares, numbers and sizes read as what they say."""
    capacity = Capacity.parse(asked)
    assert (fraction, absolute) == (capacity.fraction, capacity.absolute)


@pytest.mark.parametrize(
    "asked",
    ["", "%", "ten", "-1", "-5%", "0", "0%", "101%", "1MBit", "1e3", "1_000", "nan", "inf%",
     "64 M B", 0, 0.0, 1.5, float("nan"), -3, 2**70, True, None],
)  # fmt: skip
def test_others_are_refused_with_the_value_and_the_way_out(asked: object) -> None:
    """The message names the value and what would do."""
    with pytest.raises(CapacityError) as refused:
        Capacity.parse(asked)  # type: ignore[arg-type]
    message = str(refused.value)
    assert str(asked) in message
    assert "64MiB" in message


@given(st.text(max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text makes anything else happen, and what is read has one meaning."""
    try:
        capacity = Capacity.parse(text)
    except CapacityError:
        return
    assert (capacity.fraction is None) != (capacity.absolute is None)
