"""Data sets: labels are those of the traffic, and splits in time leak nothing."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import augury
from augury.learn import FEATURES, MEANINGS, DataSet, build_dataset

WEB = "synthetic:web?n=60000&objects=8000"


@pytest.fixture(scope="module")
def data() -> DataSet:
    """Rows of a small cache on a busy site."""
    return build_dataset(WEB, capacity="2%", rows=6_000)


def test_rows_have_the_schema_and_no_holes(data: DataSet) -> None:
    """Each row has every feature, finite; each feature has a meaning."""
    assert data.X.shape == (len(data), len(FEATURES))
    assert np.isfinite(data.X).all()
    assert set(FEATURES) == set(MEANINGS)
    assert 4_000 < len(data) <= 6_000


def test_the_season_is_0_until_there_is_a_rhythm(data: DataSet) -> None:
    """Three days of hours that return, and traffic too short to have any."""
    at = FEATURES.index("log_season")
    assert not data.X[:, at].any()
    daily = build_dataset(
        "synthetic:daily?n=200000&objects=9000&rate=0.75", capacity="5%", rows=9000
    )
    season = daily.X[:, at]
    is_first_day = daily.ticks < 64_800
    assert not season[is_first_day].any()
    later = season[daily.ticks > 140_000]
    # Few: what is out of its hours is the first to leave.
    assert (later < -2).mean() > 0.02
    assert (later == 0).mean() > 0.1


def test_a_wait_ends_with_an_access_or_with_the_data(data: DataSet) -> None:
    """What was not observed waits exactly to the end."""
    ends = data.ticks + data.waits
    assert (ends[~data.observed] == data.requests).all()
    assert (ends[data.observed] < data.requests).all()
    assert (data.waits > 0).all()


def test_decision_points_are_not_only_accesses(data: DataSet) -> None:
    """Most residents seen have waited for a while."""
    assert (data.X[:, FEATURES.index("log_age")] > 3).mean() > 0.5


def test_less_of_a_trace_gives_the_rows_of_less(data: DataSet) -> None:
    """What comes after ``until`` is not known: a wait that outlasts it is censored."""
    half = build_dataset(WEB, capacity="2%", rows=6_000, until=0.5)
    assert half.requests == data.requests // 2
    assert (half.ticks + half.waits <= half.requests).all()


def test_before_a_tick_only_the_past_is_known(data: DataSet) -> None:
    """Censoring at a tick is what ending the data there would have been."""
    tick = data.requests // 2
    past = data.before(tick)
    assert (past.ticks < tick).all()
    assert (past.ticks + past.waits <= tick).all()
    same = past.observed
    assert (past.waits[same] == data.take(data.ticks < tick).waits[same]).all()


def test_labels_leave_out_what_is_too_late_to_tell(data: DataSet) -> None:
    """No label of the last horizon is kept, positive or not, and they are counted."""
    horizon = 2_000
    rows, labels, cleaning = data.labelled(horizon)
    assert (rows.ticks + horizon <= data.requests).all()
    assert len(rows) + cleaning.unresolved == len(data)
    assert (labels == (rows.observed & (rows.waits <= horizon))).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 8), st.integers(1, 5_000), st.integers(0, 2**32))
def test_no_fold_trains_on_what_was_not_yet_certain(count: int, gap: int, seed: int) -> None:
    """Between the last training row and the first test row lie at least ``gap`` requests."""
    random = np.random.default_rng(seed)
    ticks = np.sort(random.integers(0, 100_000, 1_000))
    empty = DataSet(
        X=np.zeros((1_000, len(FEATURES)), np.float32),
        ticks=ticks,
        waits=np.ones(1_000, np.int64),
        observed=np.ones(1_000, bool),
        requests=100_000,
        capacity_bytes=1,
        residence=1.0,
    )
    folds = empty.folds(count, gap)
    assert 1 <= len(folds) <= count
    for earlier, later in folds:
        assert ticks[earlier].max() + gap < ticks[later].min()


def test_folds_that_cannot_be_are_refused(data: DataSet) -> None:
    """Too few rows, no folds, or a horizon as long as the trace."""
    for count, gap, rows in ((0, 1, data), (5, 1, data.take(slice(50))), (3, 10**9, data)):
        with pytest.raises(augury.ConfigError):
            rows.folds(count, gap)


def test_options_out_of_range_are_refused() -> None:
    """Each names the value and the limit."""
    with pytest.raises(augury.ConfigError, match="0 rows cannot be"):
        build_dataset(WEB, rows=0)
    with pytest.raises(augury.ConfigError, match="not a share above 0"):
        build_dataset(WEB, until=1.5)


def test_the_same_seed_gives_the_same_rows(data: DataSet) -> None:
    """Sampling is random by seed, and by nothing else."""
    again = build_dataset(WEB, capacity="2%", rows=6_000)
    assert (data.X == again.X).all()
    other = build_dataset(WEB, capacity="2%", rows=6_000, seed=2)
    assert data.ticks.tolist() != other.ticks.tolist()
    assert replace(data, trace="x").trace == "x"
