//! AUTH.

use super::spec::Group;
use super::{Call, Command, Done, Flags, Refusal};
use crate::acl::user::DEFAULT;
use crate::auth::authenticate;

/// The commands of this family.
pub const COMMANDS: &[Command] = &[Command {
    name: "auth",
    arity: -2,
    flags: Flags::NOSCRIPT
        .union(Flags::LOADING)
        .union(Flags::STALE)
        .union(Flags::FAST)
        .union(Flags::NO_AUTH)
        .union(Flags::SKIP_MONITOR)
        .union(Flags::SKIP_SLOWLOG),
    group: Group::Connection,
    summary: "Authenticates the connection",
    run: auth,
    ..Command::PLAIN
}];

const NO_PASSWORD: Refusal = Refusal::new(
    "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
);

fn auth(call: &mut Call<'_, '_>) -> Done {
    let arguments = call.arguments;
    let (user, password) = match arguments.len() {
        2 if call.server.acl.default_user().is_nopass => return Err(NO_PASSWORD.into()),
        2 => (DEFAULT, &arguments[1]),
        3 => (&arguments[1], &arguments[2]),
        _ => return Err(Refusal::SYNTAX.into()),
    };
    authenticate(call.server, call.client, user, password)?;
    call.reply.ok();
    Ok(())
}
