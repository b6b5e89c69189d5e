//! Access control lists: users, what they may do, what was denied, and who fails to authenticate.
//!
//! Rules and texts are Redis's; a quota of bytes is ours. Who a client is stands in [`crate::auth`],
//! which asks here; nothing here knows clients or connections.

pub mod attempts;
pub mod catalog;
pub mod check;
mod describe;
pub mod file;
pub mod log;
pub mod password;
pub mod selector;
pub mod user;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use attempts::Attempts;
use log::Log;
use password::Digest;
use user::{DEFAULT, User};

/// Users by name, in order.
pub type Users = BTreeMap<Box<[u8]>, Arc<User>>;

/// See the module's head.
pub struct Acl {
    users: Users,
    /// What was denied.
    pub log: Log,
    /// Who failed to authenticate.
    pub attempts: Attempts,
    path: Option<PathBuf>,
}

impl Acl {
    /// The default user, with this password if there is one; `path` is the ACL file's.
    pub fn new(password: Option<&str>, path: Option<PathBuf>) -> Acl {
        let users = BTreeMap::from([(DEFAULT.into(), Arc::new(User::unrestricted(DEFAULT)))]);
        let (log, attempts) = Default::default();
        let mut acl = Acl { users, log, attempts, path };
        acl.set_default_password(password.map(str::as_bytes));
        acl
    }

    /// Sets the only password of the default user; without one, any will do.
    pub fn set_default_password(&mut self, password: Option<&[u8]>) {
        let rule =
            password.map_or_else(|| b"nopass".to_vec(), |password| [b">", password].concat());
        let user = self.default_user().with([&b"resetpass"[..], &rule]);
        self.users.insert(DEFAULT.into(), Arc::new(user.expect("these are rules")));
    }

    /// The user of who has not said who it is.
    pub fn default_user(&self) -> &Arc<User> {
        &self.users[DEFAULT]
    }

    /// The user of this name.
    pub fn user(&self, name: &[u8]) -> Option<&Arc<User>> {
        self.users.get(name)
    }

    /// All users, by name.
    pub fn users(&self) -> impl ExactSizeIterator<Item = &Arc<User>> {
        self.users.values()
    }

    /// The ACL file.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Who it is, if name and password are right. It takes as long for an unknown name as for a known
    /// one: the password is hashed and compared.
    pub fn identify(&self, name: &[u8], password: &[u8]) -> Option<Arc<User>> {
        let digest = password::digest(password);
        let user = self.users.get(name);
        let known: &[Digest] = user.map_or(&[[0; 32]], |user| &user.passwords);
        let is_right = password::is_one_of(&digest, known);
        user.filter(|user| user.is_on && (user.is_nopass || is_right)).cloned()
    }

    /// Puts a user in place of the one of its name, or beside the others.
    ///
    /// # Errors
    /// The prefix of its quota contains, or is contained in, that of another: bytes would count twice.
    pub fn put(&mut self, user: User) -> Result<(), String> {
        check_prefixes(self.users.values().map(Arc::as_ref), &user)?;
        self.users.insert(user.name.clone(), Arc::new(user));
        Ok(())
    }

    /// Removes a user; whether there was one.
    pub fn remove(&mut self, name: &[u8]) -> bool {
        self.users.remove(name).is_some()
    }

    /// Reads the users anew from the ACL file, if one is configured.
    ///
    /// # Errors
    /// What is wrong with the file; the users are as before.
    pub fn load(&mut self) -> Result<(), String> {
        let Some(path) = &self.path else { return Ok(()) };
        let text = std::fs::read(path).map_err(|error| {
            format!("Error loading ACLs, opening file '{}': {error}", path.display())
        })?;
        let users = file::parse(path, &text)?;
        for user in users.values() {
            check_prefixes(users.values().map(Arc::as_ref), user)?;
        }
        self.users = users;
        Ok(())
    }

    /// Adds the users that the settings name, each a line as the ACL file has them, without the word
    /// `user`.
    ///
    /// # Errors
    /// A line is none, or there is an ACL file too: users come from one of them.
    pub fn add_lines(&mut self, lines: &[String]) -> Result<(), String> {
        if lines.is_empty() {
            return Ok(());
        }
        if self.path.is_some() {
            return Err("users are in the settings and in an ACL file: keep them in one".into());
        }
        let text: String = lines.iter().map(|line| format!("user {line}\n")).collect();
        for user in file::parse(Path::new("settings"), text.as_bytes())?.into_values() {
            if &*user.name != DEFAULT || lines.iter().any(|line| line.starts_with("default")) {
                self.put(Arc::unwrap_or_clone(user))?;
            }
        }
        Ok(())
    }

    /// Writes the users to the ACL file, if one is configured.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self) -> std::io::Result<()> {
        self.path.as_deref().map_or(Ok(()), |path| file::save(path, &self.users))
    }

    /// The prefixes that quotas count.
    pub fn prefixes(&self) -> Vec<Box<[u8]>> {
        let with_quota = self.users.values().filter(|user| user.quota.is_some());
        with_quota.filter_map(|user| user.quota_prefix()).map(Box::from).collect()
    }
}

fn check_prefixes<'a>(users: impl Iterator<Item = &'a User>, user: &User) -> Result<(), String> {
    let Some(prefix) = user.quota.and_then(|_| user.quota_prefix()) else { return Ok(()) };
    for other in users.filter(|other| other.quota.is_some() && other.name != user.name) {
        let Some(others) = other.quota_prefix() else { continue };
        if prefix != others && (prefix.starts_with(others) || others.starts_with(prefix)) {
            return Err(format!(
                "the quota of '{}' counts keys under '{}' and that of '{}' those under '{}', which overlap: \
                 choose prefixes of which none begins with another",
                user.name.escape_ascii(),
                prefix.escape_ascii(),
                other.name.escape_ascii(),
                others.escape_ascii()
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(acl: &mut Acl, name: &str, rules: &str) -> Result<(), String> {
        let user = User::new(name.as_bytes()).with(rules.split(' ').map(str::as_bytes));
        acl.put(user.expect("these are rules"))
    }

    #[test]
    fn only_who_is_on_and_knows_a_password_is_let_in() {
        let mut acl = Acl::new(Some("secret"), None);
        put(&mut acl, "bob", "on >one >two").expect("no quota");
        put(&mut acl, "off", "off >one").expect("no quota");
        put(&mut acl, "empty", "on").expect("no quota");
        for (name, password, expected) in [
            ("default", "secret", true),
            ("default", "", false),
            ("bob", "two", true),
            ("bob", "three", false),
            ("off", "one", false),
            ("empty", "", false),
            ("nobody", "one", false),
        ] {
            let found = acl.identify(name.as_bytes(), password.as_bytes());
            assert_eq!(expected, found.is_some(), "{name} {password}");
        }
        acl.set_default_password(None);
        assert!(acl.identify(b"default", b"anything").is_some());
    }

    #[test]
    fn quotas_count_no_key_twice() {
        let mut acl = Acl::new(None, None);
        put(&mut acl, "a", "~a:* quota:1mb").expect("the first");
        put(&mut acl, "same", "~a:* quota:2mb").expect("a tenant may have two users");
        put(&mut acl, "b", "~b:* quota:1mb").expect("another prefix");
        put(&mut acl, "free", "~a:b:*").expect("no quota");
        assert!(put(&mut acl, "in", "~a:b:* quota:1mb").is_err_and(|it| it.contains("overlap")));
        assert!(put(&mut acl, "out", "~a* quota:1mb").is_err_and(|it| it.contains("overlap")));
        assert_eq!(3, acl.prefixes().len());
    }
}
