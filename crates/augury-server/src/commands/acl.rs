//! ACL: users and their rules, at runtime.

use super::spec::Group;
use super::{Call, Command, Done, Flags, Refusal, dispatch, number};
use crate::acl::catalog::{CATEGORIES, catalog, category};
use crate::acl::check::check;
use crate::acl::log::Reason;
use crate::acl::password::hex;
use crate::acl::user::{DEFAULT, User, join_selectors};
use crate::auth;

const PLAIN: Command = Command {
    group: Group::Server,
    flags: Flags::NOSCRIPT.union(Flags::LOADING).union(Flags::STALE),
    since: "6.0.0",
    ..Command::PLAIN
};
const ADMIN: Command = Command { flags: PLAIN.flags.union(Flags::ADMIN), ..PLAIN };

/// The commands of this family.
pub const COMMANDS: &[Command] = &[Command {
    name: "acl",
    arity: -2,
    summary: "A container for commands on access control lists",
    subcommands: SUBCOMMANDS,
    ..PLAIN
}];

const SUBCOMMANDS: &[Command] = &[
    Command {
        name: "acl|cat",
        arity: -2,
        summary: "Categories, or a category's commands",
        run: cat,
        ..PLAIN
    },
    Command {
        name: "acl|deluser",
        arity: -3,
        summary: "Removes users and closes their connections",
        run: deluser,
        ..ADMIN
    },
    Command {
        name: "acl|dryrun",
        arity: -4,
        summary: "Says whether a user may run a command",
        since: "7.0.0",
        run: dryrun,
        ..ADMIN
    },
    Command { name: "acl|genpass", arity: -2, summary: "A random password", run: genpass, ..PLAIN },
    Command {
        name: "acl|getuser",
        arity: 3,
        summary: "A user's rules",
        differs: "a user with a quota has it as a further field",
        run: getuser,
        ..ADMIN
    },
    Command { name: "acl|help", arity: 2, summary: "Lists the subcommands", run: help, ..PLAIN },
    Command { name: "acl|list", arity: 2, summary: "All users' rules", run: list, ..ADMIN },
    Command {
        name: "acl|load",
        arity: 2,
        summary: "Reads the users from the ACL file",
        run: load,
        ..ADMIN
    },
    Command { name: "acl|log", arity: -2, summary: "What was denied", run: log, ..ADMIN },
    Command {
        name: "acl|save",
        arity: 2,
        summary: "Writes the users to the ACL file",
        run: save,
        ..ADMIN
    },
    Command {
        name: "acl|setuser",
        arity: -3,
        summary: "Makes or changes a user",
        differs: "quota:BYTES bounds what the keys under the user's one pattern ~prefix* may take",
        run: setuser,
        ..ADMIN
    },
    Command { name: "acl|users", arity: 2, summary: "All users' names", run: users, ..ADMIN },
    Command {
        name: "acl|whoami",
        arity: 2,
        summary: "The connection's user",
        run: whoami,
        ..PLAIN
    },
];

const NO_FILE: Refusal = Refusal::new(
    "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users in the Redis configuration.",
);

fn cat(call: &mut Call<'_, '_>) -> Done {
    match call.arguments.len() {
        2 => {
            call.reply.array(CATEGORIES.len());
            CATEGORIES.iter().for_each(|(name, _)| call.reply.bulk(name.as_bytes()));
        }
        3 => {
            let name = &call.arguments[2];
            let found = std::str::from_utf8(name).ok().and_then(category);
            let shown = name[..name.len().min(128)].escape_ascii();
            let found =
                found.ok_or_else(|| Refusal::of(format!("ERR Unknown category '{shown}'")))?;
            let entries = catalog().entries().iter();
            let members = entries.filter(|it| found.intersects(it.command.categories()));
            let names: Vec<&str> = members.map(|it| it.full.as_str()).collect();
            call.reply.array(names.len());
            names.iter().for_each(|name| call.reply.bulk(name.as_bytes()));
        }
        _ => return Err(Refusal::arity("acl|cat").into()),
    }
    Ok(())
}

fn deluser(call: &mut Call<'_, '_>) -> Done {
    let names: Vec<Box<[u8]>> = call.arguments.from(2).iter().map(Box::from).collect();
    if names.iter().any(|name| **name == *DEFAULT) {
        return Err(Refusal::new("ERR The 'default' user cannot be removed").into());
    }
    let count = names.iter().filter(|name| call.server.acl.remove(name)).count();
    auth::renew(call.server, call.client, &names);
    call.reply.integer(count as i64);
    Ok(())
}

fn dryrun(call: &mut Call<'_, '_>) -> Done {
    let name = &call.arguments[2];
    let user = call.server.acl.user(name).cloned();
    let user =
        user.ok_or_else(|| Refusal::of(format!("ERR User '{}' not found", name.escape_ascii())))?;
    let arguments = call.arguments.from(3);
    let command = dispatch::find(arguments).map_err(|_| {
        Refusal::of(format!("ERR Command '{}' not found", arguments[0].escape_ascii()))
    })?;
    let full = catalog().full(command);
    if !command.accepts(arguments.len()) {
        return Err(Refusal::arity(full).into());
    }
    let Err(denied) = check(&user, command, arguments) else {
        call.reply.ok();
        return Ok(());
    };
    let user = user.name.escape_ascii();
    let object = arguments[denied.at].escape_ascii();
    let text = match denied.reason {
        Reason::Key => format!("User {user} has no permissions to access the '{object}' key"),
        Reason::Channel => {
            format!("User {user} has no permissions to access the '{object}' channel")
        }
        _ => format!("User {user} has no permissions to run the '{full}' command"),
    };
    call.reply.bulk(text.as_bytes());
    Ok(())
}

fn genpass(call: &mut Call<'_, '_>) -> Done {
    const BITS: i64 = 256;
    let bits = match call.arguments.len() {
        2 => BITS,
        3 => number::whole(&call.arguments[2])?,
        _ => return Err(Refusal::arity("acl|genpass").into()),
    };
    if !(1..=4096).contains(&bits) {
        return Err(Refusal::new("ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096").into());
    }
    let digits = (bits as usize).div_ceil(4);
    let mut bytes = vec![0; digits.div_ceil(2)];
    let random = rustls::crypto::ring::default_provider().secure_random;
    random.fill(&mut bytes).map_err(|_| Refusal::new("ERR the system has no random bytes"))?;
    call.reply.bulk(&hex(&bytes).as_bytes()[..digits]);
    Ok(())
}

fn getuser(call: &mut Call<'_, '_>) -> Done {
    let Some(user) = call.server.acl.user(&call.arguments[2]) else {
        call.reply.null();
        return Ok(());
    };
    let reply = &mut *call.reply;
    reply.map(6 + usize::from(user.quota.is_some()));
    reply.bulk(b"flags");
    let flags = user.flags();
    reply.set(flags.len());
    flags.iter().for_each(|flag| reply.bulk(flag.as_bytes()));
    reply.bulk(b"passwords");
    let hashes = user.hashes();
    reply.array(hashes.len());
    hashes.iter().for_each(|hash| reply.bulk(hash.as_bytes()));
    for (nth, selector) in user.all_selectors().enumerate() {
        if nth == 1 {
            reply.bulk(b"selectors");
            reply.array(user.all_selectors().count() - 1);
        }
        if nth > 0 {
            reply.map(3);
        }
        reply.bulk(b"commands");
        reply.bulk(selector.describe_commands().as_bytes());
        reply.bulk(b"keys");
        reply.bulk(&selector.describe_keys());
        reply.bulk(b"channels");
        reply.bulk(&selector.describe_channels());
    }
    if user.all_selectors().count() == 1 {
        reply.bulk(b"selectors");
        reply.array(0);
    }
    if let Some(quota) = user.quota {
        reply.bulk(b"quota");
        reply.integer(i64::try_from(quota).unwrap_or(i64::MAX));
    }
    Ok(())
}

fn list(call: &mut Call<'_, '_>) -> Done {
    call.reply.array(call.server.acl.users().len());
    call.server.acl.users().for_each(|user| call.reply.bulk(&user.describe()));
    Ok(())
}

fn users(call: &mut Call<'_, '_>) -> Done {
    call.reply.array(call.server.acl.users().len());
    call.server.acl.users().for_each(|user| call.reply.bulk(&user.name));
    Ok(())
}

fn whoami(call: &mut Call<'_, '_>) -> Done {
    call.reply.bulk(&call.client.user.name);
    Ok(())
}

fn setuser(call: &mut Call<'_, '_>) -> Done {
    let name = &call.arguments[2];
    if name.iter().any(|byte| byte.is_ascii_whitespace() || *byte == 0) {
        return Err(Refusal::new("ERR Usernames can't contain spaces or null characters").into());
    }
    let rules = join_selectors(call.arguments.from(3).iter()).map_err(|rule| {
        let rule = rule.escape_ascii();
        Refusal::of(format!("ERR Unmatched parenthesis in acl selector starting at '{rule}'."))
    })?;
    let acl = &mut call.server.acl;
    let before = acl.user(name).map_or_else(|| User::new(name), |user| (**user).clone());
    let user = before.with(rules.iter().map(Vec::as_slice)).map_err(|(rule, error)| {
        let rule = String::from_utf8_lossy(rule);
        Refusal::of(format!("ERR Error in ACL SETUSER modifier '{rule}': {error}"))
    })?;
    acl.put(user).map_err(|fault| Refusal::of(format!("ERR Error in ACL SETUSER: {fault}")))?;
    auth::renew(call.server, call.client, &[name.into()]);
    call.reply.ok();
    Ok(())
}

fn load(call: &mut Call<'_, '_>) -> Done {
    if call.server.acl.path().is_none() {
        return Err(NO_FILE.into());
    }
    let names =
        |call: &Call<'_, '_>| call.server.acl.users().map(|user| user.name.clone()).collect();
    let mut changed: Vec<Box<[u8]>> = names(call);
    call.server.acl.load().map_err(|faults| {
        Refusal::of(format!(
            "ERR {faults} WARNING: ACL errors detected, no change to the previously active ACL rules was performed"
        ))
    })?;
    changed.extend::<Vec<_>>(names(call));
    auth::renew(call.server, call.client, &changed);
    call.reply.ok();
    Ok(())
}

fn save(call: &mut Call<'_, '_>) -> Done {
    let acl = &call.server.acl;
    let Some(path) = acl.path() else { return Err(NO_FILE.into()) };
    acl.save().map_err(|error| {
        let path = path.display();
        Refusal::of(format!("ERR There was an error trying to save the ACLs to {path}: {error}"))
    })?;
    call.reply.ok();
    Ok(())
}

fn log(call: &mut Call<'_, '_>) -> Done {
    const COUNT: usize = 10;
    let count = match call.arguments.get(2) {
        None => COUNT,
        Some(_) if call.arguments.len() > 3 => return Err(Refusal::arity("acl|log").into()),
        Some(word) if word.eq_ignore_ascii_case(b"reset") => {
            call.server.acl.log.clear();
            call.reply.ok();
            return Ok(());
        }
        Some(word) => usize::try_from(number::whole(word)?).unwrap_or(0),
    };
    let (now, reply) = (call.server.now, &mut *call.reply);
    let entries = call.server.acl.log.latest(count);
    reply.array(entries.len());
    for entry in entries {
        reply.map(10);
        reply.bulk(b"count");
        reply.integer(entry.count as i64);
        for (name, text) in [
            (&b"reason"[..], entry.reason.name().as_bytes()),
            (b"context", entry.context.as_bytes()),
            (b"object", &entry.object),
            (b"username", &entry.user),
        ] {
            reply.bulk(name);
            reply.bulk(text);
        }
        reply.bulk(b"age-seconds");
        reply.double(now.saturating_sub(entry.updated) as f64 / 1_000.0);
        reply.bulk(b"client-info");
        reply.bulk(entry.client.as_bytes());
        for (name, number) in [
            (&b"entry-id"[..], entry.id),
            (b"timestamp-created", entry.created),
            (b"timestamp-last-updated", entry.updated),
        ] {
            reply.bulk(name);
            reply.integer(number as i64);
        }
    }
    Ok(())
}

fn help(call: &mut Call<'_, '_>) -> Done {
    const LINES: &[&str] = &[
        "ACL <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "CAT [<category>]",
        "    List the categories, or the commands of one.",
        "DELUSER <username> [<username> ...]",
        "    Remove users and close their connections.",
        "DRYRUN <username> <command> [<arg> ...]",
        "    Say whether the user may run the command, without running it.",
        "GETUSER <username>",
        "    Show the user's rules.",
        "GENPASS [<bits>]",
        "    Make a random password of 256 bits, or of so many.",
        "LIST",
        "    Show all users' rules as an ACL file has them.",
        "LOAD",
        "    Read the users from the ACL file.",
        "LOG [<count> | RESET]",
        "    Show what was denied, or forget it.",
        "SAVE",
        "    Write the users to the ACL file.",
        "SETUSER <username> <attribute> [<attribute> ...]",
        "    Make or change a user. quota:<bytes> bounds its keys.",
        "USERS",
        "    List the users' names.",
        "WHOAMI",
        "    Tell the connection's user.",
        "HELP",
        "    Print this help.",
    ];
    call.reply.array(LINES.len());
    LINES.iter().for_each(|line| call.reply.simple(line));
    Ok(())
}
