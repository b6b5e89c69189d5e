"""Placement: where the load of a cluster will be, and which slots should be where.

Valkey or Redis Cluster stores, shards and moves; this forecasts. In the order of the flow: nodes
are asked (`nodes`, `topology`) and watched (`watching`), windows are kept (`series`), become arrays
(`history`) and a forecast (`forecasting`). The cluster is surveyed (`surveying`), moves are chosen
(`planning`, `program`) and written down (`proposing`, `plan`), and executed (`applying`,
`migrating`).
"""

from augury.placement.applying import Applied, apply_plan, remaining
from augury.placement.forecasting import METHODS, Accuracy, Forecast, forecast, judge
from augury.placement.history import History, history_of
from augury.placement.nodes import Nodes
from augury.placement.plan import Move, Plan
from augury.placement.planning import Balance, Moves, balance_of, choose_moves
from augury.placement.proposing import make_plan
from augury.placement.series import METRICS, Store, Window, read_windows
from augury.placement.surveying import HotKey, Sample, sample_keys
from augury.placement.topology import SLOTS, Node, Topology
from augury.placement.watching import watch

__all__ = [
    "METHODS",
    "METRICS",
    "SLOTS",
    "Accuracy",
    "Applied",
    "Balance",
    "Forecast",
    "History",
    "HotKey",
    "Move",
    "Moves",
    "Node",
    "Nodes",
    "Plan",
    "Sample",
    "Store",
    "Topology",
    "Window",
    "apply_plan",
    "balance_of",
    "choose_moves",
    "forecast",
    "history_of",
    "judge",
    "make_plan",
    "read_windows",
    "remaining",
    "sample_keys",
    "watch",
]
