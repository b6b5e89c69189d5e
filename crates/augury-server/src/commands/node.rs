//! The server as one node: its time, its role, and what it is not (a cluster, a primary with
//! replicas, a place to debug).

use std::time::{SystemTime, UNIX_EPOCH};

use super::connection::VERSION;
use super::spec::Group;
use super::{Call, Command, Done, Flags, Refusal, number};

const PLAIN: Command = Command {
    group: Group::Server,
    flags: Flags::LOADING.union(Flags::STALE).union(Flags::FAST),
    ..Command::PLAIN
};
const CLUSTER: Command = Command { group: Group::Connection, since: "3.0.0", ..PLAIN };

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "time",
        since: "2.6.0",
        summary: "Seconds of Unix time, and microseconds",
        run: time,
        ..PLAIN
    },
    Command {
        name: "role",
        flags: PLAIN.flags.union(Flags::NOSCRIPT),
        since: "2.8.12",
        summary: "The role in replication: a primary without replicas",
        run: role,
        ..PLAIN
    },
    Command {
        name: "lolwut",
        arity: -1,
        flags: Flags::READONLY.union(Flags::FAST),
        since: "5.0.0",
        summary: "The version, with a smile",
        run: lolwut,
        ..PLAIN
    },
    Command {
        name: "wait",
        arity: 3,
        flags: Flags::NOSCRIPT,
        group: Group::Generic,
        since: "3.0.0",
        summary: "How many replicas have a write: 0, at once",
        differs: "there are no replicas to wait for, hence it does not wait",
        run: wait,
        ..PLAIN
    },
    Command {
        name: "debug",
        arity: -2,
        flags: Flags::ADMIN.union(Flags::NOSCRIPT).union(Flags::LOADING).union(Flags::STALE),
        summary: "Refused: it would let a client stop the server or look into others' data",
        differs: "refused",
        run: debug,
        ..PLAIN
    },
    Command {
        name: "cluster",
        arity: -2,
        flags: Flags::empty(),
        summary: "Refused: this is no cluster",
        differs: "refused, as by a Redis that is no cluster",
        run: no_cluster,
        ..CLUSTER
    },
    Command {
        name: "readonly",
        summary: "Refused: this is no cluster",
        differs: "refused, as by a Redis that is no cluster",
        run: no_cluster,
        ..CLUSTER
    },
    Command {
        name: "readwrite",
        summary: "Refused: this is no cluster",
        differs: "refused, as by a Redis that is no cluster",
        run: no_cluster,
        ..CLUSTER
    },
    Command {
        name: "asking",
        summary: "Refused: this is no cluster",
        differs: "refused, as by a Redis that is no cluster",
        run: no_cluster,
        ..CLUSTER
    },
];

fn time(call: &mut Call<'_, '_>) -> Done {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    call.reply.array(2);
    call.reply.bulk(since.as_secs().to_string().as_bytes());
    call.reply.bulk(since.subsec_micros().to_string().as_bytes());
    Ok(())
}

fn role(call: &mut Call<'_, '_>) -> Done {
    call.reply.array(3);
    call.reply.bulk(b"master");
    call.reply.integer(0);
    call.reply.array(0);
    Ok(())
}

fn lolwut(call: &mut Call<'_, '_>) -> Done {
    let text = format!("What you will ask for next is already here.\nRedis ver. {VERSION}\n");
    call.reply.verbatim(text.as_bytes());
    Ok(())
}

fn wait(call: &mut Call<'_, '_>) -> Done {
    number::whole(&call.arguments[1])?;
    let timeout = number::integer(&call.arguments[2])
        .ok_or(Refusal::new("ERR timeout is not an integer or out of range"))?;
    if timeout < 0 {
        return Err(Refusal::new("ERR timeout is negative").into());
    }
    call.reply.integer(0);
    Ok(())
}

fn debug(_: &mut Call<'_, '_>) -> Done {
    let text = "ERR DEBUG is not supported: it would let clients stop the server or look into others' \
                data";
    Err(Refusal::new(text).into())
}

fn no_cluster(_: &mut Call<'_, '_>) -> Done {
    Err(Refusal::new("ERR This instance has cluster support disabled").into())
}
