"""One replay by libCacheSim: ``python -m benchmarks.peer_replay PEER FILE CAPACITY HASHPOWER``.

The reader and the loop are libCacheSim's own, in C. Prints one JSON object; ``cpu_seconds`` is
user and system time of all threads from opening the file to the result, the start of the
interpreter and the import left out. A HASHPOWER of 0 keeps the peer's default.
"""

import json
import resource
import sys

import libcachesim

#: The learned peers are told to lower what we count.
OBJECTIVE = {"LRB", "ThreeLCache"}


def cpu_seconds() -> float:
    """User and system time of this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main(peer: str, path: str, capacity: int, hashpower: int) -> None:
    """Replay and print."""
    options: dict[str, object] = {"hashpower": hashpower} if hashpower else {}
    if peer in OBJECTIVE:
        options["objective"] = "object-miss-ratio"
    began = cpu_seconds()
    reader = libcachesim.TraceReader(path, libcachesim.TraceType.ORACLE_GENERAL_TRACE)
    cache = getattr(libcachesim, peer)(cache_size=capacity, **options)
    object_miss_ratio, _ = cache.process_trace(reader)
    spent = cpu_seconds() - began
    print(json.dumps({"object_miss_ratio": object_miss_ratio, "cpu_seconds": spent}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
