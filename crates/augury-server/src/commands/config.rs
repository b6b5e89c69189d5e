//! CONFIG GET, SET, RESETSTAT, REWRITE.

use std::path::PathBuf;

use super::spec::Group;
use super::{Call, Command, Done, Flags, Refusal};
use crate::config::{self, ChangeError, Setting, table};
use crate::rates::Rates;
use crate::server::{Counters, Errors};
use crate::{glob, logging};

const PLAIN: Command = Command {
    group: Group::Server,
    flags: Flags::ADMIN.union(Flags::NOSCRIPT).union(Flags::LOADING).union(Flags::STALE),
    since: "2.0.0",
    ..Command::PLAIN
};

/// The commands of this family.
pub const COMMANDS: &[Command] = &[Command {
    name: "config",
    arity: -2,
    summary: "Reads and changes settings",
    run: help,
    subcommands: &[
        Command {
            name: "config|get",
            arity: -3,
            summary: "Settings whose names match patterns",
            differs: "Settings go by Redis's names and by augury's. Of a password it is told that \
                      there is one.",
            run: get,
            ..PLAIN
        },
        Command {
            name: "config|set",
            arity: -4,
            summary: "Changes settings: all that are given, or none",
            differs: "maxmemory 0 is what the server was started with: a cache has a bound.",
            run: set,
            ..PLAIN
        },
        Command {
            name: "config|resetstat",
            arity: 2,
            summary: "Counts from zero",
            run: resetstat,
            ..PLAIN
        },
        Command {
            name: "config|rewrite",
            arity: 2,
            summary: "Writes what CONFIG SET has changed into the configuration file",
            run: rewrite,
            ..PLAIN
        },
        Command {
            name: "config|help",
            arity: 2,
            summary: "What CONFIG can do",
            run: help,
            ..PLAIN
        },
    ],
    ..PLAIN
}];

fn help(call: &mut Call<'_, '_>) -> Done {
    const LINES: &[&str] = &[
        "CONFIG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "GET <pattern>",
        "    Return parameters matching the glob-like <pattern> and their values.",
        "SET <directive> <value>",
        "    Set the configuration <directive> to <value>.",
        "RESETSTAT",
        "    Reset statistics reported by the INFO command.",
        "REWRITE",
        "    Rewrite the configuration file.",
        "HELP",
        "    Print this help.",
    ];
    call.reply.array(LINES.len());
    for line in LINES {
        call.reply.simple(line);
    }
    Ok(())
}

fn get(call: &mut Call<'_, '_>) -> Done {
    let patterns: Vec<String> = call
        .arguments
        .from(2)
        .iter()
        .map(|it| String::from_utf8_lossy(it).to_ascii_lowercase())
        .collect();
    let is_wanted =
        |name: &str| patterns.iter().any(|it| glob::matches(it.as_bytes(), name.as_bytes()));
    let settings = &call.server.settings;
    let mut found: Vec<(&str, String)> = Vec::new();
    for setting in table::SETTINGS {
        let names = [setting.redis, setting.name];
        let names = if setting.redis == setting.name { &names[..1] } else { &names[..] };
        for name in names.iter().filter(|name| !name.is_empty() && is_wanted(name)) {
            found.push((name, shown(setting, settings)));
        }
    }
    let facts = table::FIXED.iter().filter(|it| is_wanted(it.0));
    found.extend(facts.map(|(name, value)| (*name, (*value).to_owned())));
    call.reply.map(found.len());
    for (name, value) in found {
        call.reply.bulk(name.as_bytes());
        call.reply.bulk(value.as_bytes());
    }
    Ok(())
}

/// As Redis shows it: the folder as it is from the root. Secrets are not shown.
fn shown(setting: &Setting, settings: &config::Settings) -> String {
    let text = setting.show(settings);
    if setting.is_secret() {
        return if text.is_empty() { text } else { "(hidden)".to_owned() };
    }
    if let config::Field::Upstream(_) = setting.field {
        return config::redacted(&text);
    }
    if setting.name == "dir" {
        let folder = PathBuf::from(if text.is_empty() { "." } else { &text });
        return folder.canonicalize().map_or(text, |it| it.display().to_string());
    }
    text
}

fn set(call: &mut Call<'_, '_>) -> Done {
    let count = call.arguments.len() - 2;
    if count % 2 == 1 {
        return Err(Refusal::arity("config|set").into());
    }
    let texts: Vec<String> =
        call.arguments.from(2).iter().map(|it| String::from_utf8_lossy(it).into_owned()).collect();
    let at_start = call.server.memory_at_start.to_string();
    let pairs = texts.chunks_exact(2).map(|pair| {
        let is_unbounded = matches!(&*pair[0].to_ascii_lowercase(), "maxmemory" | "memory")
            && config::bytes(&pair[1]) == Ok(0);
        (pair[0].as_str(), if is_unbounded { at_start.as_str() } else { pair[1].as_str() })
    });
    let (changed, which) =
        config::change(&call.server.settings, pairs).map_err(|(at, error)| {
            let name = &texts[at * 2];
            let failed =
                format!("ERR CONFIG SET failed (possibly related to argument '{name}') - ");
            Refusal::of(match error {
                ChangeError::Unknown => {
                    format!("ERR Unknown option or number of arguments for CONFIG SET - '{name}'")
                }
                ChangeError::Fixed => format!("{failed}can't set immutable config"),
                ChangeError::Twice => format!("{failed}duplicate parameter"),
                ChangeError::Value(why) => format!("{failed}{why}"),
            })
        })?;
    let server = &mut call.server;
    server.settings = changed;
    for setting in which {
        match setting.name {
            "memory" => server.bound_memory(),
            "notify-keyspace-events" => server.settle_watch(),
            "simulate" => server.keyspace.simulate(server.settings.simulate),
            "log-level" => logging::set_level(&server.settings.log_level),
            "slowlog-log-slower-than" => {
                server.slowlog.set_threshold(server.settings.slowlog_slower_than);
            }
            "slowlog-max-len" => server.slowlog.set_len_max(server.settings.slowlog_max as usize),
            "tracking-table-max-keys" => {
                server.tracking.set_keys_max(server.settings.tracking_max as usize);
            }
            "requirepass" => {
                let password = server.settings.requirepass().map(str::as_bytes);
                server.acl.set_default_password(password);
            }
            _ => {}
        }
        if !server.changed.iter().any(|it| it.name == setting.name) {
            server.changed.push(setting);
        }
    }
    call.reply.ok();
    Ok(())
}

fn resetstat(call: &mut Call<'_, '_>) -> Done {
    call.server.counters = Counters::default();
    call.server.errors = Errors::default();
    // Rates are of what the counters have grown by.
    call.server.rates = Rates::default();
    call.server.keyspace.reset_stats();
    if let Some(upstream) = &mut call.server.upstream {
        upstream.reset_counters();
    }
    call.server.tallies.reset();
    call.reply.ok();
    Ok(())
}

fn rewrite(call: &mut Call<'_, '_>) -> Done {
    let server = &mut call.server;
    let path = server.config_file.clone().ok_or(config::RewriteError::NoFile);
    path.and_then(|path| config::rewrite(&path, &server.settings, &server.changed))
        .map_err(|error| Refusal::of(format!("ERR {error}")))?;
    call.reply.ok();
    Ok(())
}
