"""Pages of the reference that are printed from the code: ``python docs/generate.py``.

The command from its own definitions (typer's documentation of itself), the metrics from what a
server answers. `tests/test_docs_reference.py` fails where a page is not what this prints. The
settings are printed likewise, by ``cargo run -p augury-server --example settings``.
"""

import html
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import redis
from prometheus_client.openmetrics.parser import text_string_to_metric_families

__all__ = ["cli", "metrics"]

REFERENCE = Path(__file__).parent / "reference"
READY = re.compile(r"ready for (\w+) on (\S+)")
#: Everything that has metrics is switched on; nobody listens at the upstream.
SERVED = ("--simulate", "yes", "--upstream", "redis://127.0.0.1:1", "--log-level", "nothing")
#: Labels whose values are always the same.
TOLD = ("cause", "kind")
OF_THE_SERVER = """\
What follows the word `serve` is read by the server itself, as by the program `augury-server`; each
[setting](../settings.md) is an option, and `augury serve --help` prints them all.

"""


def cli() -> str:
    """The page of the command."""
    typer = [sys.executable, "-m", "typer", "augury.cli.app", "utils", "docs"]
    printed = subprocess.run(
        [*typer, "--name", "augury", "--title", "The command"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    text = html.unescape(printed)
    begin = text.index("## `augury serve`")
    end = text.index("\n## ", begin)
    section = text[begin:end]
    told = section.index("**Usage**")
    served = section[:told] + OF_THE_SERVER + "```console\n$ augury serve [OPTIONS] [FILE]\n```\n"
    return text[:begin] + served + text[end:].rstrip() + "\n"


def metrics(page: str) -> str:
    """The page of the metrics, from what a server answers at ``/metrics``."""
    lines = [
        "# Metrics",
        "",
        "What `augury serve --http-port 9121` answers at `/metrics`, in the OpenMetrics format",
        "that Prometheus reads. Counters begin at the start of the process. `/healthz` answers",
        "while the process lives, `/readyz` once it serves. Those of the upstream are there with",
        "`--upstream`, hit ratios of simulated policies with `--simulate`. [Alerts and a",
        "dashboard](../guides/deploy.md) are made of them.",
        "",
        "| metric | type | labels | what it is |",
        "|---|---|---|---|",
    ]
    for family in text_string_to_metric_families(page):
        labels = sorted({label for sample in family.samples for label in sample.labels})
        values = [
            f"`{label}` ({', '.join(shown)})" if label in TOLD else f"`{label}`"
            for label in labels
            if label != "le"
            for shown in [dict.fromkeys(sample.labels[label] for sample in family.samples)]
        ]
        name = family.name if family.type == "histogram" else family.samples[0].name
        lines.append(f"| `{name}` | {family.type} | {', '.join(values)} | {family.documentation} |")
    return "\n".join(lines) + "\n"


def answered() -> str:
    """What a server answers at ``/metrics`` after a few thousand commands."""
    command = [sys.executable, "-m", "augury", "serve", "--port", "0", "--http-port", "0", *SERVED]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            found: dict[str, str] = {}
            while not {"redis", "http"} <= found.keys():
                line = process.stdout.readline()
                assert line, "the server has ended"
                found |= dict(READY.findall(line))
            drive(int(found["redis"].rpartition(":")[2]))
            with urllib.request.urlopen(f"http://{found['http']}/metrics", timeout=20) as answer:
                return str(answer.read().decode())
        finally:
            process.terminate()


def drive(port: int) -> None:
    """Store and ask for keys, until there is something to tell of each metric."""
    with redis.Redis(port=port, protocol=2) as client, client.pipeline(False) as pipe:
        for number in range(5_000):
            pipe.set(f"key:{number}", number)
        for number in range(5_000):
            pipe.get(f"key:{number}")
        pipe.execute()


if __name__ == "__main__":
    (REFERENCE / "cli.md").write_text(cli(), encoding="utf-8")
    (REFERENCE / "metrics.md").write_text(metrics(answered()), encoding="utf-8")
