"""The laboratory: replays of recorded traffic, and what they come to.

In the order of the data: :mod:`.run` (the call), :mod:`.plan` and :mod:`.policies` (what was
asked, checked), :mod:`.execution` and :mod:`.jobs` (who replays what when), :mod:`.peers`
(libCacheSim's policies), :mod:`.cell` and :mod:`.curve` (outcomes), :mod:`.result` (all of them),
:mod:`.scores` (what they say beside each other), :mod:`.grid`, :mod:`.table` and
:mod:`.html_table` (how they are shown). Beside them :mod:`.sizing` (how large a cache to have) over
:mod:`.meter` (a miss ratio, by a replay or from a sample).
"""

from augury.laboratory.cell import Cell, Reign, Window
from augury.laboratory.curve import Curve
from augury.laboratory.execution import Progress
from augury.laboratory.result import ReplayResult
from augury.laboratory.run import replay
from augury.laboratory.sizing import SizePoint, Sizing, Target, size

__all__ = [
    "Cell",
    "Curve",
    "Progress",
    "Reign",
    "ReplayResult",
    "SizePoint",
    "Sizing",
    "Target",
    "Window",
    "replay",
    "size",
]
