//! A selector: which commands may run on which keys and channels.
//!
//! Every user has one, and may have more in parentheses: a command runs if one of them lets it.

use thiserror::Error;

use super::catalog::{Number, catalog, category};
use crate::commands::Categories;
use crate::glob;

/// Why a rule is not one. The texts are Redis's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[allow(missing_docs)]
pub enum RuleError {
    #[error("Syntax error")]
    Syntax,
    #[error("Unknown command or category name in ACL")]
    Unknown,
    #[error(
        "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. Try 'resetkeys' to start with an empty list of patterns"
    )]
    AllKeys,
    #[error(
        "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. Try 'resetchannels' to start with an empty list of channels"
    )]
    AllChannels,
    #[error("Allowing first-arg of a subcommand is not supported")]
    SubFirstArgument,
    #[error(
        "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters"
    )]
    Hash,
    #[error("The password you are trying to remove from the user does not exist")]
    NoPassword,
    #[error("A quota is a number of bytes, such as quota:64mb, and at most 2^53; quota:0 ends it")]
    Quota,
    #[error(
        "A quota needs one key pattern of the form ~prefix*, with no other wildcard in it and no selector with keys: set the pattern before or with the quota"
    )]
    QuotaPattern,
}

/// What is done with keys: reading, writing, both, or neither (asking whether they exist).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// What they hold is told.
    pub reads: bool,
    /// What they hold is changed.
    pub writes: bool,
}

impl Access {
    /// Both.
    pub const BOTH: Access = Access { reads: true, writes: true };
    /// Telling only.
    pub const READ: Access = Access { reads: true, writes: false };
    /// Changing only.
    pub const WRITE: Access = Access { reads: false, writes: true };
    /// Neither.
    pub const NEITHER: Access = Access { reads: false, writes: false };

    fn covers(self, wanted: Access) -> bool {
        (self.reads || !wanted.reads) && (self.writes || !wanted.writes)
    }
}

/// Keys, and what may be done with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPattern {
    /// A glob.
    pub text: Box<[u8]>,
    /// What may be done.
    pub access: Access,
}

/// See the module's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    /// A bit for each command of the catalog.
    allowed: Vec<u64>,
    /// Whether every command may run.
    pub(super) all_commands: bool,
    /// Whether what is not named may run: the latest of `+@all` and `-@all` was the former.
    pub(super) allows_unnamed: bool,
    /// The rules since then, each `+name` or `-name`.
    pub(super) rules: Vec<String>,
    /// Commands that may run with this first argument only.
    first_arguments: Vec<(Number, Box<[u8]>)>,
    pub(super) keys: Vec<KeyPattern>,
    pub(super) all_keys: bool,
    pub(super) channels: Vec<Box<[u8]>>,
    pub(super) all_channels: bool,
}

impl Selector {
    /// One that allows nothing.
    pub fn nothing() -> Selector {
        Selector {
            allowed: vec![0; catalog().entries().len().div_ceil(64)],
            all_commands: false,
            allows_unnamed: false,
            rules: Vec::new(),
            first_arguments: Vec::new(),
            keys: Vec::new(),
            all_keys: false,
            channels: Vec::new(),
            all_channels: false,
        }
    }

    /// Whether it allows everything.
    pub fn is_unrestricted(&self) -> bool {
        self.all_commands && self.all_keys && self.all_channels
    }

    /// Whether a command may run; `first` is its first argument behind the name.
    pub fn allows(&self, number: Number, first: Option<&[u8]>) -> bool {
        self.all_commands
            || self.allowed[number / 64] & (1 << (number % 64)) != 0
            || self.first_arguments.iter().any(|(it, argument)| {
                *it == number && first.is_some_and(|first| first.eq_ignore_ascii_case(argument))
            })
    }

    /// Whether this may be done with a key.
    pub fn allows_key(&self, key: &[u8], access: Access) -> bool {
        self.all_keys
            || self.keys.iter().any(|it| it.access.covers(access) && glob::matches(&it.text, key))
    }

    /// Whether a channel may be used; a pattern of channels only where the very pattern is allowed.
    pub fn allows_channel(&self, channel: &[u8], is_pattern: bool) -> bool {
        self.all_channels
            || self.channels.iter().any(|allowed| {
                if is_pattern { **allowed == *channel } else { glob::matches(allowed, channel) }
            })
    }

    /// Applies a rule.
    ///
    /// # Errors
    /// It is none: nothing has changed.
    pub fn apply(&mut self, rule: &[u8]) -> Result<(), RuleError> {
        match rule.to_ascii_lowercase().as_slice() {
            b"allkeys" | b"~*" => {
                self.all_keys = true;
                self.keys.clear();
            }
            b"resetkeys" => {
                self.all_keys = false;
                self.keys.clear();
            }
            b"allchannels" | b"&*" => {
                self.all_channels = true;
                self.channels.clear();
            }
            b"resetchannels" => {
                self.all_channels = false;
                self.channels.clear();
            }
            b"allcommands" | b"+@all" => self.reset_commands(true),
            b"nocommands" | b"-@all" => self.reset_commands(false),
            _ => match rule {
                [b'~', pattern @ ..] => self.add_keys(pattern, Access::BOTH)?,
                [b'%', rest @ ..] => {
                    let (access, pattern) = access(rest)?;
                    self.add_keys(pattern, access)?;
                }
                [b'&', pattern @ ..] => self.add_channel(pattern)?,
                [sign @ (b'+' | b'-'), b'@', name @ ..] => self.category(*sign == b'+', name)?,
                [b'+', name @ ..] => self.allow(name)?,
                [b'-', name @ ..] => self.deny(name)?,
                _ => return Err(RuleError::Syntax),
            },
        }
        Ok(())
    }

    fn reset_commands(&mut self, is_allowed: bool) {
        self.allowed.fill(if is_allowed { u64::MAX } else { 0 });
        self.all_commands = is_allowed;
        self.allows_unnamed = is_allowed;
        self.rules.clear();
        self.first_arguments.clear();
    }

    fn add_keys(&mut self, text: &[u8], access: Access) -> Result<(), RuleError> {
        if self.all_keys {
            return Err(RuleError::AllKeys);
        }
        if has_space(text) {
            return Err(RuleError::Syntax);
        }
        match self.keys.iter_mut().find(|it| *it.text == *text) {
            Some(known) => {
                known.access.reads |= access.reads;
                known.access.writes |= access.writes;
            }
            None => self.keys.push(KeyPattern { text: text.into(), access }),
        }
        Ok(())
    }

    fn add_channel(&mut self, text: &[u8]) -> Result<(), RuleError> {
        if self.all_channels {
            return Err(RuleError::AllChannels);
        }
        if has_space(text) {
            return Err(RuleError::Syntax);
        }
        if !self.channels.iter().any(|it| **it == *text) {
            self.channels.push(text.into());
        }
        Ok(())
    }

    fn category(&mut self, is_allowed: bool, name: &[u8]) -> Result<(), RuleError> {
        let name = std::str::from_utf8(name).map_err(|_| RuleError::Unknown)?;
        let category = category(name).ok_or(RuleError::Unknown)?;
        for (number, entry) in catalog().entries().iter().enumerate() {
            if category.intersects(entry.command.categories()) {
                self.set(number, is_allowed);
            }
        }
        // A category without commands here still is a rule, and may take commands away.
        self.all_commands &= is_allowed || category == Categories::empty();
        self.note(&format!("@{name}"), is_allowed);
        Ok(())
    }

    fn allow(&mut self, name: &[u8]) -> Result<(), RuleError> {
        let name = std::str::from_utf8(name).map_err(|_| RuleError::Unknown)?;
        if let Some(number) = catalog().named(name) {
            self.set_with_subcommands(number, true);
            self.note(name, true);
            return Ok(());
        }
        let (container, argument) = name.rsplit_once('|').ok_or(RuleError::Unknown)?;
        let number = catalog().named(container).ok_or(RuleError::Unknown)?;
        let entry = &catalog().entries()[number];
        if entry.is_sub {
            return Err(RuleError::SubFirstArgument);
        }
        if entry.subs > 0 {
            return Err(RuleError::Unknown);
        }
        if argument.is_empty() {
            return Err(RuleError::Syntax);
        }
        self.first_arguments.push((number, argument.as_bytes().into()));
        self.note(name, true);
        Ok(())
    }

    fn deny(&mut self, name: &[u8]) -> Result<(), RuleError> {
        let name = std::str::from_utf8(name).map_err(|_| RuleError::Unknown)?;
        let number = catalog().named(name).ok_or(RuleError::Unknown)?;
        self.set_with_subcommands(number, false);
        self.all_commands = false;
        self.note(name, false);
        Ok(())
    }

    fn set_with_subcommands(&mut self, number: Number, is_allowed: bool) {
        for number in number..=number + catalog().entries()[number].subs {
            self.set(number, is_allowed);
        }
    }

    fn set(&mut self, number: Number, is_allowed: bool) {
        let (word, bit) = (number / 64, 1 << (number % 64));
        if is_allowed {
            self.allowed[word] |= bit;
        } else {
            self.allowed[word] &= !bit;
        }
        self.first_arguments.retain(|(it, _)| *it != number);
    }

    /// Remembers a rule in place of earlier ones that it makes void.
    fn note(&mut self, name: &str, is_allowed: bool) {
        let name = name.to_ascii_lowercase();
        self.rules.retain(|rule| {
            let rest = rule[1..].strip_prefix(&name);
            !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('|'))
        });
        let sign = if is_allowed { '+' } else { '-' };
        self.rules.push(format!("{sign}{name}"));
    }
}

/// What stands between `%` and `~`, and the pattern behind it.
fn access(rest: &[u8]) -> Result<(Access, &[u8]), RuleError> {
    let mut access = Access::NEITHER;
    for (at, letter) in rest.iter().enumerate() {
        match letter.to_ascii_uppercase() {
            b'R' if !access.reads => access.reads = true,
            b'W' if !access.writes => access.writes = true,
            b'~' if access != Access::NEITHER => return Ok((access, &rest[at + 1..])),
            _ => break,
        }
    }
    Err(RuleError::Syntax)
}

fn has_space(text: &[u8]) -> bool {
    text.iter().any(|byte| byte.is_ascii_whitespace() || *byte == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rules: &str) -> Selector {
        let mut selector = Selector::nothing();
        for rule in rules.split(' ') {
            selector.apply(rule.as_bytes()).expect("the rules of these tests are rules");
        }
        selector
    }

    fn allows(selector: &Selector, name: &str) -> bool {
        selector.allows(catalog().named(name).expect("a command of this program"), None)
    }

    #[test]
    fn the_latest_rule_decides() {
        assert!(allows(&of("+@all"), "get") && !allows(&of("+@all -get"), "get"));
        assert!(allows(&of("+@all -@string +get"), "get"));
        assert!(!allows(&of("+@all -@string +get"), "set"));
        assert!(!of("+@all -get +get allkeys allchannels").is_unrestricted());
        assert!(of("+@all ~* &*").is_unrestricted());
    }

    #[test]
    fn a_container_holds_its_subcommands() {
        assert!(allows(&of("+acl"), "acl|setuser"));
        let one = of("+acl|whoami");
        assert!(allows(&one, "acl|whoami") && !allows(&one, "acl|setuser"));
    }

    #[test]
    fn a_first_argument_may_be_all_that_is_allowed() {
        let selector = of("+select|0");
        let select = catalog().named("select").expect("there is a command of this name");
        assert!(selector.allows(select, Some(b"0")) && !selector.allows(select, Some(b"1")));
        assert!(!of("+select|0 -select").allows(select, Some(b"0")));
    }

    #[test]
    fn keys_are_for_reading_writing_or_both() {
        let selector = of("%R~in:* %W~out:* ~mine:*");
        assert!(selector.allows_key(b"in:1", Access::READ));
        assert!(!selector.allows_key(b"in:1", Access::BOTH));
        assert!(selector.allows_key(b"out:1", Access::WRITE));
        assert!(selector.allows_key(b"mine:1", Access::BOTH));
        assert!(selector.allows_key(b"in:1", Access::NEITHER));
        assert!(!selector.allows_key(b"other", Access::NEITHER));
    }

    #[test]
    fn a_pattern_of_channels_must_be_allowed_itself() {
        let selector = of("&news.*");
        assert!(selector.allows_channel(b"news.sport", false));
        assert!(selector.allows_channel(b"news.*", true));
        assert!(!selector.allows_channel(b"news.s*", true));
    }

    #[test]
    fn rules_that_are_none_are_refused() {
        for (before, rule, error) in [
            ("-@all", "+nothing", RuleError::Unknown),
            ("-@all", "+acl|nothing", RuleError::Unknown),
            ("-@all", "+acl|setuser|x", RuleError::SubFirstArgument),
            ("-@all", "+select|", RuleError::Syntax),
            ("-@all", "-set|x", RuleError::Unknown),
            ("-@all", "+@nothing", RuleError::Unknown),
            ("-@all", "%X~a", RuleError::Syntax),
            ("-@all", "%~a", RuleError::Syntax),
            ("-@all", "nothing", RuleError::Syntax),
            ("allkeys", "~a", RuleError::AllKeys),
            ("allchannels", "&a", RuleError::AllChannels),
        ] {
            assert_eq!(Err(error), of(before).apply(rule.as_bytes()), "{rule}");
        }
    }
}
