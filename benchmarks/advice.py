"""What `augury advise` promises from the first half of a trace, beside what came in the second.

Every shared trace with requests enough, at 1%, 5% and 20% of its footprint, where that holds fifty
objects. All policies are replayed once over the whole trace; the advice hears of the first half of
the replay alone, and chooses and judges as it does on a trace that ends there. The truth is how
much less than `lru` the policy chosen misses in the second half. A promise is a verdict of *gain*;
its interval is for traffic that goes on as it is.
"""

from typing import Any

from augury import _core
from augury.advising.evidence import CANDIDATES, of_replays
from augury.advising.judging import judge
from augury.laboratory.scores import FEW
from benchmarks import results
from benchmarks.inputs import Shared

AGAINST = "lru"
FRACTIONS = (0.01, 0.05, 0.2)
#: Of which the first half is heard.
FEWEST_REQUESTS = 60_000


def measure(quick: bool) -> None:
    """Replay everything, and keep promises and truths."""
    shared = Shared.find()
    rows = []
    for name in shared.names(quick=quick):
        trace = _core.Trace(str(shared.path(name)))
        if trace.requests >= FEWEST_REQUESTS:
            rows += of_trace(name, trace)
            print(f"advice: {name}", flush=True)
    results.write("advice", quick, {"cells": rows})
    print(f"advice: {len(rows)} cells measured")


def of_trace(name: str, trace: _core.Trace) -> list[dict[str, Any]]:
    """The cells of one trace."""
    rows = []
    for fraction in FRACTIONS:
        capacity = trace.resolve((fraction, None))
        if capacity * trace.objects / trace.footprint >= FEW:
            rows.append({"trace": name, "fraction": fraction, **of_cell(trace, capacity)})
    return rows


def of_cell(trace: _core.Trace, capacity: int) -> dict[str, Any]:
    """What the first half promises, and what the second half brought."""
    ticker = _core.Ticker()
    outcomes: dict[str, Any] = {
        policy: trace.replay(policy, (None, capacity), 1, ticker) for policy in CANDIDATES
    }
    bound = "belady" if trace.footprint == trace.objects else "beladysize"
    least, _ = trace.sample(1.0, ticker).point(bound, capacity, 1, ticker)
    half = len(outcomes[AGAINST]["windows"]) // 2
    heard = {
        policy: {**outcome, "windows": outcome["windows"][:half]}
        for policy, outcome in outcomes.items()
    }
    verdict, chosen = judge(of_replays(heard, AGAINST, least, None))
    later = {policy: later_fewer(outcomes, policy, half) for policy in CANDIDATES}
    return {
        "verdict": str(verdict),
        "policy": chosen.policy,
        "promised": chosen.second and chosen.second._asdict(),
        "came": later[chosen.policy],
        "best": max(later, key=lambda policy: later[policy]),
        "best_came": max(later.values()),
    }


def later_fewer(outcomes: dict[str, Any], policy: str, half: int) -> float:
    """How much less than the policy in use one misses in the second half."""
    present, found = outcomes[AGAINST]["windows"][half:], outcomes[policy]["windows"][half:]
    requests = sum(window[0] for window in present)
    fewer = sum(one[1] for one in present) - sum(other[1] for other in found)
    return float(fewer / max(requests, 1))
