"""How long training takes, how much memory, and how fast models answer natively.

Five million requests of ``synthetic:zipf-drift`` at 1%: a million rows are built and LightGBM (100
trees of 31 leaves) trained on them, in a process of its own whose peak memory is that of all of
it; then a forest (100 trees of depth 12) on 200,000 rows. Answers: one row at a time and in
batches of 10,000, in CPU time on one thread, interleaved with LightGBM's own, medians of rounds.
"""

import json
import resource
import subprocess
import sys
import time
from statistics import median
from typing import Any

import numpy as np

from benchmarks import results

REQUESTS = {False: 5_000_000, True: 500_000}
ROWS = {False: 1_000_000, True: 50_000}
FOREST_ROWS = {False: 200_000, True: 20_000}
BATCH = 10_000
SINGLE = 20_000
ROUNDS = 7


def measure(quick: bool) -> None:
    """Run the two trainings in processes of their own and keep what they report."""
    content: dict[str, Any] = {}
    for what in ("lightgbm", "forest"):
        command = [sys.executable, "-W", "ignore", "-m", "benchmarks.training", what]
        command += ["--quick"] if quick else []
        content[what] = json.loads(subprocess.check_output(command, text=True))
        print(f"training: {what} {content[what]}", flush=True)
    results.write("training", quick, content)


def run(what: str, quick: bool) -> dict[str, Any]:
    """One training, timed by the clock and by its peak memory."""
    from augury.learn import build_dataset

    started = time.perf_counter()
    rows = ROWS[quick] if what == "lightgbm" else FOREST_ROWS[quick]
    # Some of the trace passes before the cache is full: a few more are asked for.
    data = build_dataset(
        f"synthetic:zipf-drift?n={REQUESTS[quick]}", capacity="1%", rows=int(rows * 1.02)
    ).take(slice(rows))
    built = time.perf_counter() - started
    horizon = data.horizon()
    kept, labels, _ = data.labelled(horizon)
    estimator = estimator_of(what)
    estimator.fit(kept.X, labels.astype(np.int64))
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    found = {"rows": len(data), "build_seconds": built, "seconds": seconds, "peak_bytes": peak}
    return found | (answers(estimator, kept.X[:BATCH]) if what == "lightgbm" else {})


def estimator_of(what: str) -> Any:
    """The estimator that the target names."""
    if what == "lightgbm":
        from lightgbm import LGBMClassifier

        return LGBMClassifier(n_estimators=100, num_leaves=31, n_jobs=1, verbose=-1)
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(100, max_depth=12, n_jobs=2, random_state=1)


def answers(estimator: Any, features: Any) -> dict[str, Any]:
    """Microseconds of CPU per row: ours in batches and one at a time, LightGBM's in batches."""
    from augury.learn import Artifact, describe

    native = Artifact.of(describe(estimator), meaning="probability", horizon=1).native
    rows = np.ascontiguousarray(features, "<f4")
    whole, width = rows.tobytes(), rows.shape[1] * 4
    singles = [whole[at * width : (at + 1) * width] for at in range(BATCH)]
    booster = estimator.booster_
    times: dict[str, list[float]] = {"batch": [], "single": [], "lightgbm": []}
    for _ in range(ROUNDS):
        started = time.process_time()
        native.predict(whole, False)
        times["batch"].append((time.process_time() - started) / BATCH)
        started = time.process_time()
        for row in (singles * (SINGLE // BATCH))[:SINGLE]:
            native.predict(row, False)
        times["single"].append((time.process_time() - started) / SINGLE)
        started = time.process_time()
        booster.predict(rows, num_threads=1)
        times["lightgbm"].append((time.process_time() - started) / BATCH)
    return {f"{name}_us": round(1e6 * median(found), 3) for name, found in times.items()}


if __name__ == "__main__":
    if sys.argv[1:2] in (["lightgbm"], ["forest"]):
        print(json.dumps(run(sys.argv[1], "--quick" in sys.argv)))
    else:
        measure(quick="--quick" in sys.argv[1:])
