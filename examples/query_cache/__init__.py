"""A query cache: answers of parametrised SQL, kept until somebody writes to the tables read.

    python -m examples.query_cache

starts PostgreSQL in a temporary folder, asks it the questions of a small shop with and without
augury, and prints hits, database queries saved and latencies. `query_cache.py` is what an
application would take over; `shop.py` is the traffic, `postgres.py` the server.
"""
