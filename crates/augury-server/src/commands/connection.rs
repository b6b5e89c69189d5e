//! Commands about the connection itself.

use super::spec::Group;
use super::{Call, Command, Done, Flags, Refusal, number};
use crate::auth;
use crate::client::{Answers, Modes};
use crate::object::DATABASES;
use crate::resp::Protocol;

/// What clients are told that they speak to: those of Redis look at both.
pub const NAME: &str = "redis";
/// See [`NAME`]: the version whose behaviour this is.
pub const VERSION: &str = "7.4.0";

const PLAIN: Command = Command { group: Group::Connection, ..Command::PLAIN };
/// What may be sent at any time.
const ANY_TIME: Flags = Flags::NOSCRIPT
    .union(Flags::LOADING)
    .union(Flags::STALE)
    .union(Flags::FAST)
    .union(Flags::NO_AUTH);

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "hello",
        arity: -1,
        flags: ANY_TIME,
        since: "6.0.0",
        summary: "Says who the server is, and changes the version of the protocol",
        run: hello,
        ..PLAIN
    },
    Command {
        name: "ping",
        arity: -1,
        flags: Flags::FAST.union(Flags::WHILE_SUBSCRIBED),
        summary: "Answers PONG, or the message",
        run: ping,
        ..PLAIN
    },
    Command {
        name: "echo",
        arity: 2,
        flags: Flags::LOADING.union(Flags::STALE).union(Flags::FAST),
        summary: "Answers the message",
        run: echo,
        ..PLAIN
    },
    Command {
        name: "select",
        arity: 2,
        flags: Flags::FAST.union(Flags::LOADING).union(Flags::STALE),
        summary: "Selects a database by its number",
        run: select,
        ..PLAIN
    },
    Command {
        name: "reset",
        arity: 1,
        flags: ANY_TIME.union(Flags::IMMEDIATE).union(Flags::WHILE_SUBSCRIBED),
        since: "6.2.0",
        summary: "Makes the connection what it was when it began",
        run: reset,
        ..PLAIN
    },
    Command {
        name: "quit",
        arity: -1,
        flags: ANY_TIME.union(Flags::IMMEDIATE).union(Flags::WHILE_SUBSCRIBED),
        summary: "Closes the connection",
        run: quit,
        ..PLAIN
    },
];

fn ping(call: &mut Call<'_, '_>) -> Done {
    if call.arguments.len() > 2 {
        return Err(Refusal::arity("ping").into());
    }
    let message = call.arguments.get(1);
    let is_subscribed = call.client.modes.contains(Modes::SUBSCRIBED);
    if is_subscribed && call.client.protocol == Protocol::Resp2 {
        call.reply.array(2);
        call.reply.bulk(b"pong");
        call.reply.bulk(message.unwrap_or_default());
        return Ok(());
    }
    match message {
        None => call.reply.simple("PONG"),
        Some(message) => call.reply.bulk(message),
    }
    Ok(())
}

fn echo(call: &mut Call<'_, '_>) -> Done {
    call.reply.bulk(&call.arguments[1]);
    Ok(())
}

fn select(call: &mut Call<'_, '_>) -> Done {
    let number = number::whole(&call.arguments[1])?;
    let db = u8::try_from(number).ok().filter(|&db| db < DATABASES);
    call.client.db = db.ok_or(Refusal::new("ERR DB index is out of range"))?;
    call.reply.ok();
    Ok(())
}

fn quit(call: &mut Call<'_, '_>) -> Done {
    call.client.is_closing = true;
    call.reply.ok();
    Ok(())
}

/// What HELLO's arguments ask for.
#[derive(Default)]
struct Greeting<'a> {
    protocol: Option<Protocol>,
    credentials: Option<(&'a [u8], &'a [u8])>,
    name: Option<&'a [u8]>,
}

impl<'a> Greeting<'a> {
    fn of(arguments: crate::resp::Arguments<'a>) -> Result<Greeting<'a>, Refusal> {
        let mut greeting = Greeting::default();
        let Some(version) = arguments.get(1) else { return Ok(greeting) };
        greeting.protocol = Some(match number::integer(version) {
            None => {
                let text = "ERR Protocol version is not an integer or out of range";
                return Err(Refusal::new(text));
            }
            Some(2) => Protocol::Resp2,
            Some(3) => Protocol::Resp3,
            Some(_) => return Err(Refusal::new("NOPROTO unsupported protocol version")),
        });
        let mut at = 2;
        while let Some(option) = arguments.get(at) {
            let (first, second) = (arguments.get(at + 1), arguments.get(at + 2));
            match (option.to_ascii_lowercase().as_slice(), first, second) {
                (b"auth", Some(user), Some(password)) => {
                    greeting.credentials = Some((user, password));
                    at += 3;
                }
                (b"setname", Some(name), _) => {
                    greeting.name = Some(name);
                    at += 2;
                }
                _ => {
                    let mut text = b"ERR Syntax error in HELLO option '".to_vec();
                    text.extend_from_slice(option);
                    text.push(b'\'');
                    return Err(Refusal::of(text));
                }
            }
        }
        Ok(greeting)
    }
}

fn hello(call: &mut Call<'_, '_>) -> Done {
    let greeting = Greeting::of(call.arguments)?;
    if let Some((user, password)) = greeting.credentials {
        auth::authenticate(call.server, call.client, user, password)?;
    }
    if auth::is_stranger(call.server, call.client) {
        return Err(Refusal::new(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO \
             <proto> AUTH <user> <pass> option can be used to authenticate the client and select the \
             RESP protocol version at the same time",
        )
        .into());
    }
    if let Some(name) = greeting.name {
        super::client::set_name(call.client, name)?;
    }
    if let Some(protocol) = greeting.protocol {
        call.client.protocol = protocol;
        call.reply.set_protocol(protocol);
    }
    let version = if call.client.protocol == Protocol::Resp3 { 3 } else { 2 };
    let reply = &mut *call.reply;
    reply.map(7);
    for (name, value) in [("server", NAME), ("version", VERSION)] {
        reply.bulk(name.as_bytes());
        reply.bulk(value.as_bytes());
    }
    for (name, value) in [("proto", version), ("id", call.client.id.cast_signed())] {
        reply.bulk(name.as_bytes());
        reply.integer(value);
    }
    for (name, value) in [("mode", "standalone"), ("role", "master")] {
        reply.bulk(name.as_bytes());
        reply.bulk(value.as_bytes());
    }
    reply.bulk(b"modules");
    reply.array(0);
    Ok(())
}

fn reset(call: &mut Call<'_, '_>) -> Done {
    let client = &mut *call.client;
    client.transaction = None;
    call.server.forget(client);
    client.modes = Modes::empty();
    client.answers = Answers::On;
    client.protocol = Protocol::Resp2;
    client.db = 0;
    client.name = Box::default();
    call.server.greet(client);
    call.reply.set_protocol(Protocol::Resp2);
    call.reply.simple("RESET");
    Ok(())
}
