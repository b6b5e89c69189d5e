"""augury: a key-value cache that predicts.

>>> import augury
>>> result = augury.replay("synthetic:loop", policies="lru,belady", capacity="10%")
>>> [cell.policy for cell in result]
['lru', 'belady']
"""

try:
    from augury._core import __version__
except ImportError as error:
    raise ImportError(
        f"augury's engine, the extension augury._core, cannot be loaded: {error}; reinstall it "
        "(pip install --force-reinstall augury), or in a checkout build it (make build)"
    ) from error

from augury.late import late

TYPE_CHECKING = False
if TYPE_CHECKING:
    from augury import probability, traces
    from augury.advising import Advice, advise
    from augury.autosizing import Autosize, CurvePoint
    from augury.cache import Cache, CacheStats
    from augury.capacity import Capacity
    from augury.errors import (
        ArtifactError,
        AuguryError,
        CapacityError,
        ClusterError,
        ConfigError,
        LoadError,
        NotFound,
        PersistenceError,
        SchemaMismatchError,
        ServerError,
        TraceError,
    )
    from augury.explanation import Explanation, Story, explain
    from augury.laboratory import Cell, Progress, ReplayResult, replay
    from augury.lifetimes import LifetimeStats, PredictedTTL
    from augury.loading import LoadStats, PrefetchStats, RefreshStats
    from augury.memoizing import memoize
    from augury.near import NearCache, NearStats
    from augury.recording import Recording, record
    from augury.together import Together, TogetherStats

__all__ = [
    "Advice",
    "ArtifactError",
    "AuguryError",
    "Autosize",
    "Cache",
    "CacheStats",
    "Capacity",
    "CapacityError",
    "Cell",
    "ClusterError",
    "ConfigError",
    "CurvePoint",
    "Explanation",
    "LifetimeStats",
    "LoadError",
    "LoadStats",
    "NearCache",
    "NearStats",
    "NotFound",
    "PersistenceError",
    "PredictedTTL",
    "PrefetchStats",
    "Progress",
    "Recording",
    "RefreshStats",
    "ReplayResult",
    "SchemaMismatchError",
    "ServerError",
    "Story",
    "Together",
    "TogetherStats",
    "TraceError",
    "__version__",
    "advise",
    "explain",
    "memoize",
    "probability",
    "record",
    "replay",
    "traces",
]

#: The public names of each module.
SOURCES = {
    "augury.advising": "Advice advise",
    "augury.autosizing": "Autosize CurvePoint",
    "augury.cache": "Cache CacheStats",
    "augury.capacity": "Capacity",
    "augury.errors": "ArtifactError AuguryError CapacityError ClusterError ConfigError LoadError "
    "NotFound PersistenceError SchemaMismatchError ServerError TraceError",
    "augury.explanation": "Explanation Story explain",
    "augury.laboratory": "Cell Progress ReplayResult replay",
    "augury.lifetimes": "LifetimeStats PredictedTTL",
    "augury.loading": "LoadStats PrefetchStats RefreshStats",
    "augury.memoizing": "memoize",
    "augury.near": "NearCache NearStats",
    "augury.recording": "Recording record",
    "augury.together": "Together TogetherStats",
}

if not TYPE_CHECKING:  # else every name would be there
    __getattr__, __dir__ = late(__name__, SOURCES)
