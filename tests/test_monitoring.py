"""Rules and dashboard: right by those who read them, and of metrics that a server really has."""

import importlib.util
import json
import re
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
RULES = DEPLOY / "prometheus" / "augury.rules.yml"
#: A metric of the server in an expression; names of recorded rules have colons.
METRIC = re.compile(r"(?<![\w:])(augury_\w+)")
RECORDED = re.compile(r"augury:[\w:]+")
BUCKETS = ("_bucket", "_count", "_sum")


def module(path: Path) -> ModuleType:
    """A script as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def promtool(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """What promtool says, in the folder of the rules."""
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("needs promtool, of Debian's package prometheus")
    return subprocess.run(
        [program, *arguments], cwd=RULES.parent, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def live() -> set[str]:
    """The names of what a server answers, in which everything is switched on."""
    page = module(ROOT / "docs" / "generate.py").answered()
    return {
        sample.name for family in text_string_to_metric_families(page) for sample in family.samples
    }


def asked(text: str) -> set[str]:
    """The metrics that a text names."""
    return set(METRIC.findall(text))


def expressions() -> list[str]:
    """What the panels of the dashboard ask."""
    panels = json.loads((DEPLOY / "grafana" / "augury.json").read_text(encoding="utf-8"))["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", [])]


def test_rules_do_what_they_say() -> None:
    """Each alert comes where it has to and nowhere else, by promtool's tests."""
    for arguments in (
        ("check", "rules", RULES.name),
        ("check", "config", "prometheus.yml"),
        ("test", "rules", "augury.rules.test.yml"),
    ):
        done = promtool(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_tested_and_explained() -> None:
    """Each is in promtool's tests and in the guide, which name no other."""
    alerts = set(re.findall(r"alert: (\w+)", RULES.read_text(encoding="utf-8")))
    tests = RULES.with_name("augury.rules.test.yml").read_text(encoding="utf-8")
    guide = (ROOT / "docs" / "guides" / "deploy.md").read_text(encoding="utf-8")
    assert alerts == set(re.findall(r'alertname="(\w+)"', tests))
    assert alerts == set(re.findall(r"^\| `(Augury\w+)`", guide, re.MULTILINE))


def test_metrics_of_the_rules_are_there(live: set[str]) -> None:
    """A server answers all that rules and their tests name; recorded rules are recorded."""
    text = RULES.read_text(encoding="utf-8")
    tests = RULES.with_name("augury.rules.test.yml").read_text(encoding="utf-8")
    assert set() == asked(text + tests) - live
    assert asked(tests) == asked(text), "series of promtool's tests"
    assert set(re.findall(r"record: (\S+)", text)) == set(RECORDED.findall(text))


def test_metrics_of_the_dashboard_are_there(live: set[str]) -> None:
    """A server answers all that it asks for."""
    assert set() == asked(" ".join(expressions())) - live


def test_every_metric_is_documented(live: set[str]) -> None:
    """The page of the reference has all names, and no others."""
    page = (ROOT / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
    families = {
        name.removesuffix(ending)
        for name in live
        for ending in [next((it for it in BUCKETS if name.endswith(it)), "")]
    }
    assert families == set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))


def test_the_dashboard_is_what_its_script_prints() -> None:
    """Else: ``python deploy/grafana/dashboard.py > deploy/grafana/augury.json``."""
    printed = module(DEPLOY / "grafana" / "dashboard.py").shown()
    assert (DEPLOY / "grafana" / "augury.json").read_text(encoding="utf-8") == printed


def test_the_dashboard_is_whole() -> None:
    """Panels lie beside and below each other, have a title, and ask the source that was chosen."""
    board = json.loads((DEPLOY / "grafana" / "augury.json").read_text(encoding="utf-8"))
    variables = {variable["name"] for variable in board["templating"]["list"]}
    assert variables == {"source", "job", "instance"}
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
        if panel["type"] == "row":
            continue
        assert panel["title"]
        assert panel["description"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${source}"}
        letters = [target["refId"] for target in panel["targets"]]
        assert len(set(letters)) == len(letters) > 0
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    assert all('job=~"$job", instance=~"$instance"' in one for one in expressions())


def test_expressions_of_the_dashboard_are_promql(tmp_path: Path) -> None:
    """By promtool, which reads each as a rule, once Grafana's variables have a value."""
    rules = [
        {"record": "a:b", "expr": re.sub(r"\$__\w+", "5m", one).replace("$", "a")}
        for one in expressions()
    ]
    path = tmp_path / "rules.json"
    path.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}), encoding="utf-8")
    done = promtool("check", "rules", "--lint=none", str(path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(rules)} rules found" in done.stdout
