//! A file of settings: TOML, or a redis.conf, as its name or its first line says.

use std::collections::BTreeMap;
use std::path::Path;

use toml::{Spanned, Value};

use super::arguments::{Loaded, apply};
use super::error::ConfigError;
use super::{redis_conf, table};

/// Longest file: settings are some lines.
const BYTES_MAX: u64 = 1 << 20;

/// Reads a file's text, if it is not longer than settings can be.
pub(super) fn text(path: &Path) -> Result<String, ConfigError> {
    let refused = |reason: String| ConfigError::File { path: path.display().to_string(), reason };
    let length = std::fs::metadata(path).map_err(|error| refused(error.to_string()))?.len();
    if length > BYTES_MAX {
        return Err(refused(format!("it has {length} bytes, more than {BYTES_MAX}")));
    }
    std::fs::read_to_string(path).map_err(|error| refused(error.to_string()))
}

/// Whether it is TOML: by its name, else by whether the first line that says something assigns.
pub(super) fn is_toml(path: &Path, text: &str) -> bool {
    match path.extension().and_then(|it| it.to_str()) {
        Some("toml") => true,
        Some("conf") => false,
        _ => {
            let line =
                text.lines().map(str::trim).find(|it| !it.is_empty() && !it.starts_with('#'));
            line.is_some_and(|line| {
                let name = line.split(['=', ' ', '\t']).next().unwrap_or_default();
                line.starts_with('[') || line[name.len()..].trim_start().starts_with('=')
            })
        }
    }
}

/// Reads the file into the settings.
pub(super) fn read(path: &Path, loaded: &mut Loaded) -> Result<(), ConfigError> {
    let text = text(path)?;
    if is_toml(path, &text) {
        read_toml(path, &text, loaded)
    } else {
        redis_conf::read(path, &text, loaded)
    }
}

fn read_toml(path: &Path, text: &str, loaded: &mut Loaded) -> Result<(), ConfigError> {
    let path = path.display();
    let entries: BTreeMap<Spanned<String>, Value> = toml::from_str(text)
        .map_err(|error| ConfigError::File { path: path.to_string(), reason: error.to_string() })?;
    for (name, value) in entries {
        let line = text[..name.span().start.min(text.len())].matches('\n').count() + 1;
        let name = name.into_inner();
        let Some(setting) = table::find(&name) else {
            let origin = format!("{path} line {line}");
            return Err(ConfigError::Unknown { origin, nearest: table::nearest(&name), name });
        };
        let origin = format!("{path} line {line}: {name}");
        let is_line = matches!(setting.field, super::Field::Lines(_));
        let given = match value {
            Value::Array(parts) if is_line => parts.iter().filter_map(plain).collect(),
            Value::Array(parts) => {
                vec![parts.iter().filter_map(plain).collect::<Vec<_>>().join(" ")]
            }
            other => plain(&other).map_or_else(Vec::new, |text| vec![text]),
        };
        if given.is_empty() && !is_line {
            let reason = "a text, a number or a list of them is expected".to_owned();
            return Err(ConfigError::Value { origin, reason });
        }
        for text in given {
            apply(setting, &mut loaded.settings, &text, &origin)?;
        }
    }
    Ok(())
}

/// A value as the text that a flag would have.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Boolean(is_on) => Some(if *is_on { "yes" } else { "no" }.to_owned()),
        Value::Array(parts) => Some(parts.iter().filter_map(plain).collect::<Vec<_>>().join(" ")),
        _ => None,
    }
}
