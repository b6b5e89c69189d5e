//! Whether a user may run a command with these arguments.

use super::catalog::catalog;
use super::log::Reason;
use super::selector::{Access, Selector};
use super::user::User;
use crate::commands::{Command, Flags, Keys};
use crate::resp::Arguments;

/// What was denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Denied {
    /// Why.
    pub reason: Reason,
    /// Position of the key or channel among the arguments.
    pub at: usize,
}

/// Whether one of the user's selectors lets the command run; else what the one that came closest
/// denies.
///
/// # Errors
/// None does.
pub fn check(
    user: &User,
    command: &'static Command,
    arguments: Arguments<'_>,
) -> Result<(), Denied> {
    let mut closest = Denied { reason: Reason::Command, at: 0 };
    for selector in user.all_selectors() {
        match check_selector(selector, command, arguments) {
            Ok(()) => return Ok(()),
            Err(denied) => closest = closest.max(denied),
        }
    }
    Err(closest)
}

fn check_selector(
    selector: &Selector,
    command: &'static Command,
    arguments: Arguments<'_>,
) -> Result<(), Denied> {
    let denied = |reason, at| Denied { reason, at };
    let number = catalog().number(command).ok_or(denied(Reason::Command, 0))?;
    let name = catalog().entries()[number].full.as_str();
    if !command.flags.contains(Flags::NO_AUTH) && !selector.allows(number, arguments.get(1)) {
        return Err(denied(Reason::Command, 0));
    }
    let channels = channels(name, arguments.len());
    // Names of shards' channels stand where keys do, for clusters: they are channels all the same.
    if !selector.all_keys && channels.is_none() {
        if command.keys == Keys::None && command.flags.contains(Flags::MOVABLE_KEYS) {
            return Err(denied(Reason::Key, 0));
        }
        for (nth, at) in command.keys.positions(arguments).enumerate() {
            if !selector.allows_key(&arguments[at], access(name, command, arguments, nth)) {
                return Err(denied(Reason::Key, at));
            }
        }
    }
    if !selector.all_channels
        && let Some((channels, is_pattern)) = channels
        && let Some(at) =
            channels.into_iter().find(|&at| !selector.allows_channel(&arguments[at], is_pattern))
    {
        return Err(denied(Reason::Channel, at));
    }
    Ok(())
}

/// What a command does with its key of this number: as Redis's key specifications say. Asking whether
/// a key exists, or how long it is, is neither reading nor writing there.
fn access(name: &str, command: &Command, arguments: Arguments<'_>, nth: usize) -> Access {
    match name {
        "incr" | "decr" | "incrby" | "decrby" | "incrbyfloat" | "getset" | "getdel" | "getex"
        | "hincrby" | "hincrbyfloat" | "hgetdel" | "hgetex" => Access::BOTH,
        "set" if arguments.from(3).iter().any(|it| it.eq_ignore_ascii_case(b"get")) => Access::BOTH,
        "bitfield" => {
            let writes =
                |it: &[u8]| it.eq_ignore_ascii_case(b"set") || it.eq_ignore_ascii_case(b"incrby");
            if arguments.from(2).iter().any(writes) { Access::BOTH } else { Access::READ }
        }
        "rename" | "renamenx" if nth == 0 => Access::BOTH,
        "copy" if nth == 0 => Access::READ,
        "exists" | "type" | "touch" | "strlen" | "hlen" | "hexists" | "hstrlen" => Access::NEITHER,
        _ if command.flags.contains(Flags::WRITE) => Access::WRITE,
        _ if name.starts_with("object|") || name.starts_with("memory|") => Access::NEITHER,
        _ if command.flags.contains(Flags::READONLY) => Access::READ,
        _ => Access::NEITHER,
    }
}

/// The positions of a command's channels, and whether they are patterns.
fn channels(name: &str, arguments: usize) -> Option<(std::ops::Range<usize>, bool)> {
    match name {
        "publish" | "spublish" => Some((1..2, false)),
        "subscribe" | "ssubscribe" => Some((1..arguments, false)),
        "psubscribe" => Some((1..arguments, true)),
        "sunsubscribe" => Some((0..0, false)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::table;

    fn checked(rules: &str, words: &str) -> Result<(), Denied> {
        let rules = super::super::user::join_selectors(rules.split(' ').map(str::as_bytes));
        let rules = rules.expect("parentheses are closed");
        let user = User::new(b"u").with(rules.iter().map(Vec::as_slice)).expect("these are rules");
        let mut ranges = Vec::new();
        let mut at = 0;
        for word in words.split(' ') {
            ranges.push(at..at + word.len());
            at += word.len() + 1;
        }
        let arguments = Arguments::new(words.as_bytes(), &ranges);
        let command = table::find(&arguments[0]).expect("a command of this program");
        check(&user, command, arguments)
    }

    fn key(at: usize) -> Result<(), Denied> {
        Err(Denied { reason: Reason::Key, at })
    }

    #[test]
    fn keys_are_checked_by_what_is_done_with_them() {
        assert_eq!(Ok(()), checked("+@all %R~a", "get a"));
        assert_eq!(key(1), checked("+@all %W~a", "get a"));
        assert_eq!(Ok(()), checked("+@all %W~a", "set a 1"));
        assert_eq!(key(1), checked("+@all %W~a", "set a 1 GET"));
        assert_eq!(key(1), checked("+@all ~b", "set a 1"));
    }

    #[test]
    fn channels_of_shards_are_no_keys_and_bit_fields_may_be_read() {
        assert_eq!(Ok(()), checked("+@all resetkeys &c*", "ssubscribe c1 c2"));
        assert_eq!(Ok(()), checked("+@all resetkeys &c*", "sunsubscribe x"));
        let denied = Denied { reason: Reason::Channel, at: 1 };
        assert_eq!(Err(denied), checked("+@all ~* resetchannels", "spublish c 1"));
        assert_eq!(Ok(()), checked("+@all %R~a", "bitfield a get u8 0"));
        assert_eq!(key(1), checked("+@all %R~a", "bitfield a get u8 0 incrby u8 0 1"));
        assert_eq!(Ok(()), checked("+@all ~k*", "msetex 1 k 1 ex 10"));
        assert_eq!(key(4), checked("+@all ~k*", "msetex 2 k 1 l 2"));
    }

    #[test]
    fn a_selector_must_let_all_of_it() {
        assert_eq!(Ok(()), checked("+set ~w* (+get ~r*)", "get r1"));
        assert_eq!(key(1), checked("+set ~w* (+get ~r*)", "get w1"));
        assert_eq!(key(1), checked("+set ~w* (+get ~r*)", "set r1 1"));
    }

    #[test]
    fn what_is_denied_is_what_came_closest() {
        let denied = Denied { reason: Reason::Command, at: 0 };
        assert_eq!(Err(denied), checked("-@all ~*", "get a"));
        assert_eq!(key(1), checked("-@all (+get ~b)", "get a"));
        assert_eq!(Ok(()), checked("-@all", "auth x"));
    }
}
