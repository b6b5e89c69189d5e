//! MONITOR: every command, as it is run, to those who have asked to see them.

use std::time::{SystemTime, UNIX_EPOCH};

use super::spec::Group;
use super::{Call, Command, Done, Flags, Refusal, secrets};
use crate::client::Modes;

/// The command.
pub const COMMANDS: &[Command] = &[Command {
    name: "monitor",
    arity: 1,
    flags: Flags::ADMIN.union(Flags::NOSCRIPT).union(Flags::LOADING).union(Flags::STALE),
    group: Group::Server,
    summary: "Shows every command that the server runs from now on",
    run: monitor,
    ..Command::PLAIN
}];

fn monitor(call: &mut Call<'_, '_>) -> Done {
    if call.client.modes.contains(Modes::EXECUTING) {
        return Err(Refusal::new("ERR MONITOR isn't allowed for DENY BLOCKING client").into());
    }
    if !call.client.modes.contains(Modes::MONITOR) {
        call.client.modes.insert(Modes::MONITOR);
        call.server.monitors.push(call.client.handle());
    }
    call.reply.ok();
    Ok(())
}

/// Shows a command that has run in this database; those for administrators are not shown.
#[cold]
pub fn feed(call: &mut Call<'_, '_>, db: u8) {
    if call.command.flags.intersects(Flags::SKIP_MONITOR.union(Flags::ADMIN)) {
        return;
    }
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (seconds, micros) = (since.as_secs(), since.subsec_micros());
    let head = format!("+{seconds}.{micros:06} [{db} {}]", call.client.address);
    let mut line = head.into_bytes();
    for argument in secrets::hide(call.command, call.arguments) {
        line.push(b' ');
        quote(argument, &mut line);
    }
    line.extend_from_slice(b"\r\n");
    let server = &mut *call.server;
    for &handle in &server.monitors {
        server.clients.deliver(Some(call.client), handle, |reply| {
            reply.buffer().extend_from_slice(&line);
        });
    }
}

/// Text in quotes, with escapes for what is not printable.
fn quote(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in text {
        match byte {
            b'\\' | b'"' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            7 => out.extend_from_slice(b"\\a"),
            8 => out.extend_from_slice(b"\\b"),
            b' '..=b'~' => out.push(byte),
            _ => out.extend_from_slice(format!("\\x{byte:02x}").as_bytes()),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn what_is_not_printable_is_escaped() {
        let mut out = Vec::new();
        quote(b"a\"\\\n\x00\xff ", &mut out);
        assert_eq!(r#""a\"\\\n\x00\xff ""#, String::from_utf8(out).expect("it is ASCII"));
    }
}
