"""Does the near cache ever answer by something stale? On a real cluster, under faults.

    python -m benchmarks.nearcache.checker --reads 1000000

Three primaries and a replica each, of valkey-server; clients in processes of their own, threads and
asyncio, default and broadcast tracking, half of them through proxies that can be frozen. Each reads
at random and writes its share of the keys. Meanwhile nodes are killed and stopped, connections
killed, clients stopped, slots moved in both ways, replicas promoted, the network frozen.
`judgement` says what is stale. Ends with an error if anything is.
"""

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict
from typing import Any

from benchmarks.inputs import ROOT
from benchmarks.nearcache.cluster import running
from benchmarks.nearcache.faults import Faults
from benchmarks.nearcache.judgement import Account, Drop, Read, Write, judge
from benchmarks.nearcache.proxy import Proxy

__all__ = ["check"]

KEYS = 300
MAX_STALENESS = 1.0
#: By client: whether as tasks of asyncio, with which prefixes, and whether by the proxies.
CLIENTS = (
    (False, None, False),
    (False, None, True),
    (True, None, True),
    (False, ["key:"], False),
)
READERS = 3
WRITES_PER_SECOND = 20.0


def check(reads: int, seconds: float, seed: int, is_deaf: bool = False) -> dict[str, Any]:
    """About so many reads within so many seconds; what came of it.

    Deaf clients do not act on what servers say of changes: they have to be found out.
    """
    with running(3, 1) as cluster:
        proxies = [Proxy(node.port) for node in cluster.nodes]
        detours = {
            str(node.port): proxy.port for node, proxy in zip(cluster.nodes, proxies, strict=True)
        }
        ports = [node.port for node in cluster.nodes]
        rate = 2.2 * reads / len(CLIENTS) / seconds
        clients = [
            start(
                ports=ports,
                detours=detours if by_proxy else {},
                seed=seed * 100 + at,
                keys=KEYS,
                share=at,
                shares=len(CLIENTS),
                readers=READERS,
                reads_per_second=rate,
                writes_per_second=WRITES_PER_SECOND,
                max_staleness=MAX_STALENESS,
                is_async=is_async,
                prefixes=prefixes,
                is_deaf=is_deaf,
            )
            for at, (is_async, prefixes, by_proxy) in enumerate(CLIENTS)
        ]
        began = time.monotonic()
        faults = Faults(cluster, proxies, clients, seed)
        try:
            faults.run(seconds)
            cluster.wait()
            reports = [end(client) for client in clients]
        finally:
            for client in clients:
                client.kill()
            for proxy in proxies:
                proxy.close()
        took = time.monotonic() - began
    return outcome(reports, faults.counts, took)


def start(**plan: Any) -> "subprocess.Popen[str]":
    """A client that is ready."""
    client = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.nearcache.client", json.dumps(plan)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert client.stdout is not None
    line = client.stdout.readline()
    assert line == "ready\n", f"a client did not start: {line!r}"
    return client


def end(client: "subprocess.Popen[str]") -> dict[str, Any]:
    """What the client has noted."""
    out, _ = client.communicate("end\n", timeout=120)
    report: dict[str, Any] = json.loads(out.splitlines()[-1])
    return report


def account_of(report: dict[str, Any]) -> Account:
    """Notes as the judge has them."""
    return Account(
        reads=[Read(*one) for one in report["reads"]],
        writes=[Write(*one) for one in report["writes"]],
        drops=[Drop(*one) for one in report["drops"]],
        hits=report["hits"],
        failures=report["failures"],
    )


def outcome(reports: list[dict[str, Any]], faults: Counter[str], seconds: float) -> dict[str, Any]:
    """Counts of a run."""
    found = judge([account_of(report) for report in reports], MAX_STALENESS)
    names = ("plain_reads", "lapses", "losses", "slots_forgotten")
    return {
        **asdict(found),
        "operations": found.reads + found.writes,
        "seconds": round(seconds, 1),
        "max_staleness": MAX_STALENESS,
        "faults": dict(sorted(faults.items())),
        **{name: sum(report[name] for report in reports) for name in names},
    }


def main() -> None:
    """Run it, print the counts."""
    parser = argparse.ArgumentParser(description="Look for stale reads of the near cache.")
    parser.add_argument("--reads", type=int, default=30_000)
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    found = check(asked.reads, asked.seconds, asked.seed)
    print(json.dumps(found, indent=1))
    if any(found["stale"].values()):
        sys.exit(f"stale reads: {found['stale']}")


if __name__ == "__main__":
    main()
