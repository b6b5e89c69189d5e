//! Who a client is: its user, and whether it has shown that it is.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use augury_core::clock::Millis;
use tracing::info;

use crate::acl::attempts::Turn;
use crate::acl::log::Reason;
use crate::acl::user::User;
use crate::client::{Client, Place};
use crate::commands::Refusal;
use crate::server::Server;

const WRONG: Refusal =
    Refusal::new("WRONGPASS invalid username-password pair or user is disabled.");

/// Makes the client the user of this name, if the password is right.
///
/// Who has failed often from an address waits: the client's answers are then held until
/// [`Client::hold`], whether they are good or bad.
///
/// # Errors
/// Name or password are wrong, or the user is off, or too many attempts from the address wait. The
/// client is who it was.
pub fn authenticate(
    server: &mut Server,
    client: &mut Client,
    user: &[u8],
    password: &[u8],
) -> Result<(), Refusal> {
    let address = address(client);
    match identify(server, address, user, password) {
        Identified::As(found, hold) => {
            client.hold = hold;
            client.become_user(found, true);
            Ok(())
        }
        Identified::Later(delay) => Err(Refusal::of(format!(
            "ERR too many failed attempts to authenticate from {address}: try again in {delay} ms"
        ))),
        Identified::Wrong(hold) => {
            client.hold = hold;
            info!(address = client.address, "a client failed to authenticate");
            let command = client.latest.to_ascii_uppercase();
            note(server, client, Reason::Authentication, command.as_bytes(), user);
            Err(WRONG)
        }
    }
}

/// What has become of an attempt.
pub enum Identified {
    /// It is this user; the answer is held until then, if at all.
    As(Arc<User>, Option<Millis>),
    /// Name or password are wrong, or the user is off; the answer is held likewise.
    Wrong(Option<Millis>),
    /// It was not looked at, and may be made again after so many milliseconds.
    Later(Millis),
}

/// Who it is by name and password, asked from an address: who has failed often from there waits.
pub fn identify(server: &mut Server, from: IpAddr, user: &[u8], password: &[u8]) -> Identified {
    let hold = match server.acl.attempts.turn(from, server.now) {
        Turn::Now => None,
        Turn::At(time) => Some(time),
        Turn::Later(delay) => return Identified::Later(delay),
    };
    match server.acl.identify(user, password) {
        Some(found) => Identified::As(found, hold),
        None => {
            server.acl.attempts.failed(from, server.now);
            Identified::Wrong(hold)
        }
    }
}

/// Notes in the ACL log that whoever asked for the page failed to authenticate.
pub fn note_visitor(server: &mut Server, from: SocketAddr, user: &[u8]) {
    info!(address = %from, "a visitor of the page failed to authenticate");
    let (now, most) = (server.now, server.settings.acl_log_max as usize);
    let line = format!("id=0 addr={from} laddr= name= age=0 idle=0 db=0 cmd=page user=");
    server.acl.log.note((Reason::Authentication, "toplevel"), b"page", user, line, now, most);
}

/// Whether the client has to authenticate before it may do anything else.
pub fn is_stranger(server: &Server, client: &Client) -> bool {
    !client.is_authenticated && !server.acl.default_user().is_open()
}

/// The name of the user that a client is.
pub fn user_of(client: &Client) -> &[u8] {
    &client.user.name
}

/// Notes in the ACL log what was denied; `user` is its name, or what was given for one.
pub fn note(server: &mut Server, client: &Client, reason: Reason, object: &[u8], user: &[u8]) {
    let context = if client.transaction.is_some() { "multi" } else { "toplevel" };
    let (now, most) = (server.now, server.settings.acl_log_max as usize);
    server.acl.log.note((reason, context), object, user, line(client, now), now, most);
}

/// The users of these names have changed or gone: clients that are one of them follow, or go:
/// where the user has gone, or may not hear any longer what the client has subscribed to.
pub fn renew(server: &mut Server, running: &mut Client, names: &[Box<[u8]>]) {
    server.keyspace.count_prefixes(server.acl.prefixes());
    let users: Vec<_> = names.iter().map(|name| (name, server.acl.user(name).cloned())).collect();
    let mut gone: Vec<Place> = Vec::new();
    for client in server.others().chain(std::iter::once(running)) {
        let Some((_, user)) = users.iter().find(|(name, _)| **name == client.user.name) else {
            continue;
        };
        if let Some(user) = user.as_ref().filter(|user| keeps(user, client)) {
            client.become_user(user.clone(), client.is_authenticated);
        } else {
            client.is_closing = true;
            gone.push(client.place);
        }
    }
    gone.into_iter().for_each(|place| server.wake(place));
}

/// Whether a user may go on with all that a client has subscribed to.
fn keeps(user: &User, client: &Client) -> bool {
    let allows = |channel: &[u8], is_pattern: bool| {
        user.all_selectors().any(|selector| selector.allows_channel(channel, is_pattern))
    };
    client.subscriptions.as_ref().is_none_or(|it| {
        it.channels.iter().chain(&it.shards).all(|channel| allows(channel, false))
            && it.patterns.iter().all(|pattern| allows(pattern, true))
    })
}

/// Where the client comes from.
fn address(client: &Client) -> IpAddr {
    let parsed = client.address.parse().map(|address: SocketAddr| address.ip());
    parsed.unwrap_or(IpAddr::from([0; 4]))
}

/// The client in a line.
fn line(client: &Client, now: Millis) -> String {
    format!(
        "id={} addr={} laddr={} name={} age={} idle={} db={} cmd={} user={}",
        client.id,
        client.address,
        client.local,
        client.name.escape_ascii(),
        now.saturating_sub(client.since) / 1_000,
        now.saturating_sub(client.active) / 1_000,
        client.db,
        client.latest,
        client.user.name.escape_ascii(),
    )
}
