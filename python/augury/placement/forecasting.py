"""What load the slots will have: a forecast from their series, and its error beside naive ones.

Where it stands: between what was watched and planning. The series of the heaviest slots are
forecast one by one by the theta method (Assimakopoulos and Nikolopoulos, "The theta model: a
decomposition approach to forecasting", International Journal of Forecasting 16, 2000), which
statsmodels has: seasonal factors, half of the linear trend, and exponential smoothing of the rest.
The others, whose own series are mostly noise, are forecast as one and split by their shares of the
last season. Why this one: docs/decisions/0030. It must not know clusters.

Errors are on windows that were not looked at: MASE is the mean absolute error over that of the
seasonal naive forecast within the windows before (Hyndman and Koehler, 2006), sMAPE is between 0
and 2. Both are means over the slots that are forecast one by one.
"""

import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from augury.errors import ConfigError
from augury.extras import require
from augury.placement.history import Floats, History

__all__ = ["HEAVIEST", "METHODS", "Accuracy", "Forecast", "forecast", "judge", "season_of"]

#: Slots that are forecast one by one.
HEAVIEST = 64
#: Seconds of a day, the season that is taken where two of them were watched.
DAY = 86_400.0
#: Below this share of a series' mean the scale is rather linear than logarithmic: noise near 0 is
#: no trend.
UNIT = 0.2
#: No forecast is above this times the largest load there was: a trend that doubles it is none.
MOST = 2.0


@dataclass(frozen=True, slots=True)
class Forecast:
    """Loads per second to be expected, of shape (horizon, slots)."""

    metric: str
    method: str
    #: Seconds of a window, and the end of what was known, in seconds since 1970.
    every: float
    since: float
    #: Windows of a season; 1 where there is none.
    season: int
    slots: npt.NDArray[np.int64]
    loads: Floats

    def means(self) -> dict[int, float]:
        """Load per second of each slot, over the windows that are forecast."""
        means = self.loads.mean(axis=0)
        return dict(zip(self.slots.tolist(), means.tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How far a method was off, on windows held out."""

    method: str
    mase: float
    smape: float
    #: Absolute error of all slots over their load, which the heavy ones decide.
    wape: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)


def naive(rows: Floats, horizon: int, _season: int) -> Floats:
    """As in the last window."""
    return np.repeat(rows[-1:], horizon, axis=0)


def seasonal_naive(rows: Floats, horizon: int, season: int) -> Floats:
    """As one season before."""
    places: npt.NDArray[np.int64] = np.arange(horizon) % min(season, len(rows))
    return rows[-season:][places]


def theta(rows: Floats, horizon: int, season: int) -> Floats:
    """Heavy series one by one, the others by their shares of one; see the head."""
    recent = rows[-max(season, min(len(rows), 8)) :].sum(axis=0)
    heavy = np.argsort(-recent, kind="stable")[:HEAVIEST]
    light = np.setdiff1d(np.arange(rows.shape[1]), heavy)
    found = np.zeros((horizon, rows.shape[1]))
    # Matrices of a few numbers: more threads only get into each other's way.
    with require("threadpoolctl", "placement").threadpool_limits(1):
        for place in heavy:
            found[:, place] = theta_of(rows[:, place], horizon, season)
        if len(light) and recent[light].sum() > 0:
            pooled = theta_of(rows[:, light].sum(axis=1), horizon, season)
            found[:, light] = np.outer(pooled, recent[light] / recent[light].sum())
    return found


def theta_of(series: Floats, horizon: int, season: int) -> Floats:
    """One series, of shape (windows,), on a logarithmic scale: days swell with the load."""
    if np.ptp(series) == 0:
        return np.full(horizon, series[-1])
    model = require("statsmodels.tsa.forecasting.theta", "placement").ThetaModel
    seasonal = season > 1 and len(series) >= 2 * season
    unit = UNIT * series.mean()
    with warnings.catch_warnings():
        # Of the optimiser, on series that are nearly constant: what it found is still a forecast.
        warnings.simplefilter("ignore")
        fitted = model(
            np.log1p(series / unit),
            period=season if seasonal else None,
            deseasonalize=seasonal,
            use_test=False,
            method="additive",
        ).fit()
        told = np.asarray(fitted.forecast(horizon), np.float64)
    most = np.log1p(MOST * series.max() / unit)
    sound = np.clip(np.where(np.isfinite(told), told, 0.0), 0.0, most)
    loads: Floats = np.expm1(sound) * unit
    return loads


METHODS: dict[str, Callable[[Floats, int, int], Floats]] = {
    "theta": theta,
    "seasonal naive": seasonal_naive,
    "naive": naive,
}


def season_of(history: History, season: float | None) -> int:
    """Windows in a season: of so many seconds, else of a day where two were watched, else 1.

    Raises:
        ConfigError: two such seasons were not watched, or a season has not two windows.
    """
    windows = round((DAY if season is None else season) / history.every)
    if windows >= 2 and len(history) >= 2 * windows:
        return windows
    if season is None:
        return 1
    raise ConfigError(
        f"a season of {season:g} s cannot be seen in {len(history):,} windows of "
        f"{history.every:g} s: it takes two of them, each of two windows or more"
    )


def forecast(
    history: History,
    metric: str = "cpu",
    *,
    horizon: int = 12,
    season: float | None = None,
    method: str = "theta",
) -> Forecast:
    """The loads of the next ``horizon`` windows.

    Args:
        history: What was watched.
        metric: One of :data:`~augury.placement.METRICS`.
        horizon: Windows to forecast.
        season: Seconds in which load returns; a day if None and two were watched.
        method: One of :data:`METHODS`.

    Raises:
        ConfigError: there are too few windows, or an option cannot be.

    >>> import numpy as np
    >>> from augury.placement import History
    >>> rows = np.tile([[1.0], [5.0], [9.0], [5.0]], (8, 1)).astype(np.float32)
    >>> seen = History(60.0, 0.0, np.array([7]), {"cpu": rows})
    >>> [round(load) for load in forecast(seen, horizon=4, season=240.0).loads[:, 0].tolist()]
    [1, 5, 9, 5]
    """
    if method not in METHODS:
        raise ConfigError(f"no method is called {method!r}; there are {', '.join(METHODS)}")
    check_horizon(history, horizon)
    windows = season_of(history, season)
    loads = METHODS[method](history.of(metric), horizon, windows)
    return Forecast(metric, method, history.every, history.end, windows, history.slots, loads)


def check_horizon(history: History, horizon: int) -> None:
    """Refuse what cannot be forecast."""
    if not 1 <= horizon <= 10_000:
        raise ConfigError(f"a horizon of {horizon} windows cannot be: from 1 to 10,000")
    if len(history) < 4:
        raise ConfigError(
            f"{len(history)} windows are too few to forecast from: collect at least 4"
        )


def judge(
    history: History,
    metric: str = "cpu",
    *,
    horizon: int = 12,
    season: float | None = None,
    origins: int = 1,
) -> list[Accuracy]:
    """The errors of all methods on the last windows, forecast from those before.

    Args:
        history: What was watched.
        metric: One of :data:`~augury.placement.METRICS`.
        horizon: Windows that are held out.
        season: As in :func:`forecast`.
        origins: How often: each time ``horizon`` windows earlier.

    Raises:
        ConfigError: there are too few windows.
    """
    check_horizon(history, horizon)
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in METHODS}
    for back in range(origins):
        seen = history.before(back * horizon) if back else history
        known = seen.before(horizon)
        check_horizon(known, horizon)
        windows = season_of(known, season)
        before, after = known.of(metric), seen.of(metric)[-horizon:]
        heavy = np.argsort(-before[-windows:].sum(axis=0), kind="stable")[:HEAVIEST]
        for name, method in METHODS.items():
            told = method(before, horizon, windows)
            found[name].append(errors(before, after, told, windows, heavy))
    return [
        Accuracy(name, *(float(np.mean(part)) for part in zip(*rows, strict=True)))
        for name, rows in found.items()
    ]


def errors(
    before: Floats, after: Floats, told: Floats, season: int, heavy: npt.NDArray[np.int64]
) -> tuple[float, float, float]:
    """MASE, sMAPE and the error of all; arrays of shape (windows, slots)."""
    apart = np.abs(told - after)
    scale = np.abs(before[season:] - before[:-season]).mean(axis=0)[heavy]
    varied = scale > 0
    mase = (apart.mean(axis=0)[heavy][varied] / scale[varied]).mean() if varied.any() else 0.0
    sizes = np.abs(told) + np.abs(after)
    shares = np.divide(2 * apart, sizes, out=np.zeros_like(apart), where=sizes > 0)
    return float(mase), float(shares[:, heavy].mean()), float(apart.sum() / max(after.sum(), 1e-12))
