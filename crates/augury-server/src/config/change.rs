//! Settings changed while the server runs: all of a command, or none.

use super::setting::Setting;
use super::{Settings, table};

/// Why nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeError {
    /// There is no such setting.
    Unknown,
    /// It is fixed once the server runs.
    Fixed,
    /// It is there twice.
    Twice,
    /// A value that the setting does not have, and why.
    Value(String),
}

/// The settings with these changes, and which they were; with an error the position of the pair.
///
/// # Errors
/// One of the changes cannot be made: then none is.
pub fn change<'a>(
    settings: &Settings,
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<(Settings, Vec<&'static Setting>), (usize, ChangeError)> {
    let mut changed = settings.clone();
    let mut which: Vec<&'static Setting> = Vec::new();
    for (at, (name, value)) in pairs.enumerate() {
        let Some(setting) = table::find(name) else {
            let is_fact = table::FIXED.iter().any(|fact| fact.0.eq_ignore_ascii_case(name));
            let why = if is_fact { ChangeError::Fixed } else { ChangeError::Unknown };
            return Err((at, why));
        };
        if !setting.is_live {
            return Err((at, ChangeError::Fixed));
        }
        if which.iter().any(|it| it.name == setting.name) {
            return Err((at, ChangeError::Twice));
        }
        setting.read(&mut changed, value).map_err(|why| (at, ChangeError::Value(why)))?;
        which.push(setting);
    }
    Ok((changed, which))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_or_nothing() {
        let settings = Settings::default();
        let pairs = [("maxmemory", "2gb"), ("TIMEOUT", "7")];
        let (changed, which) = change(&settings, pairs.into_iter()).expect("both are valid");
        assert_eq!((2 << 30, 7, 2), (changed.memory, changed.timeout, which.len()));
        for (pair, error) in [
            (("nosuch", "1"), ChangeError::Unknown),
            (("port", "1"), ChangeError::Fixed),
            (("databases", "1"), ChangeError::Fixed),
            (("memory", "2gb"), ChangeError::Twice),
            (("timeout", "x"), ChangeError::Value("\"x\" is no whole number".to_owned())),
        ] {
            let pairs = [("maxmemory", "2gb"), pair].into_iter();
            assert_eq!(Some((1, error)), change(&settings, pairs).err());
        }
    }
}
