"""Placement: where the load of a cluster will be, and which slots should be where.

Valkey or Redis Cluster stores, shards and moves; this forecasts. In the order of the flow: nodes
are asked (`nodes`, `topology`) and watched (`watching`), windows are kept (`series`), become arrays
(`history`) and a forecast (`forecasting`).
"""

from augury.placement.forecasting import METHODS, Accuracy, Forecast, forecast, judge
from augury.placement.history import History, history_of
from augury.placement.nodes import Nodes
from augury.placement.series import METRICS, Store, Window, read_windows
from augury.placement.topology import SLOTS, Node, Topology
from augury.placement.watching import watch

__all__ = [
    "METHODS",
    "METRICS",
    "SLOTS",
    "Accuracy",
    "Forecast",
    "History",
    "Node",
    "Nodes",
    "Store",
    "Topology",
    "Window",
    "forecast",
    "history_of",
    "judge",
    "read_windows",
    "watch",
]
