"""The dashboard of the server: prints ``augury.json``, which Grafana reads.

Usage: dashboard.py > augury.json. Rows in the order in which they are asked: is the cache worth it,
what does it keep, how fast is it, how does the upstream do, is the process well.
"""

import json

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import TooltipDisplayMode
from grafana_foundation_sdk.models.dashboard import DataSourceRef, VariableRefresh

__all__ = ["shown"]

SOURCE = DataSourceRef(type_val="prometheus", uid="${source}")
#: The servers that were chosen, of all that are watched.
CHOSEN = 'job=~"$job", instance=~"$instance"'
HEIGHT = 8
#: Grafana's grid is so wide.
WIDTH = 24
Panel = timeseries.Panel | stat.Panel


def query(expression: str, legend: str, number: int) -> prometheus.Dataquery:
    """A line of a panel; ``$$`` stands for the labels of the servers that were chosen."""
    asked = prometheus.Dataquery().expr(expression.replace("$$", CHOSEN))
    return asked.legend_format(legend).ref_id(chr(ord("A") + number)).datasource(SOURCE)


def filled(panel: Panel, what: str, unit: str, width: int, lines: dict[str, str]) -> Panel:
    """A panel with its description, unit, width and lines, each by what it is called."""
    panel = panel.description(what).unit(unit).span(width).height(HEIGHT).datasource(SOURCE)
    for number, (legend, expression) in enumerate(lines.items()):
        panel = panel.with_target(query(expression, legend, number))
    return panel


def graph(title: str, what: str, unit: str, **lines_and_width: str | int) -> Panel:
    """Lines over time."""
    width = int(lines_and_width.pop("width", 8))
    lines = {legend: str(expression) for legend, expression in lines_and_width.items()}
    tooltip = common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI)
    panel = timeseries.Panel().title(title).min(0).fill_opacity(8).tooltip(tooltip)
    return filled(panel, what, unit, width, lines)


def number(title: str, what: str, unit: str, expression: str) -> Panel:
    """The latest value, large."""
    return filled(stat.Panel().title(title), what, unit, 4, {"{{instance}}": expression})


def rate(name: str, labels: str = "") -> str:
    """Per second, of a counter."""
    return f"rate({name}{{$${labels}}}[$__rate_interval])"


def quantile(share: float, by: str) -> str:
    """Of the time that commands take."""
    buckets = rate("augury_command_duration_seconds_bucket")
    return f"histogram_quantile({share}, sum by ({by}, le) ({buckets}))"


READS = f"({rate('augury_hits_total')} + {rate('augury_misses_total')})"
HIT_RATIO = f"{rate('augury_hits_total')} / ({READS} > 0)"

ROWS: dict[str, list[Panel]] = {
    "Is it worth it": [
        number("Hit ratio", "Share of reads answered from memory.", "percentunit", HIT_RATIO),
        number(
            "Hit ratio, best shadow",
            "What the best expert, or simulated policy, would have hit in a sample.",
            "percentunit",
            "max by (instance) (augury_shadow_hit_ratio{$$})",
        ),
        number(
            "Entries", "Keys of all databases.", "short", "sum by (instance) (augury_keys{$$})"
        ),
        number("Commands", "Per second.", "ops", rate("augury_commands_total")),
        number(
            "Up since", "Time since the start.", "s", "time() - augury_start_time_seconds{$$}"
        ),
        number("Clients", "Connected.", "short", "augury_clients{$$}"),
        graph(
            "Hit ratio, and what others would have",
            "The shadows see a sample; policies are simulated where the setting simulate says so.",
            "percentunit",
            width=12,
            **{
                "{{instance}}": HIT_RATIO,
                "{{instance}} {{kind}} {{policy}}": "augury_shadow_hit_ratio{$$}",
                "{{instance}} of the simulated": "augury_simulated_hit_ratio{$$}",
            },
        ),
        graph(
            "Reads",
            "Per second.",
            "ops",
            width=12,
            **{
                "{{instance}} hits": rate("augury_hits_total"),
                "{{instance}} misses": rate("augury_misses_total"),
            },
        ),
    ],
    "What it keeps": [
        graph(
            "Memory",
            "The bound, what counts against it, what the process takes.",
            "bytes",
            **{"{{instance}} {{kind}}": "augury_memory_bytes{$$}"},
        ),
        graph("Entries", "By database.", "short", **{"{{instance}} db{{db}}": "augury_keys{$$}"}),
        graph(
            "Added and removed",
            "Entries per second; removals by their cause, newcomers turned away as rejected.",
            "ops",
            **{
                "{{instance}} added": rate("augury_insertions_total"),
                "{{instance}} {{cause}}": rate("augury_removals_total"),
                "{{instance}} rejected": rate("augury_rejections_total"),
            },
        ),
    ],
    "How fast it is": [
        graph(
            "Time of a command",
            "In the server, of one call in 32; without network and waits for the upstream.",
            "s",
            **{
                "{{instance}} median": quantile(0.5, "instance"),
                "{{instance}} p99": quantile(0.99, "instance"),
                "{{instance}} p99.9": quantile(0.999, "instance"),
            },
        ),
        graph(
            "Time by command",
            "The 99th percentile of each.",
            "s",
            **{"{{instance}} {{command}}": quantile(0.99, "instance, command")},
        ),
        graph(
            "Errors and connections",
            "Per second: answers that were errors, connections accepted, and refused.",
            "ops",
            **{
                "{{instance}} errors": rate("augury_errors_total"),
                "{{instance}} connections": rate("augury_connections_total"),
                "{{instance}} refused": rate("augury_refused_connections_total"),
            },
        ),
    ],
    "How the upstream does": [
        graph(
            "Loads",
            "Per second: of what was missing, of what was about to end, of what was expected.",
            "ops",
            **{
                "{{instance}} loads": rate("augury_upstream_loads_total"),
                "{{instance}} refreshes": rate("augury_upstream_refreshes_total"),
                "{{instance}} prefetches": rate("augury_upstream_prefetches_total"),
                "{{instance}} waits": rate("augury_upstream_waits_total"),
            },
        ),
        graph(
            "What goes wrong",
            "Per second.",
            "ops",
            **{
                "{{instance}} errors": rate("augury_upstream_errors_total"),
                "{{instance}} timeouts": rate("augury_upstream_timeouts_total"),
                "{{instance}} refused": rate("augury_upstream_refused_total"),
                "{{instance}} served stale": rate("augury_upstream_stale_served_total"),
                "{{instance}} revoked": rate("augury_upstream_revoked_total"),
            },
        ),
        graph(
            "Prefetches that were used",
            "Share of those whose fate is known.",
            "percentunit",
            **{
                "{{instance}}": "{used} / ({used} + {unused} > 0)".format(
                    used=rate("augury_upstream_prefetches_used_total"),
                    unused=rate("augury_upstream_prefetches_unused_total"),
                )
            },
        ),
        graph(
            "Under way, and kept beside",
            "Loads under way, absences, values kept beyond their end, prefetches not used yet.",
            "short",
            width=12,
            **{
                "{{instance}} in flight": "augury_upstream_in_flight{$$}",
                "{{instance}} absences": "augury_upstream_absences{$$}",
                "{{instance}} stale": "augury_upstream_stale_kept{$$}",
                "{{instance}} prefetched": "augury_upstream_prefetched_waiting{$$}",
            },
        ),
        graph(
            "Not there",
            "Per second: loads that found no key, answers by an absence, values not kept.",
            "ops",
            width=12,
            **{
                "{{instance}} absent": rate("augury_upstream_absent_total"),
                "{{instance}} remembered": rate("augury_upstream_absences_served_total"),
                "{{instance}} passed": rate("augury_upstream_passed_total"),
            },
        ),
    ],
    "Whether the process is well": [
        number("Answers", "1: it does.", "short", "up{$$}"),
        number("Upstream answers", "1: it does.", "short", "augury_upstream_up{$$}"),
        number("Snapshot written", "1: the latest was.", "short", "augury_snapshot_good{$$}"),
        number(
            "Age of the snapshot", "Or of the process.", "s",
            "time() - augury_snapshot_time_seconds{$$}",
        ),
        number(
            "Stale values", "Bytes kept beyond their end.", "bytes",
            "augury_upstream_stale_bytes{$$}",
        ),
        filled(
            stat.Panel().title("Version and policy").text_mode("name"),
            "As the server says.", "short", 4,
            {"{{version}} {{policy}}": "augury_build_info{$$}"},
        ),
    ],
}  # fmt: skip


def chosen(name: str, label: str) -> dashboard.QueryVariable:
    """Which servers are shown, by a label of theirs."""
    variable = dashboard.QueryVariable(name).label(name).datasource(SOURCE)
    variable = variable.query(f"label_values(augury_build_info, {label})")
    return variable.refresh(VariableRefresh.ON_TIME_RANGE_CHANGED).multi(True).include_all(True)


def shown() -> str:
    """The dashboard as JSON."""
    made = (
        dashboard.Dashboard("augury")
        .uid("augury")
        .description("A key-value cache that predicts: what it hits, keeps and costs.")
        .tags(["augury", "cache"])
        .refresh("30s")
        .time("now-3h", "now")
        .timezone("browser")
        .with_variable(dashboard.DatasourceVariable("source").label("source").type("prometheus"))
        .with_variable(chosen("job", "job"))
        .with_variable(chosen("instance", "instance"))
    )
    for title, panels in ROWS.items():
        made = made.with_row(dashboard.Row(title))
        for panel in panels:
            made = made.with_panel(panel)
    built = json.loads(JSONEncoder(sort_keys=True).encode(made.build()))
    for number_, panel in enumerate(built["panels"], start=1):
        panel["id"] = number_
    return json.dumps(built, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    print(shown(), end="")
