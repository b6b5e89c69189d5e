"""Our estimators keep scikit-learn's laws and know what censoring means."""

from typing import Any

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

import augury
from augury.learn.estimators import FrequencyWindow, SeasonalRate, SurvivalTable


def expected_failures(estimator: Any) -> dict[str, str]:
    """What an estimator's meaning forbids."""
    if isinstance(estimator, FrequencyWindow):
        return {"check_classifiers_train": "the decayed count is all that it looks at"}
    return {}


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(
    [FrequencyWindow(), SeasonalRate(), SurvivalTable()], expected_failed_checks=expected_failures
)
def test_conventions(estimator: Any, check: Any) -> None:
    """scikit-learn's own checks."""
    check(estimator)


def test_censored_rows_count_as_long_as_they_were_seen() -> None:
    """Half the objects come back after 50; the others are lost sight of at 10."""
    X = np.zeros((2_000, 1))
    waits = np.tile([50.0, 10.0], 1_000)
    observed = np.tile([1.0, 0.0], 1_000)
    y = np.column_stack([waits, observed])
    model = SurvivalTable(horizon=100.0).fit(X, y)
    assert model.predict_proba(X[:1])[0, 1] > 0.98
    naive = SurvivalTable(horizon=100.0).fit(X, (observed > 0).astype(int))
    assert abs(naive.predict_proba(X[:1])[0, 1] - 0.5) < 0.01


def test_parameters_out_of_range_are_refused() -> None:
    """At fit, as the conventions ask."""
    X, y = np.zeros((10, 1)), np.ones((10, 2))
    with pytest.raises(augury.ConfigError, match="horizon"):
        SurvivalTable(horizon=0).fit(X, y)
    with pytest.raises(augury.ConfigError, match="prior"):
        FrequencyWindow(prior=0).fit(X, np.arange(10) % 2)
