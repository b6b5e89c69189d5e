"""`augury.Cache` in the places where frameworks look for a cache.

One module per framework, and it alone imports it: ``django``, ``dogpile``, ``hishel``,
``flask_caching``, ``fastapi``. Each is an optional extra of its name (``flask`` for Flask-Caching).
What is predicted, and who is evicted, is the cache's business; adapters translate names, times
and contracts.
"""

__all__: list[str] = []
