"""Estimators of reuse that need no library but numpy and scikit-learn's conventions."""

from augury.learn.estimators.tables import FrequencyWindow, SeasonalRate, SurvivalTable

__all__ = ["FrequencyWindow", "SeasonalRate", "SurvivalTable"]
