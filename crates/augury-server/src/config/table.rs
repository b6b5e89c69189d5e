//! All settings.

use super::Settings;
use super::setting::{Field, Setting, Unit};

/// A number's field: how to read and write it.
macro_rules! number {
    ($field:ident, $unit:expr, $least:expr, $most:expr) => {
        Field::Number {
            get: |settings| i64::try_from(settings.$field).unwrap_or(i64::MAX),
            set: |settings, value| settings.$field = value as _,
            unit: $unit,
            least: $least,
            most: $most,
        }
    };
}

const PLAIN: Setting = Setting {
    name: "",
    redis: "",
    is_live: false,
    summary: "",
    field: Field::Switch(|settings| &mut settings.protected_mode),
};

/// Names that Redis has for what decides who stays.
const REDIS_POLICIES: &[&str] = &[
    "noeviction",
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
    "allkeys-lrm",
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
    "volatile-lrm",
];

/// Redis's names of what is logged, and those of tracing.
const LEVELS: &[&str] =
    &["nothing", "warning", "notice", "verbose", "debug", "off", "error", "warn", "info", "trace"];

const MANY: i64 = i64::MAX;
/// Ten years.
const SECONDS_MAX: i64 = 315_360_000;

/// See the module's head. The order is that of the help.
pub const SETTINGS: &[Setting] = &[
    Setting {
        name: "port",
        redis: "port",
        summary: "Port for Redis clients; 0 lets the system choose",
        field: Field::Port(|settings| &mut settings.port),
        ..PLAIN
    },
    Setting {
        name: "bind",
        redis: "bind",
        summary: "Addresses to listen on, spaces between them; * is all",
        field: Field::Addresses(|settings| &mut settings.bind),
        ..PLAIN
    },
    Setting {
        name: "memcached-port",
        summary: "Port for memcached clients",
        field: Field::MaybePort(|settings| &mut settings.memcached_port),
        ..PLAIN
    },
    Setting {
        name: "memcached-item-max",
        is_live: true,
        summary: "Longest item of memcached clients, with key and header",
        field: number!(memcached_item_max, Unit::Bytes, 1 << 10, 512 << 20),
        ..PLAIN
    },
    Setting {
        name: "http-port",
        summary: "Port for the page to watch the server by, /metrics, /healthz and /readyz",
        field: Field::MaybePort(|settings| &mut settings.http_port),
        ..PLAIN
    },
    Setting {
        name: "memory",
        redis: "maxmemory",
        is_live: true,
        summary: "Bytes that everything stored may take, index and history and slack of the \
                  allocator among them: 64mb, 1gb",
        field: number!(memory, Unit::Bytes, 1 << 20, 1 << 50),
    },
    Setting {
        name: "policy",
        summary: "What decides who stays: auto learns from the traffic",
        field: Field::Policy(|settings| &mut settings.policy),
        ..PLAIN
    },
    Setting {
        name: "maxmemory-policy",
        redis: "maxmemory-policy",
        is_live: true,
        summary: "The name that Redis's clients read; what decides is --policy",
        field: Field::Choice(|settings| &mut settings.maxmemory_policy, REDIS_POLICIES),
    },
    Setting {
        name: "threads",
        redis: "io-threads",
        summary: "Threads that serve clients at most: as many do as answer more",
        field: number!(threads, Unit::Count, 1, 128),
        ..PLAIN
    },
    Setting {
        name: "dir",
        redis: "dir",
        summary: "Folder of the snapshot, which is then read at the start and written at the end",
        field: Field::Path(|settings| &mut settings.dir),
        ..PLAIN
    },
    Setting {
        name: "snapshot-file",
        redis: "dbfilename",
        summary: "Name of the snapshot in its folder",
        field: Field::FileName(|settings| &mut settings.snapshot_file),
        ..PLAIN
    },
    Setting {
        name: "snapshot-interval",
        is_live: true,
        summary: "Seconds from one snapshot to the next; 0: as save says",
        field: number!(snapshot_interval, Unit::Seconds, 0, MANY),
        ..PLAIN
    },
    Setting {
        name: "save",
        redis: "save",
        is_live: true,
        summary: "When a snapshot is due: so many seconds after the last, once so much has changed",
        field: Field::Rules(|settings| &mut settings.save),
    },
    Setting {
        name: "log-level",
        redis: "loglevel",
        is_live: true,
        summary: "What is logged: debug, verbose, notice, warning or nothing",
        field: Field::Choice(|settings| &mut settings.log_level, LEVELS),
    },
    Setting {
        name: "log-format",
        summary: "How it is logged",
        field: Field::Format(|settings| &mut settings.log_format),
        ..PLAIN
    },
    Setting {
        name: "log-file",
        redis: "logfile",
        summary: "Where it is logged; standard error if empty",
        field: Field::Path(|settings| &mut settings.log_file),
        ..PLAIN
    },
    Setting {
        name: "requirepass",
        redis: "requirepass",
        is_live: true,
        summary: "Password of the default user; better given by the variable or a file",
        field: Field::Secret(|settings| &mut settings.password),
    },
    Setting {
        name: "user",
        redis: "user",
        summary: "A user, with rules as ACL SETUSER has them",
        field: Field::Lines(|settings| &mut settings.users),
        ..PLAIN
    },
    Setting {
        name: "acl-file",
        redis: "aclfile",
        summary: "File of users",
        field: Field::Path(|settings| &mut settings.acl_file),
        ..PLAIN
    },
    Setting {
        name: "acl-log-max-len",
        redis: "acllog-max-len",
        is_live: true,
        summary: "Refusals that ACL LOG remembers",
        field: number!(acl_log_max, Unit::Count, 0, MANY),
    },
    Setting {
        name: "protected-mode",
        redis: "protected-mode",
        is_live: true,
        summary: "Whether other machines are refused while there is no password",
        field: Field::Switch(|settings| &mut settings.protected_mode),
    },
    Setting {
        name: "max-clients",
        redis: "maxclients",
        is_live: true,
        summary: "Most clients at a time",
        field: number!(clients_max, Unit::Count, 1, u32::MAX as i64),
    },
    Setting {
        name: "timeout",
        redis: "timeout",
        is_live: true,
        summary: "Seconds after which an idle client is disconnected; 0: never",
        field: number!(timeout, Unit::Seconds, 0, i32::MAX as i64),
    },
    Setting {
        name: "tcp-keepalive",
        redis: "tcp-keepalive",
        is_live: true,
        summary: "Seconds between probes of a silent connection; 0: none",
        field: number!(tcp_keepalive, Unit::Seconds, 0, i32::MAX as i64),
    },
    Setting {
        name: "proto-max-bulk-len",
        redis: "proto-max-bulk-len",
        summary: "Longest argument in bytes",
        field: number!(bulk_max, Unit::Bytes, 1 << 20, 512 << 20),
        ..PLAIN
    },
    Setting {
        name: "client-query-buffer-limit",
        redis: "client-query-buffer-limit",
        is_live: true,
        summary: "Bytes that a client may have sent before a command is complete",
        field: number!(query_max, Unit::Bytes, 1 << 20, MANY),
    },
    Setting {
        name: "client-output-buffer-limit",
        redis: "client-output-buffer-limit",
        is_live: true,
        summary: "Per class of clients: hard limit, soft limit, seconds above it",
        field: Field::Limits(|settings| &mut settings.output_limits),
    },
    Setting {
        name: "command-timeout",
        is_live: true,
        summary: "Seconds for a command to come whole, and for the last answers to be read",
        field: Field::Time(|settings| &mut settings.command_timeout),
        ..PLAIN
    },
    Setting {
        name: "greeting-timeout",
        is_live: true,
        summary: "Seconds for the TLS handshake, and to authenticate where that is needed",
        field: Field::Time(|settings| &mut settings.greeting_timeout),
        ..PLAIN
    },
    Setting {
        name: "tls-port",
        redis: "tls-port",
        summary: "Port for Redis clients with TLS",
        field: Field::MaybePort(|settings| &mut settings.tls_port),
        ..PLAIN
    },
    Setting {
        name: "tls-cert-file",
        redis: "tls-cert-file",
        summary: "Certificate chain as PEM",
        field: Field::Path(|settings| &mut settings.tls_cert_file),
        ..PLAIN
    },
    Setting {
        name: "tls-key-file",
        redis: "tls-key-file",
        summary: "Private key as PEM",
        field: Field::Path(|settings| &mut settings.tls_key_file),
        ..PLAIN
    },
    Setting {
        name: "tls-ca-cert-file",
        redis: "tls-ca-cert-file",
        summary: "Authorities of clients' certificates as PEM",
        field: Field::Path(|settings| &mut settings.tls_ca_file),
        ..PLAIN
    },
    Setting {
        name: "tls-auth-clients",
        redis: "tls-auth-clients",
        summary: "Whether clients need a certificate: yes, no or optional",
        field: Field::Choice(|settings| &mut settings.tls_auth_clients, &["yes", "no", "optional"]),
        ..PLAIN
    },
    Setting {
        name: "slowlog-log-slower-than",
        redis: "slowlog-log-slower-than",
        is_live: true,
        summary: "From so many microseconds on a command is remembered; negative: none is",
        field: number!(slowlog_slower_than, Unit::Micros, -1, MANY),
    },
    Setting {
        name: "slowlog-max-len",
        redis: "slowlog-max-len",
        is_live: true,
        summary: "Slow commands that are remembered",
        field: number!(slowlog_max, Unit::Count, 0, MANY),
    },
    Setting {
        name: "hash-max-listpack-entries",
        redis: "hash-max-ziplist-entries",
        is_live: true,
        summary: "Fields up to which OBJECT ENCODING calls a hash a listpack and HSCAN answers it at once",
        field: number!(hash_listed_fields, Unit::Count, 0, MANY),
    },
    Setting {
        name: "hash-max-listpack-value",
        redis: "hash-max-ziplist-value",
        is_live: true,
        summary: "Bytes of its longest field or value up to which it is so",
        field: number!(hash_listed_bytes, Unit::Bytes, 0, MANY),
    },
    Setting {
        name: "tracking-table-max-keys",
        redis: "tracking-table-max-keys",
        is_live: true,
        summary: "Keys that are tracked for clients' own caches",
        field: number!(tracking_max, Unit::Count, 0, MANY),
    },
    Setting {
        name: "upstream",
        summary: "What database 0 is read through to: redis:// or valkey:// (rediss://, valkeys:// with TLS; a \
                  cluster is recognised), http:// or https:// (the key is a path under it). A password \
                  is better given by the variable or a file",
        field: Field::Upstream(|settings| &mut settings.upstream),
        ..PLAIN
    },
    Setting {
        name: "upstream-ttl",
        is_live: true,
        summary: "Seconds that a loaded value stays of which the upstream does not say how long; 0: until evicted",
        field: number!(upstream_ttl, Unit::Seconds, 0, SECONDS_MAX),
        ..PLAIN
    },
    Setting {
        name: "upstream-ttl-max",
        is_live: true,
        summary: "Most seconds that a loaded value stays, whatever the upstream says; 0: as it says",
        field: number!(upstream_ttl_max, Unit::Seconds, 0, SECONDS_MAX),
        ..PLAIN
    },
    Setting {
        name: "upstream-jitter",
        is_live: true,
        summary: "Hundredths of its lifetime that chance may take off a loaded value, so that what came \
                  together does not end together",
        field: number!(upstream_jitter, Unit::Count, 0, 90),
        ..PLAIN
    },
    Setting {
        name: "upstream-negative-ttl",
        is_live: true,
        summary: "Seconds that it is remembered that the upstream has no such key; 0: it is asked each time",
        field: number!(upstream_negative_ttl, Unit::Seconds, 0, SECONDS_MAX),
        ..PLAIN
    },
    Setting {
        name: "upstream-stale",
        is_live: true,
        summary: "Seconds that a loaded value is kept beyond its end, to be served where a load fails",
        field: number!(upstream_stale, Unit::Seconds, 0, SECONDS_MAX),
        ..PLAIN
    },
    Setting {
        name: "upstream-timeout",
        is_live: true,
        summary: "Seconds that a load may take, from when it is asked for",
        field: Field::Time(|settings| &mut settings.upstream_timeout),
        ..PLAIN
    },
    Setting {
        name: "upstream-connections",
        summary: "Most connections to the upstream (to a cluster: one to each node)",
        field: number!(upstream_connections, Unit::Count, 1, 1024),
        ..PLAIN
    },
    Setting {
        name: "upstream-loads",
        is_live: true,
        summary: "Most loads under way or waiting at a time; what would need more is answered by an error",
        field: number!(upstream_loads, Unit::Count, 1, 1_000_000),
        ..PLAIN
    },
    Setting {
        name: "upstream-budget",
        summary: "Loads ahead of time for a hundred that are asked for: half for entries that end soon, half \
                  for what is expected next; 0: none",
        field: number!(upstream_budget, Unit::Count, 0, 100),
        ..PLAIN
    },
    Setting {
        name: "upstream-value-max",
        is_live: true,
        summary: "Longest value that is loaded; a longer one is answered by an error",
        field: number!(upstream_value_max, Unit::Bytes, 1 << 10, 512 << 20),
        ..PLAIN
    },
    Setting {
        name: "upstream-ca-file",
        summary: "Authorities of the upstream's certificate as PEM, in place of the system's",
        field: Field::Path(|settings| &mut settings.upstream_ca_file),
        ..PLAIN
    },
    Setting {
        name: "notify-keyspace-events",
        redis: "notify-keyspace-events",
        is_live: true,
        summary: "Changes of keys that are published to subscribers: classes by their letters, as in \
                  Redis; empty: none",
        field: Field::Notified(|settings| &mut settings.notified),
    },
    Setting {
        name: "simulate",
        is_live: true,
        summary: "Whether other capacities and policies are simulated on a sample of the requests, for \
                  AUGURY.CURVE and AUGURY.SHADOWS",
        field: Field::Switch(|settings| &mut settings.simulate),
        ..PLAIN
    },
];

/// What clients ask for and nobody can set: the value is a fact.
pub const FIXED: &[(&str, &str)] = &[
    ("databases", "16"),
    ("appendonly", "no"),
    ("cluster-enabled", "no"),
    ("daemonize", "no"),
    ("replica-serve-stale-data", "yes"),
    ("lazyfree-lazy-eviction", "no"),
    ("lazyfree-lazy-expire", "no"),
    ("lazyfree-lazy-server-del", "no"),
    ("lazyfree-lazy-user-del", "no"),
    ("lazyfree-lazy-user-flush", "no"),
    ("activedefrag", "no"),
];

/// The setting of this name, ours or Redis's.
pub fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.is_called(name))
}

/// The name that is nearest to one that there is not, if one is near.
pub fn nearest(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase().replace('_', "-");
    let names = SETTINGS.iter().flat_map(|it| [it.name, it.redis]).filter(|it| !it.is_empty());
    let scored = names.map(|it| (strsim::jaro_winkler(&name, it), it));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(score, _)| *score > 0.88).map(|(_, it)| it)
}

/// The page of the documentation; `cargo run -p augury-server --example settings` prints it.
pub fn page() -> String {
    let defaults = Settings::default();
    let mut out = String::from(
        "# Settings of the server\n\n\
         A setting is a key of a TOML file (`--config FILE`), a variable (`AUGURY_MEMORY` for `memory`) or a\n\
         flag (`--memory`); flags win over variables, variables over the file. CONFIG GET and SET know\n\
         them by the name of redis.conf too, which can be the file itself. Bytes may have a unit: `64mb` and\n\
         `1gb` are powers of two, `64m` and `1g` of ten, as in Redis. This page is printed from the table by\n\
         `cargo run -p augury-server --example settings`.\n\n\
         | setting | redis.conf | default | CONFIG SET | what it is for |\n|---|---|---|---|---|\n",
    );
    let code = |text: &str| match text {
        "" => String::new(),
        text => format!("`{text}`"),
    };
    for setting in SETTINGS {
        let default = code(&setting.show(&defaults));
        let (name, redis) = (code(setting.name), code(setting.redis));
        let live = if setting.is_live { "yes" } else { "" };
        out += &format!("| {name} | {redis} | {default} | {live} | {} |\n", setting.summary);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_reads_back() {
        let defaults = Settings::default();
        for setting in SETTINGS {
            let text = setting.show(&defaults);
            if matches!(setting.field, Field::Lines(_)) {
                continue;
            }
            let mut settings = Settings::default();
            assert_eq!(Ok(()), setting.read(&mut settings, &text), "{}", setting.name);
            assert_eq!(text, setting.show(&settings), "{}", setting.name);
        }
    }

    #[test]
    fn the_documentation_is_of_this_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/settings.md");
        let written = std::fs::read_to_string(path).unwrap_or_default();
        let way = "cargo run -p augury-server --example settings > docs/settings.md";
        assert!(page() == written, "docs/settings.md is of another table: {way}");
    }

    #[test]
    fn facts_are_facts() {
        let databases = FIXED.iter().find(|it| it.0 == "databases").map(|it| it.1.to_owned());
        assert_eq!(Some(crate::object::DATABASES.to_string()), databases);
    }

    #[test]
    fn names_are_in_lower_case_and_once() {
        let mut names: Vec<_> = SETTINGS.iter().map(|it| it.name).collect();
        names.extend(FIXED.iter().map(|it| it.0));
        names.extend(
            SETTINGS
                .iter()
                .filter(|it| it.redis != it.name && !it.redis.is_empty())
                .map(|it| it.redis),
        );
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(count, names.len());
        assert!(names.iter().all(|name| *name == name.to_lowercase()));
        assert!(find("MAX_CLIENTS").is_some_and(|it| it.redis == "maxclients"));
        assert_eq!((Some("memory"), None), (nearest("memroy"), nearest("zzz")));
    }
}
