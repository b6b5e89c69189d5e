//! All commands, by name.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use super::Command;

/// The tables of the families.
const FAMILIES: &[&[Command]] = &[
    super::strings::values::COMMANDS,
    super::strings::several::COMMANDS,
    super::strings::ranges::COMMANDS,
    super::strings::counters::COMMANDS,
    super::strings::sequence::COMMANDS,
    super::strings::bits::COMMANDS,
    super::strings::bitfield::COMMANDS,
    super::keys::COMMANDS,
    super::expiry::COMMANDS,
    super::scan::COMMANDS,
    super::hashes::fields::COMMANDS,
    super::hashes::counters::COMMANDS,
    super::hashes::choice::COMMANDS,
    super::hashes::expiry::COMMANDS,
    super::hashes::exchange::COMMANDS,
    super::connection::COMMANDS,
    super::client::COMMANDS,
    super::transactions::COMMANDS,
    super::pubsub::COMMANDS,
    super::monitor::COMMANDS,
    super::introspection::COMMANDS,
    super::info::COMMANDS,
    super::memory::COMMANDS,
    super::object::COMMANDS,
    super::slowlog::COMMANDS,
    super::latency::COMMANDS,
    super::node::COMMANDS,
    super::auth::COMMANDS,
    super::acl::COMMANDS,
    super::config::COMMANDS,
    super::persistence::COMMANDS,
    super::scripting::COMMANDS,
    super::augury::COMMANDS,
];

/// Longest name of a command.
const NAME_MAX: usize = 32;

/// All commands, in the order of the families.
pub fn all() -> impl Iterator<Item = &'static Command> {
    FAMILIES.iter().copied().flatten()
}

/// The command of this name (ASCII case ignored), if there is one.
#[inline]
pub fn find(name: &[u8]) -> Option<&'static Command> {
    static BY_NAME: OnceLock<FxHashMap<&'static [u8], &'static Command>> = OnceLock::new();
    let by_name = BY_NAME.get_or_init(|| all().map(|it| (it.name.as_bytes(), it)).collect());
    let mut lower = [0; NAME_MAX];
    let lower = lower.get_mut(..name.len())?;
    for (to, from) in lower.iter_mut().zip(name) {
        *to = from.to_ascii_lowercase();
    }
    by_name.get(&*lower).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_once_and_in_any_case() {
        for command in all() {
            assert!(command.name.len() <= NAME_MAX && command.name == command.name.to_lowercase());
            let found = find(command.name.to_uppercase().as_bytes()).expect("it is in the table");
            assert!(std::ptr::eq(command, found), "{} twice", command.name);
        }
        assert!(find(b"nothing").is_none() && find(&[b'x'; 100]).is_none());
    }
}
