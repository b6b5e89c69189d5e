//! Commands of Redis that are left to a database, and what is said to who sends them.

use super::Refusal;

/// Commands of one kind: what they work on, what is said of it, and their names.
struct Family {
    /// What is said behind "NAME is not supported: ".
    why: &'static str,
    names: &'static [&'static str],
}

const FAMILIES: &[Family] = &[
    Family {
        why: "augury is a cache of strings and hashes; keep lists in a database",
        names: &[
            "blmove",
            "blmpop",
            "blpop",
            "brpop",
            "brpoplpush",
            "lindex",
            "linsert",
            "llen",
            "lmove",
            "lmpop",
            "lpop",
            "lpos",
            "lpush",
            "lpushx",
            "lrange",
            "lrem",
            "lset",
            "ltrim",
            "rpop",
            "rpoplpush",
            "rpush",
            "rpushx",
        ],
    },
    Family {
        why: "augury is a cache of strings and hashes; keep sets in a database",
        names: &[
            "sadd",
            "scard",
            "sdiff",
            "sdiffstore",
            "sinter",
            "sintercard",
            "sinterstore",
            "sismember",
            "smembers",
            "smismember",
            "smove",
            "spop",
            "srandmember",
            "srem",
            "sscan",
            "sunion",
            "sunionstore",
        ],
    },
    Family {
        why: "augury is a cache of strings and hashes; keep sorted sets in a database",
        names: &[
            "bzmpop",
            "bzpopmax",
            "bzpopmin",
            "zadd",
            "zcard",
            "zcount",
            "zdiff",
            "zdiffstore",
            "zincrby",
            "zinter",
            "zintercard",
            "zinterstore",
            "zlexcount",
            "zmpop",
            "zmscore",
            "zpopmax",
            "zpopmin",
            "zrandmember",
            "zrange",
            "zrangebylex",
            "zrangebyscore",
            "zrangestore",
            "zrank",
            "zrem",
            "zremrangebylex",
            "zremrangebyrank",
            "zremrangebyscore",
            "zrevrange",
            "zrevrangebylex",
            "zrevrangebyscore",
            "zrevrank",
            "zscan",
            "zscore",
            "zunion",
            "zunionstore",
        ],
    },
    Family {
        why: "augury is a cache of strings and hashes; sort lists and sets in a database",
        names: &["sort", "sort_ro"],
    },
    Family {
        why: "augury is a cache of strings and hashes; keep streams in a database",
        names: &[
            "xack",
            "xackdel",
            "xadd",
            "xautoclaim",
            "xclaim",
            "xdel",
            "xdelex",
            "xgroup",
            "xinfo",
            "xlen",
            "xpending",
            "xrange",
            "xread",
            "xreadgroup",
            "xrevrange",
            "xsetid",
            "xtrim",
        ],
    },
    Family {
        why: "augury is a cache of strings and hashes; keep geospatial indexes in a database",
        names: &[
            "geoadd",
            "geodist",
            "geohash",
            "geopos",
            "georadius",
            "georadius_ro",
            "georadiusbymember",
            "georadiusbymember_ro",
            "geosearch",
            "geosearchstore",
        ],
    },
    Family {
        why: "augury is a cache of strings and hashes; keep HyperLogLogs in a database",
        names: &["pfadd", "pfcount", "pfdebug", "pfmerge", "pfselftest"],
    },
    Family {
        why: "augury runs no scripts; run them in a database, or send a transaction (MULTI, EXEC)",
        names: &[
            "eval",
            "eval_ro",
            "evalsha",
            "evalsha_ro",
            "script|debug",
            "script|kill",
            "script|load",
            "script|show",
        ],
    },
    Family {
        why: "augury runs no functions; run them in a database",
        names: &[
            "fcall",
            "fcall_ro",
            "function|delete",
            "function|dump",
            "function|kill",
            "function|load",
            "function|restore",
            "function|stats",
        ],
    },
    Family {
        why: "augury loads no modules; commands of modules are left to a database",
        names: &["module"],
    },
    Family {
        why: "augury does not replicate; every server is a cache of its own",
        names: &["failover", "psync", "replconf", "replicaof", "slaveof", "sync", "waitaof"],
    },
    Family {
        why: "values have no portable form here; read them by GET or HGETALL, write them by SET or \
              HSET",
        names: &["dump", "migrate", "restore", "restore-asking"],
    },
];

/// Names of commands, and why they are refused.
pub fn families() -> impl Iterator<Item = (&'static [&'static str], &'static str)> {
    FAMILIES.iter().map(|family| (family.names, family.why))
}

/// What is said to a command of this name, `container|subcommand` for a subcommand, if it is one that
/// is left to others.
#[cold]
pub fn refusal(name: &[u8]) -> Option<Refusal> {
    let is = |other: &&str| name.eq_ignore_ascii_case(other.as_bytes());
    let family = FAMILIES.iter().find(|family| family.names.iter().any(is))?;
    let shown = |byte: &u8| if *byte == b'|' { b' ' } else { byte.to_ascii_uppercase() };
    let name: Vec<u8> = name.iter().map(shown).collect();
    Some(Refusal::of([b"ERR ", &*name, b" is not supported: ", family.why.as_bytes()].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::table;

    #[test]
    fn what_is_left_to_others_is_named_and_not_in_the_table() {
        let names = FAMILIES.iter().flat_map(|family| family.names);
        for name in names {
            let (container, sub) =
                name.split_once('|').map_or((*name, None), |it| (it.0, Some(it.1)));
            let found = table::find(container.as_bytes());
            let is_supported = match sub {
                None => found.is_some(),
                Some(sub) => found.is_none_or(|it| {
                    it.subcommands.iter().any(|it| it.own_name() == sub.as_bytes())
                }),
            };
            assert!(!is_supported, "{name} is supported, or its container is not");
        }
        let said = refusal(b"LPush").expect("it is left to a database");
        let expected = "ERR LPUSH is not supported: augury is a cache of strings and hashes; \
                        keep lists in a database";
        assert_eq!(expected.as_bytes(), said.text());
        assert_eq!(None, refusal(b"get"));
    }
}
