//! The common directives of a redis.conf; what has no meaning here is told, not refused.

use std::path::Path;

use super::arguments::{Loaded, apply};
use super::error::{ConfigError, meant};
use super::{Field, file, table};
use crate::resp::parser::split_quoted;

/// Files that include each other end here.
const DEPTH_MAX: usize = 8;

/// Reads the directives, of included files too.
pub(super) fn read(path: &Path, text: &str, loaded: &mut Loaded) -> Result<(), ConfigError> {
    read_at(path, text, loaded, 0)
}

fn read_at(path: &Path, text: &str, loaded: &mut Loaded, depth: usize) -> Result<(), ConfigError> {
    let mut has_rules = false;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let place = format!("{} line {}", path.display(), number + 1);
        let Some(words) = words(line) else {
            let reason = "its quotes are not balanced".to_owned();
            return Err(ConfigError::Value { origin: place, reason });
        };
        let name = words[0].to_ascii_lowercase();
        let origin = format!("{place}: {name}");
        if name == "include" {
            let Some(target) = words.get(1).filter(|_| depth < DEPTH_MAX) else {
                let reason =
                    format!("it names no file, or files include each other {DEPTH_MAX} deep");
                return Err(ConfigError::Value { origin, reason });
            };
            let target = Path::new(target);
            read_at(target, &file::text(target)?, loaded, depth + 1)?;
            continue;
        }
        let Some(setting) = table::SETTINGS.iter().find(|it| it.is_called(&name)) else {
            unknown(&name, &words[1..], &origin, loaded);
            continue;
        };
        let mut value = words[1..].join(" ");
        match (&setting.field, setting.redis) {
            // Several lines are one list.
            (Field::Rules(_), _) if has_rules && !value.is_empty() => {
                value = format!("{} {value}", setting.show(&loaded.settings));
            }
            (_, "maxmemory") if value.trim() == "0" => {
                let kept = setting.show(&loaded.settings);
                let said = "a cache has a bound";
                loaded.notices.push(format!("{origin} 0: {said}: it is {kept} bytes"));
                continue;
            }
            (_, "maxmemory-policy") => loaded.notices.push(format!(
                "{origin} {value}: clients read it; who stays is decided by policy, which is {}",
                loaded.settings.policy
            )),
            (Field::MaybePort(_), _) if value == "0" => value.clear(),
            _ => {}
        }
        has_rules |= matches!(setting.field, Field::Rules(_));
        apply(setting, &mut loaded.settings, &value, &origin)?;
    }
    Ok(())
}

/// A directive that is no setting: one whose value is as here is right, others are told of.
fn unknown(name: &str, values: &[String], origin: &str, loaded: &mut Loaded) {
    let value = values.join(" ");
    if let Some((_, fact)) = table::FIXED.iter().find(|it| it.0 == name) {
        let is_enough = name == "databases"
            && value
                .parse::<u32>()
                .is_ok_and(|wanted| wanted <= u32::from(crate::object::DATABASES));
        if value != *fact && !is_enough {
            loaded.notices.push(format!("{origin} {value}: has no effect: it is always {fact}"));
        }
        return;
    }
    let meant = meant(&table::nearest(name));
    loaded.notices.push(format!("{origin}: has no effect here{meant}"));
}

/// The words of a line, quotes resolved.
fn words(line: &str) -> Option<Vec<String>> {
    let (mut out, mut ranges) = (Vec::new(), Vec::new());
    split_quoted(line.as_bytes(), &mut out, &mut ranges)?;
    Some(ranges.into_iter().map(|at| String::from_utf8_lossy(&out[at]).into_owned()).collect())
}
