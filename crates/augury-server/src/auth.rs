//! Who a client is.
//!
//! There is one user, `default`, who has no password and may do everything.

use crate::client::Client;
use crate::commands::Refusal;
use crate::server::Server;

/// The user that every client is.
pub const DEFAULT_USER: &[u8] = b"default";

/// Makes a client a user, by name and password.
///
/// # Errors
/// There is no such user, or the password is not theirs.
pub fn authenticate(
    _server: &mut Server,
    _client: &mut Client,
    user: &[u8],
    _password: &[u8],
) -> Result<(), Refusal> {
    // As Redis: a user without a password accepts any.
    if user == DEFAULT_USER {
        return Ok(());
    }
    Err(Refusal::new("WRONGPASS invalid username-password pair or user is disabled."))
}

/// The name of the user that a client is.
pub fn user_of(_client: &Client) -> &[u8] {
    DEFAULT_USER
}

/// Whether there is such a user.
pub fn is_user(name: &[u8]) -> bool {
    name == DEFAULT_USER
}
