//! ACL files: a line for each user, as ACL LIST shows it.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

use super::Users;
use super::user::{DEFAULT, User, join_selectors};

/// The users of an ACL file's text; the default user among them, named or not.
///
/// # Errors
/// What is wrong, line by line.
pub fn parse(path: &Path, text: &[u8]) -> Result<Users, String> {
    let mut users: Users = BTreeMap::new();
    let mut faults = Vec::new();
    for (number, line) in text.split(|&byte| byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let user = user(line).and_then(|user| match users.contains_key(&user.name) {
            true => {
                Err("Duplicate user found. A user can only be defined once in config files".into())
            }
            false => Ok(user),
        });
        match user {
            Ok(user) => {
                users.insert(user.name.clone(), Arc::new(user));
            }
            Err(fault) => faults.push(format!("{}:{}: {fault}. ", path.display(), number + 1)),
        }
    }
    users.entry(DEFAULT.into()).or_insert_with(|| Arc::new(User::unrestricted(DEFAULT)));
    if faults.is_empty() { Ok(users) } else { Err(faults.concat()) }
}

fn user(line: &[u8]) -> Result<User, String> {
    let mut words = line.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
    if !words.next().is_some_and(|word| word.eq_ignore_ascii_case(b"user")) {
        return Err("should start with user keyword".into());
    }
    let name = words.next().ok_or("a user's name is missing")?;
    let rules = join_selectors(words).map_err(|rule| {
        format!("Unmatched parenthesis in selector definition: {}", rule.escape_ascii())
    })?;
    let user = User::new(name).with(rules.iter().map(Vec::as_slice));
    user.map_err(|(rule, error)| format!("Error in applying '{}': {error}", shown(rule)))
}

/// A rule for people: a password in it is not shown.
fn shown(rule: &[u8]) -> String {
    match rule {
        [marker @ (b'>' | b'<'), ..] => format!("{}(password)", char::from(*marker)),
        _ => String::from_utf8_lossy(rule).into_owned(),
    }
}

/// Writes users to a file that is then complete or as before, and that only its owner may read.
///
/// # Errors
/// The file cannot be written.
pub fn save(path: &Path, users: &Users) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let beside = path.with_extension(format!("tmp-{}", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    for user in users.values() {
        file.write_all(&user.describe())?;
        file.write_all(b"\n")?;
    }
    file.sync_all()?;
    std::fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_survive_their_file() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("users.acl");
        let text = b"# ours\nuser bob on >x ~a:* quota:1mb +@all (+ping &c)\n\n";
        let users = parse(&path, text).expect("the file is right");
        assert_eq!(2, users.len());
        save(&path, &users).expect("the folder can be written");
        let again = std::fs::read(&path).expect("it has been written");
        assert_eq!(Ok(users), parse(&path, &again));
        let mode = std::os::unix::fs::MetadataExt::mode(&path.metadata().expect("it is there"));
        assert_eq!(0o600, mode & 0o777);
    }

    #[test]
    fn every_fault_is_told_with_its_line_and_without_passwords() {
        let text = b"user a on\nuser a on\nbob\nuser c +nothing\nuser d >secret (+get\n";
        let faults = parse(Path::new("f"), text).expect_err("four lines are wrong");
        for part in
            ["f:2: Duplicate", "f:3: should start", "f:4: Error in applying '+nothing'", "f:5:"]
        {
            assert!(faults.contains(part), "{faults}");
        }
        assert!(!faults.contains("secret"), "{faults}");
    }
}
