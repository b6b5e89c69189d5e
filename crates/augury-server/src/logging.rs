//! The log: lines for people or JSON, to standard error or a file. Nothing secret is logged: neither
//! passwords nor keys nor values.

use std::fs::OpenOptions;
use std::io;
use std::sync::{Mutex, OnceLock};

use tracing::level_filters::LevelFilter;
use tracing::warn;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt, reload};

use crate::config::{LogFormat, Settings};

/// The way to another level while the server runs.
static LEVEL: OnceLock<reload::Handle<LevelFilter, Registry>> = OnceLock::new();

/// The level that a name of Redis's, or of tracing's, stands for.
fn level(name: &str) -> LevelFilter {
    match name {
        "nothing" | "off" => LevelFilter::OFF,
        "error" => LevelFilter::ERROR,
        "warning" | "warn" => LevelFilter::WARN,
        "verbose" | "debug" => LevelFilter::DEBUG,
        "trace" => LevelFilter::TRACE,
        _ => LevelFilter::INFO,
    }
}

/// Begins to log as the settings say. A process has one log: a second call changes its level only.
///
/// # Errors
/// The file cannot be written to.
pub fn begin(settings: &Settings) -> io::Result<()> {
    if LEVEL.get().is_some() {
        set_level(&settings.log_level);
        return Ok(());
    }
    let writer = if settings.log_file.as_os_str().is_empty() {
        BoxMakeWriter::new(io::stderr)
    } else {
        let path = &settings.log_file;
        let file = OpenOptions::new().create(true).append(true).open(path).map_err(|error| {
            io::Error::new(error.kind(), format!("cannot log to {}: {error}", path.display()))
        })?;
        BoxMakeWriter::new(Mutex::new(file))
    };
    let lines = fmt::layer().with_writer(writer).with_target(false).with_ansi(false);
    let lines = match settings.log_format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let (filter, handle) = reload::Layer::new(level(&settings.log_level));
    if tracing_subscriber::registry().with(filter).with(lines).try_init().is_ok() {
        // Nobody else has set it: there is one log.
        let _ = LEVEL.set(handle);
    }
    Ok(())
}

/// Logs from here on what this level has.
pub fn set_level(name: &str) {
    if let Some(handle) = LEVEL.get()
        && let Err(error) = handle.reload(level(name))
    {
        warn!(%error, "the level of the log cannot be changed");
    }
}
