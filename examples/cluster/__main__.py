"""Run the demo, and print what came of it."""

from examples.cluster.demo import Report, run

__all__ = ["show"]


def show(report: Report) -> None:
    """Print the report."""
    from augury.cli.cluster.plan import plan_page
    from augury.cli.console import print_to

    print()
    print_to(None, plan_page(report.plan, report.errors))
    print()
    for name, counts in (("even slots", report.even), ("after the plan", report.placed)):
        shown = ", ".join(f"{count:,}" for count in counts)
        print(f"{name}: requests by node {shown}; busiest over mean {report.imbalance(counts):.2f}")
    driven = report.driven
    print(
        f"moved {report.moved} slots, {report.bytes:,} bytes in {report.seconds:.1f} s; of "
        f"{driven.requests:,} requests {len(driven.failures)} failed, {driven.wrong} wrong answers"
    )
    print(f"a near cache kept {report.near_hit_ratio:.1%} of its reads from the cluster")


if __name__ == "__main__":
    show(run())
