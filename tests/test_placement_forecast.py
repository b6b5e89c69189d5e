"""Forecasts of load by slot, and their errors."""

import numpy as np
import pytest

import augury
from augury.placement import History, forecast, judge
from augury.placement.forecasting import HEAVIEST

pytest.importorskip("statsmodels")

DAY = 24


def seasonal(windows: int = 7 * DAY, slots: int = 20, seed: int = 3) -> History:
    """Hours of slots whose days have one shape each, with a trend, counted (so with noise)."""
    random = np.random.default_rng(seed)
    hours = np.arange(windows)[:, None]
    shift = random.uniform(0, 2 * np.pi, slots)
    shape = 1 + 0.6 * np.sin(2 * np.pi * hours / DAY + shift)
    trend = 1 + random.uniform(-0.3, 0.6, slots) * hours / windows
    rows = random.poisson(400 * shape * trend).astype(np.float32)
    return History(3_600.0, 0.0, np.arange(slots), {"cpu": rows})


def test_the_forecast_is_nearer_than_naive_ones() -> None:
    """On days with a trend: by every measure, on windows that were held out."""
    theta, seasonal_naive, naive = judge(seasonal(), horizon=12, origins=3)
    assert ["theta", "seasonal naive", "naive"] == [
        one.method for one in (theta, seasonal_naive, naive)
    ]
    for measure in ("mase", "smape", "wape"):
        errors = [getattr(one, measure) for one in (theta, seasonal_naive, naive)]
        assert errors[0] == min(errors)
    assert theta.mase < 0.9


def test_errors_are_those_of_the_papers() -> None:
    """A level of 10 that jumps by 2, and then by 6: MASE 3, sMAPE 2 * 6 / 26."""
    rows = np.array([10, 12, 10, 12, 10, 16], np.float32)[:, None]
    history = History(60.0, 0.0, np.array([5]), {"cpu": rows})
    errors = {one.method: one for one in judge(history, horizon=1)}
    assert pytest.approx(3.0) == errors["naive"].mase
    assert pytest.approx(2 * 6 / 26) == errors["naive"].smape
    assert pytest.approx(6 / 16) == errors["naive"].wape


def test_light_slots_share_one_forecast() -> None:
    """Beyond the heaviest, each has its part of their sum; nothing is negative or missing."""
    rows = np.ones((12, HEAVIEST + 4), np.float32) * 100
    rows[:, -4:] = [1, 2, 3, 4]
    history = History(60.0, 0.0, np.arange(HEAVIEST + 4), {"cpu": rows})
    found = forecast(history, horizon=3)
    assert pytest.approx(np.tile([1, 2, 3, 4], (3, 1))) == found.loads[:, -4:]
    assert pytest.approx(100.0) == found.means()[0]


@pytest.mark.parametrize("shape", ["zero", "late", "falling", "single"])
def test_every_series_has_a_finite_forecast(shape: str) -> None:
    """Nothing, something only now, falling to nothing, one spike: none below 0."""
    series = {
        "zero": np.zeros(96),
        "late": np.r_[np.zeros(95), 500],
        "falling": np.maximum(np.linspace(90, -50, 96), 0),
        "single": np.r_[np.zeros(40), 9_000, np.zeros(55)],
    }[shape]
    history = History(3_600.0, 0.0, np.array([1]), {"cpu": series[:, None].astype(np.float32)})
    found = forecast(history, horizon=30)
    assert np.isfinite(found.loads).all()
    assert (found.loads >= 0).all()


def test_a_season_must_have_been_seen() -> None:
    """A day by itself where two were watched; one asked for that was not is refused."""
    assert DAY == forecast(seasonal(2 * DAY), horizon=1).season
    assert 1 == forecast(seasonal(2 * DAY - 1), horizon=1).season
    with pytest.raises(augury.ConfigError, match="two of them"):
        forecast(seasonal(2 * DAY), horizon=1, season=7 * 86_400.0)
    with pytest.raises(augury.ConfigError, match="no load is called 'none'"):
        forecast(seasonal(), "none")
    with pytest.raises(augury.ConfigError, match="too few"):
        forecast(seasonal(3), horizon=1)
