"""The demo of a cluster: it runs, balances, loses nothing and leaves nothing behind."""

from pathlib import Path

import pytest
from examples.cluster.__main__ import show
from examples.cluster.demo import run

from clusters import needs_valkey

pytest.importorskip("statsmodels")


@needs_valkey
def test_the_demo_of_a_cluster_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """With a short day: the plan is better than even slots, and nobody has noticed."""
    said: list[str] = []
    report = run(season=2.5, tenants=16, rate=600, say=said.append)
    assert ([], 0) == (report.driven.failures, report.driven.wrong)
    # By how much depends on how well a machine keeps so short a day.
    assert report.imbalance(report.placed) < report.imbalance(report.even)
    assert report.moved == len(report.plan.moves) > 0
    assert report.near_hit_ratio > 0.3
    show(report)
    printed = capsys.readouterr().out
    assert "busiest over mean" in printed
    assert "0 failed, 0 wrong answers" in printed
    assert "the cluster is gone" == said[-1]
    assert not any(b"--cluster-enabled" in command for command in commands())


def commands() -> list[bytes]:
    """Of the children of this process that run or wait to be buried."""
    found = []
    for path in Path("/proc/self/task").glob("*/children"):
        for child in path.read_text().split():
            try:
                found.append(Path(f"/proc/{child}/cmdline").read_bytes())
            except OSError:
                continue
    return found
