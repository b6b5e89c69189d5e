//! Why a key could not be loaded, as clients are told: which upstream, what happened, the way out.

use std::sync::Arc;
use std::time::Duration;

use augury_core::clock::Millis;

/// Where it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    /// The upstream has not answered.
    Silence,
    /// It has answered that it will not.
    Answer,
    /// It was not asked.
    Here,
}

/// See the module's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What clients are told, after the code of the error.
    pub text: Arc<str>,
    /// Where it failed.
    pub at: Where,
    /// Whether time was over.
    pub is_timeout: bool,
}

impl Failure {
    fn new(at: Where, text: String) -> Failure {
        Failure { text: text.into(), at, is_timeout: false }
    }

    /// No answer came in time.
    pub fn timeout(name: &str, timeout: Duration) -> Failure {
        let seconds = timeout.as_secs_f64();
        let text = format!(
            "{name} did not answer within {seconds} s: raise upstream-timeout, or set upstream-stale to serve \
             what has ended meanwhile"
        );
        Failure { is_timeout: true, ..Failure::new(Where::Silence, text) }
    }

    /// It cannot be reached, or the connection was lost.
    pub fn unreachable(name: &str, why: impl std::fmt::Display) -> Failure {
        let text = format!(
            "{name} cannot be reached: {why}; see that it runs and may be reached from here, or set \
             upstream-stale to serve what has ended meanwhile"
        );
        Failure::new(Where::Silence, text)
    }

    /// It has answered with an error.
    pub fn answered(name: &str, why: impl std::fmt::Display) -> Failure {
        let text = format!("{name} answered: {why}; see what this means there");
        Failure::new(Where::Answer, text)
    }

    /// The value is longer than is loaded.
    pub fn too_long(name: &str, most: usize) -> Failure {
        let text = format!(
            "{name} has a value of more than {most} bytes: raise upstream-value-max, or ask there"
        );
        Failure::new(Where::Answer, text)
    }

    /// The value is of a type that is not kept here.
    pub fn foreign_type(name: &str) -> Failure {
        let text = format!(
            "{name} holds neither a string nor a hash under this key: ask there, this cache keeps no other type"
        );
        Failure::new(Where::Answer, text)
    }

    /// The key cannot be a path of a web origin.
    pub fn no_path(name: &str) -> Failure {
        let text = format!(
            "this key is no path under {name}: a part of it is empty, \".\" or \"..\"; choose another key"
        );
        Failure::new(Where::Answer, text)
    }

    /// Too many loads are under way.
    pub fn busy(name: &str, most: usize) -> Failure {
        let text = format!(
            "{most} loads from {name} are under way or wait already: raise upstream-loads or \
             upstream-connections, or ask again later"
        );
        Failure::new(Where::Here, text)
    }

    /// It is left alone for a time.
    pub fn down(name: &str, pause: Millis, last: &str) -> Failure {
        let text = format!(
            "{name} is left alone for {pause} ms more after failures in a row, the last: {last}"
        );
        Failure::new(Where::Here, text)
    }
}
