"""Near caches on a hundred nodes, on paper: simulated events, driven by a recorded trace."""
