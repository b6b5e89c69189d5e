"""One run of one peer: ``python -m augury.laboratory.peer_process NAME FILE CAPACITY``.

Prints one JSON object. FILE is an uncompressed oracleGeneral trace.
"""

import json
import sys
from importlib.metadata import version
from time import perf_counter

__all__ = ["measure"]

#: The learned peers are told to lower what we count.
OBJECTIVE = {"LRB", "ThreeLCache"}


def measure(peer: str, path: str, capacity: int) -> dict[str, float | str]:
    """The peer's miss ratios on the trace, and the seconds that reading and replay took."""
    import libcachesim

    options = {"objective": "object-miss-ratio"} if peer in OBJECTIVE else {}
    reader = libcachesim.TraceReader(path, libcachesim.TraceType.ORACLE_GENERAL_TRACE)
    cache = getattr(libcachesim, peer)(cache_size=capacity, **options)
    began = perf_counter()
    object_miss_ratio, byte_miss_ratio = cache.process_trace(reader)
    return {
        "object_miss_ratio": object_miss_ratio,
        "byte_miss_ratio": byte_miss_ratio,
        "seconds": perf_counter() - began,
        "version": version("libcachesim"),
    }


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
