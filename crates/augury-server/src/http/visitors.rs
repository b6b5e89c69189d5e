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

use super::page::{Admission, STRANGE_NAME, Visitor, credentials, unauthorized};
use crate::acl::catalog::catalog;
use crate::acl::user::{DEFAULT, User};
use crate::auth::{Identified, identify, note_visitor};
use crate::server::{Server, Shared};

const PROTECTED: &str = "The server needs no password and is in protected mode: the page is shown to \
    this host only. Set a password for the default user, or ask from here.\n";
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
        return (unauthorized(), Duration::ZERO);
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
        return (unauthorized(), Duration::ZERO);
    };
    // A password that any will do for shows nothing, and a browser may be made to send one.
    let is_own = is_own_name(visitor.host);
    let until = |hold: Option<u64>, now: u64| {
        Duration::from_millis(hold.map_or(0, |until| until.saturating_sub(now)))
    };
    // An empty name is the default user's.
    let name = if name.is_empty() { DEFAULT.to_vec() } else { name };
    match identify(server, visitor.from.ip(), &name, &password) {
        Identified::As(user, _) if user.is_nopass && !is_own => (STRANGE_NAME, Duration::ZERO),
        Identified::As(user, hold) => (admitted(user), until(hold, server.now)),
        Identified::Wrong(hold) => {
            note_visitor(server, visitor.from, &name);
            (unauthorized(), until(hold, server.now))
        }
        Identified::Later(_) => at_once(StatusCode::TOO_MANY_REQUESTS, LATER),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    fn status(shared: &Shared, from: &str, host: &str) -> u16 {
        let from = from.parse().expect("an address");
        match admit(shared, &Visitor { from, host: Some(host), authorization: None }).0 {
            Admission::As(_) => 200,
            Admission::Refused { status, .. } => status.as_u16(),
        }
    }

    #[test]
    fn without_a_password_others_are_kept_out_by_protected_mode_and_by_their_names() {
        let shared = Shared::new(Server::new(Settings::default()));
        assert_eq!(200, status(&shared, "127.0.0.1:5", "127.0.0.1:9121"));
        assert_eq!(200, status(&shared, "[::1]:5", "localhost"));
        assert_eq!(403, status(&shared, "10.0.0.7:5", "10.0.0.1:9121"));
        assert_eq!(421, status(&shared, "127.0.0.1:5", "attacker.example"));
        shared.lock().settings.protected_mode = false;
        assert_eq!(200, status(&shared, "10.0.0.7:5", "10.0.0.1:9121"));
        assert_eq!(421, status(&shared, "10.0.0.7:5", "attacker.example"));
        shared.lock().acl.set_default_password(Some(b"sesame"));
        assert_eq!(401, status(&shared, "127.0.0.1:5", "127.0.0.1:9121"));
        assert_eq!(401, status(&shared, "10.0.0.7:5", "attacker.example"));
    }
}
