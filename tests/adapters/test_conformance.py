"""The frameworks' own tests of caches pass with augury's, but for those listed in suites.toml."""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen
from xml.etree import ElementTree

import pytest

sys.path.insert(0, str(Path(__file__).parent / "conformance"))
from run import SUITES, start

#: What JUnit's XML says of a test that did not pass.
KINDS = ("failure", "error", "skipped")


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """Every suite's report, once it has run; they sleep a lot, so they run side by side."""
    folder = tmp_path_factory.mktemp("conformance")
    running: dict[str, Popen[bytes]] = {}
    try:
        for suite in SUITES:
            running[suite] = start(suite, folder / f"{suite}.xml")
        for process in running.values():
            process.wait()
        yield {suite: folder / f"{suite}.xml" for suite in SUITES}
    finally:
        for process in running.values():
            process.kill()
            process.wait()


@pytest.mark.parametrize("suite", SUITES)
def test_the_suite_passes(suite: str, reports: dict[str, Path]) -> None:
    """Nothing fails, as many pass as are known to, and what is skipped has its reason."""
    report = reports[suite]
    output = report.with_suffix(".txt").read_text(encoding="utf-8")
    assert report.exists(), output
    outcomes: Counter[str] = Counter()
    reasons = set()
    for case in ElementTree.parse(report).iter("testcase"):
        outcome = next((child for child in case if child.tag in KINDS), None)
        outcomes["passed" if outcome is None else outcome.tag] += 1
        if outcome is not None and outcome.tag == "skipped":
            reasons.add(outcome.get("message"))
    assert 0 == outcomes["failure"] + outcomes["error"], output
    assert SUITES[suite]["passed"] <= outcomes["passed"], output
    assert reasons <= set(SUITES[suite]["skip"].values()), output
