"""Which capacity to choose: costs, bounds, steps and hysteresis."""

import random
from itertools import pairwise

import pytest

from augury.errors import CapacityError, ConfigError
from augury.sizing import Prices, choose_capacity, miss_ratio_at

#: A knee at 200.
CURVE = [(50, 0.5), (100, 0.4), (200, 0.1), (400, 0.099), (800, 0.098)]
#: Room costs about what the misses that it spares do.
FLAT = [(100, 0.4), (200, 0.3722), (400, 0.3166), (800, 0.2054)]
PRICES = Prices(per_gb_hour=1.0, per_miss=1e-5)


def choose(
    capacity: int, curve: list[tuple[int, float]] = CURVE, **others: float
) -> tuple[int, str]:
    """The choice at ten requests per second and a megabyte per entry."""
    arguments: dict[str, float] = {"lowest": 50, "highest": 800, "requests_per_second": 100}
    arguments |= {"bytes_per_unit": 1e6} | others
    found = choose_capacity(curve, PRICES, capacity=capacity, **arguments)  # type: ignore[arg-type]
    return found.capacity, found.reason


def test_the_knee_is_cheapest_from_either_side() -> None:
    """From half and from twice of it the knee is reached at once, and kept."""
    assert (200, "cheaper") == choose(100)
    assert (200, "cheaper") == choose(400)
    assert (200, "stay") == choose(200)


def test_a_far_goal_is_approached_by_steps() -> None:
    """No call changes the capacity by more than the largest step."""
    assert (400, "step") == choose(800)
    assert (534, "step") == choose(800, largest_step=1.5)
    assert (200, "cheaper") == choose(800, largest_step=4)


def test_bounds_are_obeyed_at_once() -> None:
    """A capacity outside the bounds goes to the nearer one, whatever it costs."""
    assert (300, "bounds") == choose(100, lowest=300)
    assert (80, "bounds") == choose(800, highest=80)
    assert (150, "cheaper") == choose(100, highest=150)


def test_dear_misses_want_room_and_dear_room_wants_misses() -> None:
    """Without a price on one of the two the choice is an end."""
    ends = []
    for prices in (Prices(0, 1e-5), Prices(1, 0)):
        found = choose_capacity(
            CURVE, prices, capacity=200, lowest=50, highest=800, requests_per_second=100,
            bytes_per_unit=1e6, largest_step=100, hysteresis=0,
        )  # fmt: skip
        ends.append(found.capacity)
    assert [800, 50] == ends


def test_noise_below_the_hysteresis_never_flaps() -> None:
    """Under errors of 2% of the miss ratio the capacity settles; without hysteresis it does not."""
    changes = {}
    for hysteresis in (0.0, 0.05):
        noise, capacity, chosen = random.Random(1), 100, []
        for _ in range(200):
            curve = [(at, ratio * noise.uniform(0.98, 1.02)) for at, ratio in FLAT]
            capacity, _ = choose(capacity, curve, hysteresis=hysteresis)
            chosen.append(capacity)
        changes[hysteresis] = sum(one != other for one, other in pairwise(chosen))
    assert changes[0.05] == 0
    assert changes[0.0] > 0


def test_the_miss_ratio_between_points_is_monotone() -> None:
    """Interpolation stays between its neighbours, and flat beyond the ends."""
    found = [miss_ratio_at(CURVE, at) for at in range(10, 1_000, 7)]
    assert found == sorted(found, reverse=True)
    assert (0.5, 0.098) == (found[0], found[-1])


@pytest.mark.parametrize(
    ("changed", "error", "word"),
    [
        ({"lowest": 0}, CapacityError, "bounds 0"),
        ({"lowest": 900}, CapacityError, "bounds 900"),
        ({"hysteresis": 1.0}, ConfigError, "hysteresis 1.0"),
        ({"largest_step": 1.0}, ConfigError, "largest step 1.0"),
        ({"requests_per_second": -1.0}, ConfigError, "requests per second -1.0"),
        ({"bytes_per_unit": 0.0}, ConfigError, "bytes per unit 0.0"),
        ({"curve": []}, ConfigError, "curve []"),
        ({"curve": [(10, 1.5)]}, ConfigError, "1.5"),
    ],
)
def test_what_cannot_be_is_refused(
    changed: dict[str, object], error: type[Exception], word: str
) -> None:
    """The error names the value."""
    with pytest.raises(error) as raised:
        choose(100, **changed)  # type: ignore[arg-type]
    assert word in str(raised.value)


def test_prices_are_checked() -> None:
    """No negative price, and not both 0."""
    for per_gb_hour, per_miss in ((-1, 1), (1, -1), (0, 0), (float("nan"), 1)):
        with pytest.raises(ConfigError):
            Prices(per_gb_hour, per_miss)
