"""Advice: what a cache would bring for recorded traffic, how sure that is, and what to do.

In the order of the data: :mod:`.run` (the call), :mod:`.evidence` (replays, or a sample of the
objects where the trace is long), :mod:`.interval` (how far off a difference may be),
:mod:`.judging` (from differences to a verdict), :mod:`.advice` (the answer as data),
:mod:`.sentences` (the answer in words). It measures nothing by itself that a replay, a size or an
inspection would not tell, and promises nothing that they do not bear out.
"""

from augury.advising.advice import Advice, Foresight, Money, Saving, Standing
from augury.advising.run import advise

__all__ = ["Advice", "Foresight", "Money", "Saving", "Standing", "advise"]
