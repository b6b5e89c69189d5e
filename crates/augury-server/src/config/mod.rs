//! What can be set, and from where: defaults, a file, `AUGURY_*` variables, flags; later wins.
//!
//! A setting is a row of [`table::SETTINGS`]; TOML keys, variables, flags and their help, CONFIG GET
//! and SET, and the documentation come from it. A file is TOML or a redis.conf. Nothing here acts on
//! a setting.

mod arguments;
mod change;
mod encryption;
mod error;
mod file;
mod notify;
mod output;
mod redis_conf;
mod rewrite;
mod setting;
mod settings;
pub mod table;
mod units;
mod upstream;

pub use arguments::{Loaded, command, load};
pub use change::{ChangeError, change};
pub use encryption::{ClientCertificates, TlsSettings};
pub use error::ConfigError;
pub use notify::Notified;
pub use output::{OutputLimit, OutputLimits};
pub use rewrite::{RewriteError, rewrite};
pub use setting::{Field, Setting, Unit};
pub use settings::{LogFormat, SaveRule, Settings};
pub use units::bytes;
pub use upstream::{Tongue, Upstream, redacted};
