"""A web shop with the proxy in front of it: pages and an API that say how long they hold.

    python -m examples.web_shop

starts PostgreSQL in a temporary folder, the shop and `augury.proxy` in front of it, sends the same
visitors to the shop alone and through the proxy, and prints hits, database queries saved and
latencies. `app.py` is the shop, with all that a shop has to do for its answers to be kept and let
go of; `visitors.py` is the traffic, `servers.py` what runs, `measure.py` the comparison.
"""
