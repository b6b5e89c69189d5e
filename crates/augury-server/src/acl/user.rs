//! A user: how it authenticates, what it may do, and how many bytes its keys may take.

use super::catalog::Number;
use super::password::{self, Digest};
use super::selector::{Access, RuleError, Selector};
use crate::config::bytes;

/// The user of who has not said who it is.
pub const DEFAULT: &[u8] = b"default";

/// See the module's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its name.
    pub name: Box<[u8]>,
    /// Whether it may authenticate.
    pub is_on: bool,
    /// Whether any password is right.
    pub is_nopass: bool,
    /// What was said of checking payloads, which there are none of here: kept for ACL LIST.
    pub(super) sanitizes: Option<bool>,
    pub(super) passwords: Vec<Digest>,
    /// The selector that every user has.
    pub(super) root: Selector,
    /// Those in parentheses.
    pub(super) selectors: Vec<Selector>,
    /// Most bytes that the keys under its pattern may take.
    pub quota: Option<u64>,
}

impl User {
    /// One that is off and may do nothing.
    pub fn new(name: &[u8]) -> User {
        User {
            name: name.into(),
            is_on: false,
            is_nopass: false,
            sanitizes: None,
            passwords: Vec::new(),
            root: Selector::nothing(),
            selectors: Vec::new(),
            quota: None,
        }
    }

    /// The user of who has not said who it is, before anything is configured.
    pub fn unrestricted(name: &[u8]) -> User {
        let mut user = User::new(name);
        for rule in ["on", "nopass", "+@all", "~*", "&*"] {
            user.apply(rule.as_bytes()).expect("these are rules");
        }
        user
    }

    /// Whether it may do everything, so that nothing has to be looked up.
    pub fn is_unrestricted(&self) -> bool {
        self.root.is_unrestricted() && self.quota.is_none()
    }

    /// Whether who gives no password is this user.
    pub fn is_open(&self) -> bool {
        self.is_on && self.is_nopass
    }

    /// The selectors, the one that every user has first.
    pub fn all_selectors(&self) -> impl Iterator<Item = &Selector> {
        std::iter::once(&self.root).chain(&self.selectors)
    }

    /// The prefix of keys that a quota counts.
    pub fn quota_prefix(&self) -> Option<&[u8]> {
        let [only] = self.root.keys.as_slice() else { return None };
        let has_other_keys = self.selectors.iter().any(|it| it.all_keys || !it.keys.is_empty());
        let prefix = only.text.strip_suffix(b"*").filter(|prefix| !prefix.is_empty())?;
        let is_plain = !prefix.iter().any(|byte| b"*?[]\\".contains(byte));
        (is_plain && only.access == Access::BOTH && !has_other_keys).then_some(prefix)
    }

    /// Applies rules, all or none.
    ///
    /// # Errors
    /// One is no rule: it, and why.
    pub fn with<'a>(
        &self,
        rules: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<User, (&'a [u8], RuleError)> {
        let mut user = self.clone();
        let mut latest_quota: &[u8] = b"quota:";
        for rule in rules {
            user.apply(rule).map_err(|error| (rule, error))?;
            if is_quota(rule) {
                latest_quota = rule;
            }
        }
        if user.quota.is_some() && user.quota_prefix().is_none() {
            return Err((latest_quota, RuleError::QuotaPattern));
        }
        Ok(user)
    }

    fn apply(&mut self, rule: &[u8]) -> Result<(), RuleError> {
        match rule.to_ascii_lowercase().as_slice() {
            b"on" => self.is_on = true,
            b"off" => self.is_on = false,
            b"nopass" => {
                self.is_nopass = true;
                self.passwords.clear();
            }
            b"resetpass" => {
                self.is_nopass = false;
                self.passwords.clear();
            }
            b"sanitize-payload" => self.sanitizes = Some(true),
            b"skip-sanitize-payload" => self.sanitizes = Some(false),
            b"clearselectors" => self.selectors.clear(),
            b"reset" => {
                *self = User { sanitizes: Some(true), ..User::new(&self.name) };
            }
            _ => match rule {
                [b'>', password @ ..] => self.add_password(password::digest(password)),
                [b'#', hash @ ..] => {
                    self.add_password(password::from_hex(hash).ok_or(RuleError::Hash)?);
                }
                [b'<', password @ ..] => self.remove_password(&password::digest(password))?,
                [b'!', hash @ ..] => {
                    let digest = password::from_hex(hash).ok_or(RuleError::Hash)?;
                    self.remove_password(&digest)?;
                }
                [b'(', rules @ .., b')'] => {
                    let mut selector = Selector::nothing();
                    let rules = rules.split(|&byte| byte == b' ').filter(|it| !it.is_empty());
                    rules.into_iter().try_for_each(|rule| selector.apply(rule))?;
                    self.selectors.push(selector);
                }
                _ if is_quota(rule) => self.quota = quota(&rule[QUOTA.len()..])?,
                _ => self.root.apply(rule)?,
            },
        }
        Ok(())
    }

    fn add_password(&mut self, digest: Digest) {
        if !self.passwords.contains(&digest) {
            self.passwords.push(digest);
        }
        self.is_nopass = false;
    }

    fn remove_password(&mut self, digest: &Digest) -> Result<(), RuleError> {
        let at = self.passwords.iter().position(|it| it == digest);
        self.passwords.remove(at.ok_or(RuleError::NoPassword)?);
        Ok(())
    }

    /// Whether a command may show this key.
    pub fn may_see(&self, number: Number, key: &[u8]) -> bool {
        self.all_selectors()
            .any(|selector| selector.allows(number, None) && selector.allows_key(key, Access::READ))
    }

    /// Whether a command may show any key.
    pub fn may_see_all(&self, number: Number) -> bool {
        self.all_selectors().any(|selector| selector.allows(number, None) && selector.all_keys)
    }

    /// Whether a command may run with any keys; `first` is its first argument behind the name.
    pub fn allows(&self, number: Number, first: Option<&[u8]>) -> bool {
        self.all_selectors().any(|selector| selector.allows(number, first))
    }
}

const QUOTA: &[u8] = b"quota:";

fn is_quota(rule: &[u8]) -> bool {
    rule.len() >= QUOTA.len() && rule[..QUOTA.len()].eq_ignore_ascii_case(QUOTA)
}

fn quota(text: &[u8]) -> Result<Option<u64>, RuleError> {
    let bytes = std::str::from_utf8(text).ok().and_then(|text| bytes(text).ok());
    match bytes.ok_or(RuleError::Quota)? {
        0 => Ok(None),
        bytes if bytes <= 1 << 53 => Ok(Some(bytes)),
        _ => Err(RuleError::Quota),
    }
}

/// Joins the arguments of a selector in parentheses, which its spaces have parted.
///
/// # Errors
/// A parenthesis is not closed: where it begins.
pub fn join_selectors<'a>(
    rules: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<Vec<u8>>, &'a [u8]> {
    let mut joined: Vec<Vec<u8>> = Vec::new();
    let mut open: Option<&[u8]> = None;
    for rule in rules {
        if open.is_some() {
            let selector = joined.last_mut().expect("an open selector has been pushed");
            selector.push(b' ');
            selector.extend_from_slice(rule);
        } else {
            joined.push(rule.to_vec());
            if rule.first() == Some(&b'(') {
                open = Some(rule);
            }
        }
        if rule.last() == Some(&b')') {
            open = None;
        }
    }
    open.map_or(Ok(joined), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(rules: &str) -> Result<User, RuleError> {
        User::new(b"u").with(rules.split(' ').map(str::as_bytes)).map_err(|(_, error)| error)
    }

    #[test]
    fn rules_are_applied_all_or_none() {
        let user = User::new(b"u");
        let rules = ["on", "+nothing"].map(str::as_bytes);
        assert_eq!(Err((rules[1], RuleError::Unknown)), user.with(rules));
        assert!(!user.is_on);
    }

    #[test]
    fn the_default_user_may_do_everything() {
        let user = User::unrestricted(DEFAULT);
        assert!(user.is_unrestricted() && user.is_open());
    }

    #[test]
    fn a_quota_needs_a_prefix() {
        let user = with("~a:* quota:1mb").expect("a prefix and a quota");
        assert_eq!((Some(1 << 20), Some(&b"a:"[..])), (user.quota, user.quota_prefix()));
        for rules in ["quota:1mb", "~* quota:1mb", "~a?* quota:1", "~a:* ~b:* quota:1"] {
            assert_eq!(Err(RuleError::QuotaPattern), with(rules), "{rules}");
        }
        assert_eq!(Err(RuleError::Quota), with("~a:* quota:much"));
        assert_eq!(Ok(None), with("~a:* quota:1mb quota:0").map(|user| user.quota));
    }

    #[test]
    fn selectors_are_joined_over_their_spaces() {
        let rules = ["on", "(+get", "~a)", "+set"].map(str::as_bytes);
        let joined = join_selectors(rules).expect("the parenthesis is closed");
        assert_eq!(vec![&b"on"[..], b"(+get ~a)", b"+set"], joined);
        assert_eq!(Err(&b"(+get"[..]), join_selectors([&b"(+get"[..], b"~a"]));
    }
}
