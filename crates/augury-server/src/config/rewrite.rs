//! CONFIG REWRITE: what was changed while running goes into the file, the rest of it stays.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::setting::Setting;
use super::{Settings, file};

/// Why the file was not rewritten.
#[derive(Debug, thiserror::Error)]
pub enum RewriteError {
    /// The settings came from no file.
    #[error("The server is running without a config file")]
    NoFile,
    /// It could not be read or written.
    #[error("Rewriting config file: {0}")]
    File(String),
}

/// Puts these settings into the file: their line is replaced, or one is added at the end.
///
/// # Errors
/// The file cannot be read or written; it is as it was.
pub fn rewrite(
    path: &Path,
    settings: &Settings,
    changed: &[&'static Setting],
) -> Result<(), RewriteError> {
    let refused = |error: &dyn std::fmt::Display| RewriteError::File(error.to_string());
    let text = file::text(path).map_err(|error| refused(&error))?;
    let is_toml = file::is_toml(path, &text);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for setting in changed {
        let name_of = |line: &str| {
            let line = line.trim_start();
            let end = line.find(['=', ' ', '\t']).unwrap_or(line.len());
            line[..end].trim_matches('"').to_owned()
        };
        let value = setting.show(settings);
        let line = if is_toml {
            format!("{} = {}", setting.name, toml::Value::String(value))
        } else {
            let name = if setting.redis.is_empty() { setting.name } else { setting.redis };
            let plain = |c: char| c.is_ascii_graphic() && c != '"' && c != '\'' || c == ' ';
            let is_plain = !value.is_empty() && value.chars().all(plain);
            let is_list = value.contains(' ') && !setting.is_secret();
            if is_plain && (is_list || !value.contains(' ')) {
                format!("{name} {value}")
            } else {
                format!("{name} {}", quoted(&value))
            }
        };
        let mut at = None;
        let mut position = 0;
        lines.retain_mut(|old| {
            let is_it = setting.is_called(&name_of(old));
            let is_first = is_it && at.is_none();
            if is_first {
                at = Some(position);
                line.clone_into(old);
            }
            position += usize::from(!is_it || is_first);
            !is_it || is_first
        });
        if at.is_none() {
            lines.push(line);
        }
    }
    let written = replace(path, &(lines.join("\n") + "\n"));
    written.map_err(|error| refused(&error))
}

/// As Redis quotes: what is not printable as `\xhh`.
fn quoted(value: &str) -> String {
    let mut out = String::from("\"");
    for byte in value.bytes() {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
            b' '..=b'~' => out.push(char::from(byte)),
            _ => out += &format!("\\x{byte:02x}"),
        }
    }
    out + "\""
}

/// Writes beside the file, then takes its name.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let mut beside = PathBuf::from(path).into_os_string();
    beside.push(format!(".{}.tmp", std::process::id()));
    let mut out = std::fs::File::create(&beside)?;
    out.set_permissions(std::fs::metadata(path)?.permissions())?;
    out.write_all(text.as_bytes())?;
    out.sync_all()?;
    std::fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::super::{load, table};
    use super::*;

    #[test]
    fn what_was_changed_is_read_back_and_the_rest_stays() {
        for (name, text) in [
            ("a.toml", "# mine\nport = 7\nmaxmemory = \"1mb\"\n"),
            ("a.conf", "# mine\nport 7\nsave 1 1\nmaxmemory 1mb\nsave 2 2\n"),
        ] {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("room");
            let mut settings = Settings { memory: 5 << 20, ..Settings::default() };
            settings.password = "a \"b\" \\ ü".to_owned();
            let which = ["memory", "requirepass", "timeout", "save"];
            let which: Vec<_> = which.iter().filter_map(|name| table::find(name)).collect();
            rewrite(&path, &settings, &which).expect("it is written");
            let arguments = ["augury-server", path.to_str().expect("it is text")];
            let back = load(arguments, []).expect("it is valid").settings;
            assert_eq!((5 << 20, 7, 0), (back.memory, back.port, back.save.len()), "{name}");
            assert_eq!(settings.password, back.password);
            let text = std::fs::read_to_string(&path).expect("it is there");
            assert!(text.starts_with("# mine\n") && text.matches("save").count() == 1, "{text}");
        }
    }
}
