"""What commands of Redis and Valkey ask of a cache, as data and as requests.

MONITOR shows what was asked, not what was answered. Decisions that follow:

* A command with several keys is one request for each. Looking at metadata (TTL, EXISTS, TYPE,
  SCAN) is no access. EVAL and the like are left out: the commands that they run are shown too.
* Reading and removing (GETDEL), or reading and storing (GETSET), are two requests.
* EXPIRE and its kind store an object again *if it is there*: ``replace`` with its known size and
  the new TTL, which counts as no read. A TTL of zero or less deletes.
* A write to a part of a value (HSET, LPUSH, SETRANGE) is a ``set``. How large the whole is cannot
  be seen: it counts as at least the part, and never smaller than before.
* A KEEPTTL is a write without a TTL: what is left of the old one is not known.

Positions are those of the command's arguments, the name being 0.
"""

from collections.abc import Callable, Iterator, Sequence

from augury.recording.monitor_line import MonitoredCommand
from augury.recording.request import KeyedRequest, LeftOut

__all__ = ["requests_of"]

Found = Iterator[KeyedRequest | LeftOut]
Arguments = Sequence[bytes]

#: Commands that read the object of their first argument.
READS = (
    "GET GETRANGE SUBSTR GETBIT BITCOUNT BITPOS BITFIELD_RO STRLEN "
    "HGET HMGET HGETALL HKEYS HVALS HLEN HEXISTS HSTRLEN HRANDFIELD HSCAN "
    "LRANGE LINDEX LLEN LPOS "
    "SMEMBERS SISMEMBER SMISMEMBER SCARD SRANDMEMBER SSCAN "
    "ZRANGE ZREVRANGE ZRANGEBYSCORE ZREVRANGEBYSCORE ZRANGEBYLEX ZREVRANGEBYLEX ZSCORE ZMSCORE "
    "ZRANK ZREVRANK ZCARD ZCOUNT ZLEXCOUNT ZRANDMEMBER ZSCAN "
    "GEOPOS GEODIST GEOHASH GEOSEARCH GEORADIUS_RO GEORADIUSBYMEMBER_RO SORT_RO "
    "XRANGE XREVRANGE XLEN DUMP "
    "JSON.GET JSON.TYPE JSON.STRLEN JSON.OBJKEYS JSON.OBJLEN JSON.ARRLEN JSON.ARRINDEX "
    "LPOP RPOP SPOP ZPOPMIN ZPOPMAX"
)
#: Commands that read the objects of all of their arguments.
READS_OF_ALL = "MGET SINTER SUNION SDIFF PFCOUNT TOUCH LCS"
#: Commands that write a part of the object of their first argument.
PARTIAL_WRITES = (
    "SETRANGE SETBIT BITFIELD HSET HMSET HSETNX HDEL HINCRBY HINCRBYFLOAT "
    "LPUSH RPUSH LPUSHX RPUSHX LSET LINSERT LREM LTRIM "
    "SADD SREM ZADD ZREM ZINCRBY ZREMRANGEBYSCORE ZREMRANGEBYRANK ZREMRANGEBYLEX "
    "GEOADD XADD XDEL XTRIM XSETID PFADD PFMERGE "
    "JSON.SET JSON.DEL JSON.MERGE JSON.ARRAPPEND JSON.NUMINCRBY RESTORE"
)
#: Commands that compute the object of their first argument anew from others.
STORES = "SINTERSTORE SUNIONSTORE SDIFFSTORE ZRANGESTORE ZUNIONSTORE ZINTERSTORE GEOSEARCHSTORE"
REMOVALS = "DEL UNLINK"
COUNTS = {"INCR": "incr", "INCRBY": "incr", "INCRBYFLOAT": "incr", "DECR": "decr", "DECRBY": "decr"}
#: Commands that ask for no object, and why they are no requests.
ABOUT_THE_SERVER = (
    "AUTH HELLO PING ECHO QUIT SELECT CLIENT COMMAND CONFIG INFO DBSIZE TIME MONITOR RESET "
    "SLOWLOG LATENCY MEMORY MODULE ACL CLUSTER ROLE REPLCONF PSYNC SYNC REPLICAOF SLAVEOF "
    "READONLY READWRITE ASKING WAIT WAITAOF SAVE BGSAVE BGREWRITEAOF LASTSAVE SHUTDOWN DEBUG "
    "FAILOVER MULTI EXEC DISCARD WATCH UNWATCH SUBSCRIBE UNSUBSCRIBE PSUBSCRIBE PUNSUBSCRIBE "
    "PUBLISH SPUBLISH SSUBSCRIBE SUNSUBSCRIBE PUBSUB SCRIPT FUNCTION COMMANDLOG"
)
ABOUT_KEYS = "EXISTS TTL PTTL EXPIRETIME PEXPIRETIME TYPE OBJECT KEYS SCAN RANDOMKEY"
SCRIPTS = "EVAL EVALSHA EVAL_RO EVALSHA_RO FCALL FCALL_RO"
WHOLESALE = "FLUSHDB FLUSHALL SWAPDB"
#: Commands that ask for no object, and why they are no requests.
NO_ACCESS = {
    name: reason
    for names, reason in (
        (ABOUT_THE_SERVER, "commands about the connection or the server"),
        (ABOUT_KEYS, "commands about keys that read no value"),
        (SCRIPTS, "scripts (the commands that they run are recorded)"),
        (WHOLESALE, "commands that empty or exchange whole databases"),
    )
    for name in names.split()
}
SECONDS_BY_OPTION = {b"EX": 1.0, b"PX": 0.001}
DEADLINES_BY_OPTION = {b"EXAT": 1.0, b"PXAT": 0.001}
LONGEST_NAME = 40
#: What servers show in place of a secret.
REDACTED = b"(redacted)"


def requests_of(command: MonitoredCommand) -> Found:
    """The requests that a command makes, or what is left out and why.

    >>> from augury.recording.monitor_line import read_line
    >>> line = read_line(b'1700000000.5 [0 [::1]:50000] "SET" "user:1" "abc" "EX" "60"')
    >>> [(one.op, one.key, one.size, one.ttl) for one in requests_of(line)]
    [('set', b'user:1', 3, 60)]
    """
    name = command.arguments[0].upper()
    reading = READERS.get(name)
    if reading is None:
        shown = name[:LONGEST_NAME].decode("ascii", "backslashreplace")
        reason = NO_ACCESS.get(shown)
        yield LeftOut(reason) if reason else LeftOut("unknown commands", shown)
        return
    if REDACTED in command.arguments:
        yield LeftOut("commands whose arguments are redacted or cannot be read", name.decode())
        return
    try:
        # Nothing of a command is handed on before all of it is understood.
        yield from list(reading(command.time, command.arguments))
    except (IndexError, ValueError):
        yield LeftOut("commands whose arguments are redacted or cannot be read", name.decode())


def read_first(time: float, arguments: Arguments) -> Found:
    """The object of the first argument is read."""
    yield KeyedRequest(time, arguments[1], None, "get")


def read_all(time: float, arguments: Arguments) -> Found:
    """The objects of all arguments are read."""
    keys = arguments[1:] if arguments[0].upper() != b"LCS" else arguments[1:3]
    return (KeyedRequest(time, key, None, "get") for key in at_least_one(keys))


def remove_all(time: float, arguments: Arguments) -> Found:
    """The objects of all arguments are removed."""
    return (KeyedRequest(time, key, None, "delete") for key in at_least_one(arguments[1:]))


def write_part(time: float, arguments: Arguments) -> Found:
    """A part of the object of the first argument is written."""
    key, *rest = arguments[1:]
    yield KeyedRequest(time, key, None, "set", part=sum(map(len, rest)))


def store_result(time: float, arguments: Arguments) -> Found:
    """The object of the first argument is computed anew."""
    yield KeyedRequest(time, arguments[1], None, "set")


def count(time: float, arguments: Arguments) -> Found:
    """A number is read and written."""
    op = COUNTS[arguments[0].upper().decode()]
    yield KeyedRequest(time, arguments[1], None, op)


def set_one(time: float, arguments: Arguments) -> Found:
    """SET key value [options]."""
    key, value, *options = arguments[1:]
    words = [option.upper() for option in options]
    if b"GET" in words:
        yield KeyedRequest(time, key, None, "get")
    conditions = {b"NX": "add", b"XX": "replace", b"IFEQ": "cas"}
    op = next((conditions[word] for word in words if word in conditions), "set")
    ttl = ttl_of(time, options)
    yield from written(time, key, len(value), op, ttl)


def set_if_absent(time: float, arguments: Arguments) -> Found:
    """SETNX key value."""
    yield KeyedRequest(time, arguments[1], len(arguments[2]), "add")


def set_with_ttl(time: float, arguments: Arguments) -> Found:
    """SETEX or PSETEX key ttl value."""
    unit = 0.001 if arguments[0].upper() == b"PSETEX" else 1.0
    yield from written(time, arguments[1], len(arguments[3]), "set", int(arguments[2]) * unit)


def set_many(time: float, arguments: Arguments) -> Found:
    """MSET or MSETNX key value [key value ...]."""
    op = "add" if arguments[0].upper() == b"MSETNX" else "set"
    pairs = at_least_one(arguments[1:])
    for key, value in zip(pairs[::2], pairs[1::2], strict=True):
        yield KeyedRequest(time, key, len(value), op)


def get_and_set(time: float, arguments: Arguments) -> Found:
    """GETSET key value."""
    yield KeyedRequest(time, arguments[1], None, "get")
    yield KeyedRequest(time, arguments[1], len(arguments[2]), "set")


def get_and_expire(time: float, arguments: Arguments) -> Found:
    """GETEX key [options]."""
    yield KeyedRequest(time, arguments[1], None, "get")
    options = arguments[2:]
    if [option.upper() for option in options] == [b"PERSIST"]:
        yield KeyedRequest(time, arguments[1], None, "replace")
    elif (ttl := ttl_of(time, options)) is not None:
        yield from written(time, arguments[1], None, "replace", ttl)


def get_and_remove(time: float, arguments: Arguments) -> Found:
    """GETDEL key."""
    yield KeyedRequest(time, arguments[1], None, "get")
    yield KeyedRequest(time, arguments[1], None, "delete")


def append(time: float, arguments: Arguments) -> Found:
    """APPEND key value: stores where nothing is there."""
    yield KeyedRequest(time, arguments[1], None, "append", part=len(arguments[2]))


def expire(time: float, arguments: Arguments) -> Found:
    """EXPIRE, PEXPIRE, EXPIREAT or PEXPIREAT key time [condition]."""
    name = arguments[0].upper()
    ttl = int(arguments[2]) * (0.001 if name.startswith(b"P") else 1.0)
    ttl -= time if name.endswith(b"AT") else 0
    yield from written(time, arguments[1], None, "replace", ttl)


def persist(time: float, arguments: Arguments) -> Found:
    """PERSIST key: its TTL goes."""
    yield KeyedRequest(time, arguments[1], None, "replace")


def rename(time: float, arguments: Arguments) -> Found:
    """RENAME or RENAMENX key newkey."""
    source, target = arguments[1], arguments[2]
    yield KeyedRequest(time, target, None, "set", origin=source)
    yield KeyedRequest(time, source, None, "delete")


def copy(time: float, arguments: Arguments) -> Found:
    """COPY key newkey [options]."""
    yield KeyedRequest(time, arguments[1], None, "get")
    yield KeyedRequest(time, arguments[2], None, "set", origin=arguments[1])


def written(time: float, key: bytes, size: int | None, op: str, ttl: float | None) -> Found:
    """A write with a TTL; what is over at once is a removal."""
    if ttl is not None and ttl <= 0:
        yield KeyedRequest(time, key, None, "delete")
    else:
        # Whole seconds, and never 0, which stands for none.
        yield KeyedRequest(time, key, size, op, max(1, round(ttl)) if ttl is not None else 0)


def ttl_of(time: float, options: Arguments) -> float | None:
    """The TTL in seconds that the options of SET or GETEX give, if they do."""
    for place, option in enumerate(options):
        word = option.upper()
        if word in SECONDS_BY_OPTION:
            return int(options[place + 1]) * SECONDS_BY_OPTION[word]
        if word in DEADLINES_BY_OPTION:
            return int(options[place + 1]) * DEADLINES_BY_OPTION[word] - time
    return None


def at_least_one(keys: Arguments) -> Arguments:
    """The keys; a command without any was not run."""
    if not keys:
        raise ValueError("no keys")
    return keys


READERS: dict[bytes, Callable[[float, Arguments], Found]] = {
    name.encode(): reading
    for names, reading in (
        (READS, read_first),
        (READS_OF_ALL, read_all),
        (PARTIAL_WRITES, write_part),
        (STORES, store_result),
        (REMOVALS, remove_all),
        (" ".join(COUNTS), count),
        ("SET", set_one),
        ("SETNX", set_if_absent),
        ("SETEX PSETEX", set_with_ttl),
        ("MSET MSETNX", set_many),
        ("GETSET", get_and_set),
        ("GETEX", get_and_expire),
        ("GETDEL", get_and_remove),
        ("APPEND", append),
        ("EXPIRE PEXPIRE EXPIREAT PEXPIREAT", expire),
        ("PERSIST", persist),
        ("RENAME RENAMENX", rename),
        ("COPY", copy),
    )
    for name in names.split()
}
