"""The server beside Valkey, Redis and memcached: CPU time, memory, hits."""
