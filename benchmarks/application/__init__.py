"""An application with PostgreSQL behind it: no cache, `augury.Cache`, and redis-server.

The application is one thread of Python that asks for one answer after the other. The database is
asked by psycopg: a row, and where it stands by price among the hundred of its shelf. It sends the
answer as bytes, so no cache has to encode or decode anything. Contestants:

- *no cache*: every request is a query;
- *augury*: `Cache(capacity, loader=query)`, policy `auto`, of as many bytes of keys and values as a
  tenth of the answers to all keys take; in the application's process;
- *redis lru*, *redis lfu*: redis-server with `allkeys-lru` or `allkeys-lfu`, nothing saved, else by
  its defaults, over loopback by redis-py with the parser it comes with: GET, and where that finds
  nothing a query and SET.

Workloads: the first 600,000 requests of twitter_cluster52, the one recorded trace of a key-value
cache with sizes, which the answers have (the last one where a key has several); and the first
300,000 clicks of sessions_diginetica, a web shop, with answers of 1 KiB. All but the last 40,000
requests fill the caches without the database, in the trace's order, at most 5,000 a second. Redis
tells times apart by the second and its LFU forgets by the minute, so it chooses worse the faster it
is fed: with 5 MB, of twitter_cluster52's requests it missed 0.224 under allkeys-lru at 90,000 a
second, 0.212 at 17,000 and 0.210 at 4,000, and under allkeys-lfu 0.208 and 0.205 at the latter two.
The last 40,000 are measured, in five rounds of 8,000; contestants take turns every 500 requests,
each time in another order, and every answer is compared with what the database holds. Figures are
medians over the rounds.

**Where things run.** Application, PostgreSQL and redis-server share one machine, its cores and
whatever else it does: p99 and p99.9 are mostly waits for a core. Augury's hits are calls within the
process. Redis pays a round trip over loopback for each request, a hit or not, and another to store
what it missed; *PING by redis-py* is that round trip with nothing to do, *PING by a socket* without
the client's work. A network between hosts would add its own round trip to redis and to the database
alike, and none to augury's hits. What redis gives for it is not measured here: one cache for many
processes and hosts, which outlives them; of an `augury.Cache` each process has its own.

**Memory** is the growth of memory that comes from no file, in a fresh process in which the cache is
filled by the same requests (augury) or in the server (redis), after what was free had been given
back: keys, values, the cache's own, and fragmentation, but not the program (an idle redis-server
takes some 12 MB, the interpreter is there anyway). *Counted* is what each counts itself:
`memory_bytes` and the sizes of keys and values; `used_memory` above that at the start.

*At equal memory*: redis's `maxmemory` is such that it grows as augury's process. *At equal hit
ratio*: such that it asks the database as often as augury over the measured requests. Both are read,
between points on logarithmic scales, off servers of six sizes for each policy, fed side by side.
Where both ask the database as often, the medians are apart by the way to redis alone; means are
moved by who had to wait for a core.
"""
