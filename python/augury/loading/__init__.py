"""Loading: a cache that fills itself.

From the caller's verbs (`read_through`) over what is decided for a key that is no hit (`reader`,
`many`) to the flights that everyone of one key shares (`flights`), the calls of loaders (`load`),
the waits for them (`waiting`), the threads of those that nobody waits for (`workers`), and what is
loaded before anybody asks (`background`: `prefetching`, `renewing`). Threads and tasks of asyncio
share all of it; a hit never comes here.
"""

from augury.loading.costs import LoadStats, MissCost
from augury.loading.many import Reader
from augury.loading.prefetching import PrefetchStats
from augury.loading.read_through import ReadThrough
from augury.loading.renewing import RefreshStats
from augury.loading.settings import Settings

__all__ = [
    "LoadStats",
    "MissCost",
    "PrefetchStats",
    "ReadThrough",
    "Reader",
    "RefreshStats",
    "Settings",
]
