"""Recording: the history that people already have, as a trace.

A source (MONITOR of a Redis, ``watch`` of a memcached, an access log, a log of SQL statements)
yields requests under their keys; a recorder puts times in order, fills in sizes, samples and
anonymises keys, and writes. :func:`augury.record` does it all in one call; the parts are here for
other sources:

>>> import augury, tempfile, pathlib
>>> from augury.recording import Anonymiser, KeyedRequest, Recorder
>>> target = pathlib.Path(tempfile.mkdtemp()) / "own.csv"
>>> with Recorder(target, anonymiser=Anonymiser(secret=b"0123456789abcdef")) as recorder:
...     recorder.add(KeyedRequest(1700000000.5, b"user:42", 120, "set", 60))
...     recorder.add(KeyedRequest(1700000001.0, b"user:42", None, "get", 0))
>>> [(request.size, request.op) for request in augury.traces.open(target)]
[(120, 'set'), (120, 'get')]
>>> "user:42" in target.read_text()
False
"""

from augury.late import late

TYPE_CHECKING = False
if TYPE_CHECKING:
    from augury.recording.access_log import AccessLog
    from augury.recording.anonymiser import Anonymiser
    from augury.recording.memcached import MemcachedWatch
    from augury.recording.recorder import Recorder
    from augury.recording.recording import Recording
    from augury.recording.request import KeyedRequest, LeftOut
    from augury.recording.run import record, record_from
    from augury.recording.server import RedisMonitor
    from augury.recording.statement_log import StatementLog

__all__ = [
    "AccessLog",
    "Anonymiser",
    "KeyedRequest",
    "LeftOut",
    "MemcachedWatch",
    "Recorder",
    "Recording",
    "RedisMonitor",
    "StatementLog",
    "record",
    "record_from",
]

#: The public names of each module.
SOURCES = {
    "augury.recording.access_log": "AccessLog",
    "augury.recording.anonymiser": "Anonymiser",
    "augury.recording.memcached": "MemcachedWatch",
    "augury.recording.recorder": "Recorder",
    "augury.recording.recording": "Recording",
    "augury.recording.request": "KeyedRequest LeftOut",
    "augury.recording.run": "record record_from",
    "augury.recording.server": "RedisMonitor",
    "augury.recording.statement_log": "StatementLog",
}

if not TYPE_CHECKING:  # else every name would be there
    __getattr__, __dir__ = late(__name__, SOURCES)
