//! Why settings were refused: where, which, and the way out.

/// See the module's head.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A value that its setting does not have.
    #[error("{origin}: {reason}")]
    Value {
        /// The flag, variable, or line of a file.
        origin: String,
        /// What is wrong with it, and what is expected.
        reason: String,
    },
    /// A name that no setting has.
    #[error("{origin}: there is no setting {name:?}{}", meant(.nearest))]
    Unknown {
        /// The line of a file.
        origin: String,
        /// As it was given.
        name: String,
        /// The setting whose name is nearest, if one is near.
        nearest: Option<&'static str>,
    },
    /// Flags that make no sense, or a request for help, which clap answers.
    #[error("{0}")]
    Usage(Box<clap::Error>),
    /// A file that cannot be read.
    #[error("{path}: {reason}")]
    File {
        /// Its path.
        path: String,
        /// What the system, or the parser, says.
        reason: String,
    },
}

/// The end of a sentence that names what was probably meant.
pub(super) fn meant(nearest: &Option<&'static str>) -> String {
    nearest.map_or_else(String::new, |name| format!(": did you mean {name}?"))
}
