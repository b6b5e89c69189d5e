"""Near caches: values of a Redis or Valkey server, or of a cluster, in this process, and coherent.

From what a node says of its cluster (`slots`, `topology`) and one connection as a protocol (`link`)
over whom to believe (`peers`) to the state machine that decides what may be kept and served
(`coherence`, and `hands` for what it has done), and from there to what does it: `driver` with
thread, sockets and clock, `memory` and `source` on both sides of the cache, `origins` for the
clients of several libraries, `near_cache` with the verbs.
"""

from augury.near.near_cache import NearCache, NearStats

__all__ = ["NearCache", "NearStats"]
