//! Arguments that nobody else is to see: passwords, in what MONITOR and SLOWLOG show.

use super::Command;
use crate::resp::Arguments;

const HIDDEN: &[u8] = b"(redacted)";

/// Settings whose values are secret.
const SETTINGS: [&str; 4] = ["upstream", "requirepass", "masterauth", "tls-key-file-pass"];

/// The arguments, with secrets replaced.
pub fn hide<'a>(
    command: &'static Command,
    arguments: Arguments<'a>,
) -> impl ExactSizeIterator<Item = &'a [u8]> {
    let is_secret = move |at: usize| match command.name {
        "auth" => at >= 1,
        "hello" => {
            let is_auth = |at: usize| {
                arguments.get(at).is_some_and(|word| word.eq_ignore_ascii_case(b"auth"))
            };
            at >= 3 && is_auth(at - 1) || at >= 4 && is_auth(at - 2)
        }
        "acl|setuser" => at >= 3,
        "config|set" => {
            at >= 3
                && at % 2 == 1
                && SETTINGS
                    .iter()
                    .any(|name| name.as_bytes().eq_ignore_ascii_case(&arguments[at - 1]))
        }
        _ => false,
    };
    let shown = arguments.iter().enumerate();
    shown.map(move |(at, argument)| if is_secret(at) { HIDDEN } else { argument })
}
