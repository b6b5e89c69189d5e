//! Who may see the server's page, and as whom: the server's users, by the rules that its clients are
//! let in by.
//!
//! Whoever the default user needs no password of sees what the default user may; else a name and a
//! password are asked for (HTTP's Basic scheme). Failed attempts count with those of clients. Without a
//! password others than this host's are turned away in protected mode, and names that may be somebody
//! else's DNS always are.

use std::sync::Arc;
use std::time::Duration;

use augury_page::answers::is_own_name;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::page::{Admission, STRANGE_NAME, Visitor};
use crate::acl::catalog::catalog;
use crate::acl::user::{DEFAULT, User};
use crate::auth::{Identified, identify, note_visitor};
use crate::server::{Server, Shared};

const PROTECTED: &str = "The server needs no password and is in protected mode: the page is shown to \
    this host only. Set a password for the default user, or ask from here.\n";
const PASSWORD: &str = "Name and password of a user of the server are asked for; without a name it is \
    the default user.\n";
const UNINFORMED: &str = "The page is shown to users who may run INFO.\n";
const LATER: &str = "Too many failed attempts: try again in a second.\n";

/// Whether a visitor is let in, and how long the answer is to be held.
pub(super) fn admit(shared: &Shared, visitor: &Visitor<'_>) -> (Admission, Duration) {
    let mut server = shared.lock();
    let default = server.acl.default_user().clone();
    let is_here = visitor.from.ip().to_canonical().is_loopback();
    if server.settings.protected_mode && default.is_nopass && !is_here {
        return at_once(StatusCode::FORBIDDEN, PROTECTED);
    }
    if let Some(authorization) = visitor.authorization {
        return recognise(&mut server, visitor, authorization);
    }
    if !default.is_open() {
        return at_once(StatusCode::UNAUTHORIZED, PASSWORD);
    }
    if !is_own_name(visitor.host) {
        return (STRANGE_NAME, Duration::ZERO);
    }
    (admitted(default), Duration::ZERO)
}

/// Whoever may not run INFO sees nothing.
fn admitted(user: Arc<User>) -> Admission {
    if catalog().named("info").is_some_and(|number| user.allows(number, None)) {
        Admission::As(Some(user))
    } else {
        Admission::Refused { status: StatusCode::FORBIDDEN, why: UNINFORMED }
    }
}

fn at_once(status: StatusCode, why: &'static str) -> (Admission, Duration) {
    (Admission::Refused { status, why }, Duration::ZERO)
}

fn recognise(
    server: &mut Server,
    visitor: &Visitor<'_>,
    authorization: &[u8],
) -> (Admission, Duration) {
    let Some((name, password)) = credentials(authorization) else {
        return at_once(StatusCode::UNAUTHORIZED, PASSWORD);
    };
    // A password that any will do for shows nothing, and a browser may be made to send one.
    let is_own = is_own_name(visitor.host);
    let until = |hold: Option<u64>, now: u64| {
        Duration::from_millis(hold.map_or(0, |until| until.saturating_sub(now)))
    };
    match identify(server, visitor.from.ip(), &name, &password) {
        Identified::As(user, _) if user.is_nopass && !is_own => (STRANGE_NAME, Duration::ZERO),
        Identified::As(user, hold) => (admitted(user), until(hold, server.now)),
        Identified::Wrong(hold) => {
            note_visitor(server, visitor.from, &name);
            let refusal =
                Admission::Refused { status: StatusCode::UNAUTHORIZED, why: PASSWORD };
            (refusal, until(hold, server.now))
        }
        Identified::Later(_) => at_once(StatusCode::TOO_MANY_REQUESTS, LATER),
    }
}

/// Name and password of RFC 7617; an empty name is the default user's.
fn credentials(authorization: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (scheme, coded) = authorization.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let text = STANDARD.decode(coded.trim_ascii()).ok()?;
    let at = text.iter().position(|&byte| byte == b':')?;
    let (name, password) = (&text[..at], &text[at + 1..]);
    let name = if name.is_empty() { DEFAULT } else { name };
    Some((name.to_vec(), password.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_those_of_the_scheme() {
        let of = |header: &str| {
            credentials(header.as_bytes())
                .map(|(name, word)| (String::from_utf8(name), String::from_utf8(word)))
        };
        let pair = |name: &str, word: &str| Some((Ok(name.to_owned()), Ok(word.to_owned())));
        assert_eq!(pair("bob", "se:same"), of("Basic Ym9iOnNlOnNhbWU="));
        assert_eq!(pair("default", "sesame"), of("basic OnNlc2FtZQ=="));
        for header in ["Bearer Ym9iOnNl", "Basic", "Basic !", "Basic Ym9i", "", "Basic "] {
            assert_eq!(None, of(header), "{header}");
        }
    }
}
