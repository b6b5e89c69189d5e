"""Examples of every command, as its help shows them; a test parses each."""

from collections.abc import Iterator

__all__ = ["COMMANDS", "epilog"]

#: By command, what is done and how.
COMMANDS: dict[str, tuple[tuple[str, str], ...]] = {
    "advise": (
        ("what a cache of 64 MB would save", "augury advise access.csv.gz -c 64MB"),
        (
            "what that is worth, and the capacity for 80% of hits",
            "augury advise access.csv.gz -c 64MB --target-hit-ratio 0.8 "
            "--price-per-gb-hour 0.02 --price-per-miss 1e-6",
        ),
    ),
    "replay": (
        ("a workload that needs no file", "augury replay synthetic:web"),
        (
            "your traffic at three capacities",
            "augury replay access.csv.gz -c 16MB,64MB,256MB -p auto,lru,s3fifo",
        ),
        ("with fetching ahead, as JSON", "augury replay access.csv.gz -c 1% --prefetch --json"),
    ),
    "inspect": (
        ("a file", "augury inspect access.csv.gz"),
        (
            "columns by other names, as JSON",
            "augury inspect log.csv --columns key=url,size=bytes,time=when --json",
        ),
    ),
    "train": (
        (
            "boosted trees on the first half",
            "augury train access.csv.gz --model gbm -c 1% -o mine.augury",
        ),
    ),
    "evaluate": (
        ("on later traffic", "augury evaluate mine.augury later.csv.gz -c 1%"),
    ),
    "explain": (
        (
            "why is it not in the cache?",
            "augury explain access.csv.gz --key /index.html -c 1% --at 500000",
        ),
    ),
    "adapt": (
        ("retrained while it runs", "augury adapt access.csv.gz --model gbm -c 1% --wait"),
    ),
    "serve": (
        ("for Redis clients on port 6379", "augury serve --memory 256mb"),
        (
            "for memcached clients too, warm after a restart",
            "augury serve --memory 256mb --memcached-port 11211 --dir /var/lib/augury",
        ),
    ),
    "size": (
        ("the capacity for a target", "augury size access.csv.gz -c 64MB --target-hit-ratio 0.8"),
        (
            "the cheapest capacity",
            "augury size access.csv.gz -c 64MB --price-per-gb-hour 0.02 --price-per-miss 1e-6",
        ),
    ),
    "prefix": (
        ("blocks of prompts, by their client", "augury prefix blocks.csv.zst -c 1%,5%,10%"),
    ),
    "convert": (
        ("for other programs", "augury convert access.csv.gz access.oracleGeneral.zst"),
    ),
    "record": (
        (
            "ten minutes of a Redis server, keys hidden",
            "augury record redis://localhost:6379/0 out.csv.zst --duration 10m --anonymise",
        ),
        ("a memcached", "augury record memcached://localhost:11211 out.csv.zst --duration 10m"),
        ("an access log", "augury record access.log.gz out.csv.zst"),
        (
            "a log of a format of your own",
            "augury record own.log out.csv.zst --format '$msec $request_uri $status'",
        ),
        (
            "the SELECTs of PostgreSQL",
            "augury record postgresql.log out.csv.zst --format postgresql",
        ),
    ),
    "proxy": (
        (
            "in front of a web server",
            "augury proxy --origin http://127.0.0.1:8000 --listen 127.0.0.1:8080",
        ),
        (
            "fetching and refreshing ahead, with metrics",
            "augury proxy --origin http://127.0.0.1:8000 --prefetch=10% --refresh-ahead=10% "
            "--admin 127.0.0.1:9090",
        ),
    ),
    "workloads": (("what needs no file", "augury workloads"),),
    "doctor": (
        ("this machine", "augury doctor"),
        ("a server too", "augury doctor --server redis://localhost:6379 --memory 4GB --json"),
    ),
}  # fmt: skip


def epilog(command: str) -> str:
    """The examples of a command, for the end of its help."""
    return "\n\n".join(["Examples:", *lines(command)])


def lines(command: str) -> Iterator[str]:
    """A line per example, what it does as a shell's comment."""
    for what, how in COMMANDS[command]:
        yield f"{how}  # {what}".replace("[", "\\[")
