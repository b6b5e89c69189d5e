"""The proxy beside nginx's proxy_cache: hits per second and CPU time of a hit."""
