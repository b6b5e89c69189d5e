//! Whether a client may run a command: authentication, access control, quota.
//!
//! Clients that may do everything never come here: see `Client::is_free`.

use super::{Command, Done, Flags, Refusal};
use crate::acl::catalog::catalog;
use crate::acl::check::{Denied, check};
use crate::acl::log::Reason;
use crate::acl::user::User;
use crate::auth;
use crate::client::Client;
use crate::resp::Arguments;
use crate::server::Server;

/// Bytes that a new entry takes beside what the command brings, at most about.
const ENTRY_BYTES: u64 = 128;

/// Whether the client may run the command; what is denied is noted in the ACL log.
///
/// # Errors
/// It has to authenticate, its user may not, or its keys would take more than its quota.
pub fn permit(
    server: &mut Server,
    client: &Client,
    command: &'static Command,
    arguments: Arguments<'_>,
) -> Done {
    if auth::is_stranger(server, client) && !command.flags.contains(Flags::NO_AUTH) {
        return Err(Refusal::NO_AUTH.into());
    }
    let user = client.user.clone();
    if let Err(denied) = check(&user, command, arguments) {
        let object = match denied.reason {
            Reason::Key | Reason::Channel => &arguments[denied.at],
            _ => catalog().full(command).as_bytes(),
        };
        auth::note(server, client, denied.reason, object, &user.name);
        return Err(refusal(&user, command, denied).into());
    }
    match user.quota {
        Some(quota) if command.flags.contains(Flags::DENYOOM) => {
            keep_quota(server, client, quota, command, arguments)
        }
        _ => Ok(()),
    }
}

fn refusal(user: &User, command: &'static Command, denied: Denied) -> Refusal {
    let text = match denied.reason {
        Reason::Key => "NOPERM No permissions to access a key".to_owned(),
        Reason::Channel => "NOPERM No permissions to access a channel".to_owned(),
        Reason::Command | Reason::Authentication => format!(
            "NOPERM User {} has no permissions to run the '{}' command",
            user.name.escape_ascii(),
            catalog().full(command)
        ),
    };
    Refusal::of(text)
}

/// A write is refused where it could bring the keys of the user beyond its quota: what it brings is
/// reckoned from above, for what it replaces is not known before it runs.
fn keep_quota(
    server: &mut Server,
    client: &Client,
    quota: u64,
    command: &'static Command,
    arguments: Arguments<'_>,
) -> Done {
    let Some(prefix) = client.user.quota_prefix() else { return Ok(()) };
    let growth = growth(server, client, command, arguments);
    let used = server.keyspace.prefix_bytes(prefix);
    if used.saturating_add(growth) <= quota {
        return Ok(());
    }
    Err(Refusal::of(format!(
        "OOM quota of user '{}': the keys under '{}' take {used} bytes, this command may add {growth}, \
         and {quota} are allowed: remove keys, let them expire, or raise the quota with ACL SETUSER",
        client.user.name.escape_ascii(),
        prefix.escape_ascii(),
    ))
    .into())
}

/// Bytes that a command may add at most.
fn growth(
    server: &mut Server,
    client: &Client,
    command: &'static Command,
    arguments: Arguments<'_>,
) -> u64 {
    let brought: usize = arguments.from(1).iter().map(<[u8]>::len).sum();
    let entries = arguments.len() as u64 * ENTRY_BYTES;
    let beside = match command.name {
        // The gap before the offset is filled with zeros.
        "setrange" => arguments.get(2).and_then(super::number::integer).unwrap_or(0).max(0) as u64,
        "copy" => {
            let asked = server.keyspace.asked(client.db, arguments.get(1).unwrap_or_default());
            let source = server.keyspace.peek(asked, server.now);
            source.map_or(0, |object| object.memory_bytes() as u64)
        }
        _ => 0,
    };
    (brought as u64).saturating_add(entries).saturating_add(beside)
}
