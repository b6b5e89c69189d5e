//! What a setting is, as data, and how its value is read from a text and shown as one.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use augury_replay::replay::PolicyName;

use super::notify::Notified;
use super::output::OutputLimits;
use super::settings::{LogFormat, SaveRule};
use super::{Settings, Upstream, bytes};

/// A setting.
#[derive(Debug)]
pub struct Setting {
    /// TOML key and flag; the variable is `AUGURY_` and this in upper case, `_` for `-`.
    pub name: &'static str,
    /// Directive of a redis.conf, where there is one: CONFIG knows it by both names.
    pub redis: &'static str,
    /// Whether CONFIG SET may change it.
    pub is_live: bool,
    /// What it is for, in a line.
    pub summary: &'static str,
    /// Where it is, and what its values are.
    pub field: Field,
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// Bytes, which may be given with a unit.
    Bytes,
    /// Seconds.
    Seconds,
    /// Microseconds.
    Micros,
}

/// Kinds of values.
#[derive(Debug)]
#[allow(missing_docs)]
pub enum Field {
    /// A whole number within bounds.
    Number {
        get: fn(&Settings) -> i64,
        set: fn(&mut Settings, i64),
        unit: Unit,
        least: i64,
        most: i64,
    },
    /// A port that is always open.
    Port(fn(&mut Settings) -> &mut u16),
    /// A port that is open where it is set; an empty text closes it.
    MaybePort(fn(&mut Settings) -> &mut Option<u16>),
    /// `yes` or `no`.
    Switch(fn(&mut Settings) -> &mut bool),
    /// Any text.
    Text(fn(&mut Settings) -> &mut String),
    /// The URL of an upstream, whose password is neither logged nor shown.
    Upstream(fn(&mut Settings) -> &mut String),
    /// A text that is neither logged nor shown in errors.
    Secret(fn(&mut Settings) -> &mut String),
    /// One of these.
    Choice(fn(&mut Settings) -> &mut String, &'static [&'static str]),
    /// A path.
    Path(fn(&mut Settings) -> &mut PathBuf),
    /// A name without a folder.
    FileName(fn(&mut Settings) -> &mut String),
    /// IP addresses, spaces between them.
    Addresses(fn(&mut Settings) -> &mut Vec<IpAddr>),
    /// Pairs of seconds and changes, spaces between all of them.
    Rules(fn(&mut Settings) -> &mut Vec<SaveRule>),
    /// Texts, one beside the other; given anew it is added.
    Lines(fn(&mut Settings) -> &mut Vec<String>),
    /// The name of a policy.
    Policy(fn(&mut Settings) -> &mut PolicyName),
    /// Limits of what waits for clients, by class.
    Limits(fn(&mut Settings) -> &mut OutputLimits),
    /// Classes of changes, a letter each.
    Notified(fn(&mut Settings) -> &mut Notified),
    /// A time in seconds, with a fraction if need be.
    Time(fn(&mut Settings) -> &mut Duration),
    /// `text` or `json`.
    Format(fn(&mut Settings) -> &mut LogFormat),
}

impl Setting {
    /// The variable of the environment.
    pub fn variable(&self) -> String {
        format!("AUGURY_{}", self.name.to_ascii_uppercase().replace('-', "_"))
    }

    /// Whether it goes by this name, in a file or with CONFIG.
    pub fn is_called(&self, name: &str) -> bool {
        let same = |own: &str| {
            own.len() == name.len()
                && own.bytes().zip(name.bytes()).all(|(own, given)| {
                    own == given.to_ascii_lowercase() || own == b'-' && given == b'_'
                })
        };
        same(self.name) || (!self.redis.is_empty() && same(self.redis))
    }

    /// What a flag's value is called in the help.
    pub fn value_name(&self) -> &'static str {
        match &self.field {
            Field::Number { unit: Unit::Bytes, .. } => "BYTES",
            Field::Number { unit: Unit::Seconds, .. } => "SECONDS",
            Field::Number { unit: Unit::Micros, .. } => "MICROSECONDS",
            Field::Number { .. } => "N",
            Field::Port(_) | Field::MaybePort(_) => "PORT",
            Field::Switch(_) => "yes|no",
            Field::Text(_) | Field::Lines(_) => "TEXT",
            Field::Limits(_) => "CLASS HARD SOFT SECONDS",
            Field::Notified(_) => "CLASSES",
            Field::Time(_) => "SECONDS",
            Field::Upstream(_) => "URL",
            Field::Secret(_) => "SECRET",
            Field::Choice(..) | Field::Policy(_) => "NAME",
            Field::Path(_) => "PATH",
            Field::FileName(_) => "NAME",
            Field::Addresses(_) => "ADDRESS",
            Field::Rules(_) => "SECONDS CHANGES",
            Field::Format(_) => "text|json",
        }
    }

    /// The value, as it could be given.
    pub fn show(&self, settings: &Settings) -> String {
        let mut settings = settings.clone();
        let settings = &mut settings;
        match &self.field {
            Field::Number { get, .. } => get(settings).to_string(),
            Field::Port(at) => at(settings).to_string(),
            Field::MaybePort(at) => at(settings).map_or_else(String::new, |port| port.to_string()),
            Field::Switch(at) => if *at(settings) { "yes" } else { "no" }.to_owned(),
            Field::Text(at)
            | Field::Secret(at)
            | Field::FileName(at)
            | Field::Choice(at, _)
            | Field::Upstream(at) => at(settings).clone(),
            Field::Path(at) => at(settings).display().to_string(),
            Field::Addresses(at) => joined(at(settings).iter().map(IpAddr::to_string)),
            Field::Rules(at) => {
                joined(at(settings).iter().map(|it| format!("{} {}", it.seconds, it.changes)))
            }
            Field::Lines(at) => at(settings).join("\n"),
            Field::Limits(at) => at(settings).show(),
            Field::Notified(at) => at(settings).show(),
            Field::Time(at) => at(settings).as_secs_f64().to_string(),
            Field::Policy(at) => at(settings).to_string(),
            Field::Format(at) => match at(settings) {
                LogFormat::Text => "text".to_owned(),
                LogFormat::Json => "json".to_owned(),
            },
        }
    }

    /// Sets the value.
    ///
    /// # Errors
    /// The text is none of the setting's values; it says which are.
    pub fn read(&self, settings: &mut Settings, text: &str) -> Result<(), String> {
        match &self.field {
            Field::Number { set, unit, least, most, .. } => {
                set(settings, number(text, *unit, *least, *most)?);
            }
            Field::Port(at) => *at(settings) = port(text)?,
            Field::MaybePort(at) => {
                *at(settings) = if text.is_empty() { None } else { Some(port(text)?) };
            }
            Field::Switch(at) => *at(settings) = switch(text)?,
            Field::Text(at) | Field::Secret(at) => text.clone_into(at(settings)),
            Field::Upstream(at) => {
                if !text.is_empty() {
                    Upstream::parse(text)?;
                }
                text.clone_into(at(settings));
            }
            Field::Choice(at, names) => {
                let lower = text.to_ascii_lowercase();
                if !names.contains(&lower.as_str()) {
                    return Err(format!("{text:?} is none of {}", names.join(", ")));
                }
                *at(settings) = lower;
            }
            Field::Path(at) => *at(settings) = PathBuf::from(text),
            Field::FileName(at) => {
                if text.is_empty() || text.contains('/') {
                    return Err(format!("{text:?} is no file name: it is put into the folder dir"));
                }
                text.clone_into(at(settings));
            }
            Field::Addresses(at) => *at(settings) = addresses(text)?,
            Field::Rules(at) => *at(settings) = rules(text)?,
            Field::Lines(at) => at(settings).push(text.to_owned()),
            Field::Limits(at) => at(settings).read(text)?,
            Field::Notified(at) => *at(settings) = Notified::read(text)?,
            Field::Time(at) => {
                let seconds = text.trim().parse().ok().filter(|it: &f64| *it > 0.0);
                let time = seconds.and_then(|it| Duration::try_from_secs_f64(it).ok());
                *at(settings) =
                    time.ok_or_else(|| format!("{text:?} is no number of seconds above 0"))?;
            }
            Field::Policy(at) => {
                *at(settings) =
                    text.parse().ok().filter(|name| available().any(|it| it == *name)).ok_or_else(
                        || {
                            format!(
                                "{text:?} is no policy: {}",
                                joined(available().map(|it| it.to_string()))
                            )
                        },
                    )?;
            }
            Field::Format(at) => {
                *at(settings) = match text.to_ascii_lowercase().as_str() {
                    "text" => LogFormat::Text,
                    "json" => LogFormat::Json,
                    _ => return Err(format!("{text:?} is neither text nor json")),
                };
            }
        }
        Ok(())
    }

    /// Whether the value is to be kept from logs and errors.
    pub fn is_secret(&self) -> bool {
        matches!(self.field, Field::Secret(_) | Field::Lines(_))
    }
}

/// The policies that can serve: those that look into the future need a trace.
fn available() -> impl Iterator<Item = PolicyName> {
    PolicyName::ALL.into_iter().filter(|name| !name.name().starts_with("belady"))
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(" ")
}

fn number(text: &str, unit: Unit, least: i64, most: i64) -> Result<i64, String> {
    let number = match unit {
        Unit::Bytes => i64::try_from(bytes(text)?).unwrap_or(i64::MAX),
        _ => text.trim().parse().map_err(|_| format!("{text:?} is no whole number"))?,
    };
    if (least..=most).contains(&number) {
        return Ok(number);
    }
    let unit = match unit {
        Unit::Bytes => " bytes",
        Unit::Seconds => " seconds",
        Unit::Micros => " microseconds",
        Unit::Count => "",
    };
    Err(format!("{text:?} is not from {least} to {most}{unit}"))
}

fn port(text: &str) -> Result<u16, String> {
    text.trim().parse().map_err(|_| format!("{text:?} is no port from 0 to 65535"))
}

fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" | "on" | "1" => Ok(true),
        "no" | "false" | "off" | "0" => Ok(false),
        _ => Err(format!("{text:?} is neither yes nor no")),
    }
}

/// As Redis has them: `*` is every IPv4 address; one with `-` before it is left out where this
/// machine has it not.
fn addresses(text: &str) -> Result<Vec<IpAddr>, String> {
    let mut found = Vec::new();
    for part in text.split([' ', ',']).filter(|part| !part.is_empty()) {
        let ip = match part.trim_start_matches('-') {
            "*" => IpAddr::from([0, 0, 0, 0]),
            "::*" => IpAddr::from([0u16; 8]),
            "localhost" => IpAddr::from([127, 0, 0, 1]),
            other => other.parse().map_err(|_| {
                format!("{other:?} is no IP address: give 127.0.0.1, ::1, or * for all")
            })?,
        };
        let is_optional = part.starts_with('-');
        if is_optional && std::net::TcpListener::bind((ip, 0)).is_err() {
            continue;
        }
        if !found.contains(&ip) {
            found.push(ip);
        }
    }
    if found.is_empty() {
        return Err("there is no address to listen on".to_owned());
    }
    Ok(found)
}

fn rules(text: &str) -> Result<Vec<SaveRule>, String> {
    let expected = || format!("{text:?} is not pairs of seconds and changes, as 3600 1 300 100");
    let numbers: Vec<u64> = text
        .split_whitespace()
        .map(|part| part.parse().map_err(|_| expected()))
        .collect::<Result<_, _>>()?;
    if numbers.len() % 2 == 1 {
        return Err(expected());
    }
    let pairs = numbers.chunks_exact(2);
    Ok(pairs.map(|pair| SaveRule { seconds: pair[0].max(1), changes: pair[1] }).collect())
}
