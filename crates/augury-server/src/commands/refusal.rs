//! Errors as clients see them: a code, and text that Redis's clients know.

use std::borrow::Cow;

use crate::resp::Arguments;

/// Why a command has not been answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// It is refused, with this error.
    Refused(Refusal),
    /// It waits, and runs anew when its client is woken.
    Waiting,
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Stop {
        Stop::Refused(refusal)
    }
}

/// An error: its code and text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal(Cow<'static, [u8]>);

impl Refusal {
    /// Of a text that is known beforehand.
    pub const fn new(text: &'static str) -> Refusal {
        Refusal(Cow::Borrowed(text.as_bytes()))
    }

    /// Of a text made for the occasion.
    pub fn of(text: impl Into<Vec<u8>>) -> Refusal {
        Refusal(Cow::Owned(text.into()))
    }

    /// Code and text.
    pub fn text(&self) -> &[u8] {
        &self.0
    }

    /// The arguments make no sense together.
    pub const SYNTAX: Refusal = Refusal::new("ERR syntax error");
    /// The key holds something else.
    pub const WRONG_TYPE: Refusal =
        Refusal::new("WRONGTYPE Operation against a key holding the wrong kind of value");
    /// A whole number was expected.
    pub const NOT_INTEGER: Refusal = Refusal::new("ERR value is not an integer or out of range");
    /// A floating point number was expected.
    pub const NOT_FLOAT: Refusal = Refusal::new("ERR value is not a valid float");
    /// The result does not fit into 64 bits.
    pub const OVERFLOW: Refusal = Refusal::new("ERR increment or decrement would overflow");
    /// The result is infinite, or no number.
    pub const NOT_FINITE: Refusal = Refusal::new("ERR increment would produce NaN or Infinity");
    /// There is no such key.
    pub const NO_KEY: Refusal = Refusal::new("ERR no such key");
    /// From and to are the same.
    pub const SAME_OBJECT: Refusal =
        Refusal::new("ERR source and destination objects are the same");
    /// A string would grow beyond its limit.
    pub const TOO_LONG: Refusal =
        Refusal::new("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
    /// A key is longer than the store can name.
    pub const KEY_TOO_LONG: Refusal = Refusal::new(
        "ERR key is longer than the maximum of 16777215 bytes: hash it, or shorten it",
    );
    /// The client has to authenticate.
    pub const NO_AUTH: Refusal = Refusal::new("NOAUTH Authentication required.");

    /// The number of arguments is not the command's.
    pub fn arity(name: &str) -> Refusal {
        Refusal::of(format!("ERR wrong number of arguments for '{name}' command"))
    }

    /// A client of the older protocol that has subscribed may not do this.
    pub fn while_subscribed(name: &str) -> Refusal {
        Refusal::of(format!(
            "ERR Can't execute '{name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET \
             are allowed in this context"
        ))
    }

    /// A time that is not in the future's range.
    pub fn expire(name: &str) -> Refusal {
        Refusal::of(format!("ERR invalid expire time in '{name}' command"))
    }

    /// There is no such command. Redis shows the beginnings of its arguments.
    pub fn unknown<'a>(name: &[u8], arguments: impl Iterator<Item = &'a [u8]>) -> Refusal {
        let mut text = b"ERR unknown command '".to_vec();
        text.extend_from_slice(&name[..name.len().min(128)]);
        text.extend_from_slice(b"', with args beginning with: ");
        let mut room = 128usize;
        for argument in arguments {
            if room == 0 {
                break;
            }
            let shown = &argument[..argument.len().min(room)];
            text.push(b'\'');
            text.extend_from_slice(shown);
            text.extend_from_slice(b"' ");
            room = room.saturating_sub(shown.len() + 3);
        }
        Refusal::of(text)
    }

    /// A subcommand with arguments that it does not take: container and subcommand come first.
    pub fn subcommand(arguments: Arguments<'_>) -> Refusal {
        let text = |at: usize| String::from_utf8_lossy(arguments.get(at).unwrap_or_default());
        Refusal::of(format!(
            "ERR unknown subcommand or wrong number of arguments for '{}'. Try {} HELP.",
            text(1),
            text(0).to_ascii_uppercase()
        ))
    }

    /// There is no such subcommand.
    pub fn unknown_subcommand(container: &str, name: &[u8]) -> Refusal {
        let mut text = b"ERR unknown subcommand '".to_vec();
        text.extend_from_slice(&name[..name.len().min(128)]);
        text.extend_from_slice(
            format!("'. Try {} HELP.", container.to_ascii_uppercase()).as_bytes(),
        );
        Refusal::of(text)
    }
}
