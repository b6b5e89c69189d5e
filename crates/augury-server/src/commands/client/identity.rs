//! Who clients are: numbers, names, libraries, and the list of them.

use super::line::{self, Kind};
use crate::client::Client;
use crate::commands::{Call, Done, Refusal, number};

/// Names stand in lines and lists: no spaces, no control characters.
fn is_printable(text: &[u8]) -> bool {
    text.iter().all(|byte| (b'!'..=b'~').contains(byte))
}

/// Names a client.
///
/// # Errors
/// The name has characters that would break a list of clients.
pub fn set_name(client: &mut Client, name: &[u8]) -> Result<(), Refusal> {
    if !is_printable(name) {
        let text = "ERR Client names cannot contain spaces, newlines or special characters.";
        return Err(Refusal::new(text));
    }
    client.name = name.into();
    Ok(())
}

pub(super) fn set_name_command(call: &mut Call<'_, '_>) -> Done {
    set_name(call.client, &call.arguments[2])?;
    call.reply.ok();
    Ok(())
}

pub(super) fn get_name(call: &mut Call<'_, '_>) -> Done {
    let name = &call.client.name;
    call.reply.bulk_or_null((!name.is_empty()).then_some(name));
    Ok(())
}

pub(super) fn set_info(call: &mut Call<'_, '_>) -> Done {
    let (option, value) = (&call.arguments[2], &call.arguments[3]);
    let name = String::from_utf8_lossy(option);
    let place = match option.to_ascii_lowercase().as_slice() {
        b"lib-name" => &mut call.client.library.0,
        b"lib-ver" => &mut call.client.library.1,
        _ => {
            return Err(Refusal::of(format!("ERR Unrecognized option '{name}'")).into());
        }
    };
    if !is_printable(value) {
        let text = format!("ERR {name} cannot contain spaces, newlines or special characters.");
        return Err(Refusal::of(text).into());
    }
    *place = value.into();
    call.reply.ok();
    Ok(())
}

pub(super) fn id(call: &mut Call<'_, '_>) -> Done {
    call.reply.integer(call.client.id.cast_signed());
    Ok(())
}

pub(super) fn info(call: &mut Call<'_, '_>) -> Done {
    let mut text = Vec::new();
    line::write(call.client, call.server.now, &mut text);
    text.push(b'\n');
    call.reply.verbatim(&text);
    Ok(())
}

pub(super) fn list(call: &mut Call<'_, '_>) -> Done {
    let (mut kind, mut ids) = (None, None);
    let first = call.arguments.get(2).map(<[u8]>::to_ascii_lowercase);
    match (first.as_deref(), call.arguments.len()) {
        (None, _) => {}
        (Some(b"type"), 4) => kind = Some(kind_of(&call.arguments[3])?),
        (Some(b"id"), 4..) => {
            let numbers = call.arguments.from(3);
            let numbers = numbers
                .iter()
                .map(|text| number::integer(text).ok_or(Refusal::new("ERR Invalid client ID")));
            ids = Some(numbers.collect::<Result<Vec<i64>, Refusal>>()?);
        }
        _ => return Err(Refusal::SYNTAX.into()),
    }
    let (now, running) = (call.server.now, &*call.client);
    let mut listed: Vec<&Client> = call.server.clients.seated().chain([running]).collect();
    listed.sort_unstable_by_key(|client| client.id);
    listed.retain(|client| {
        kind.is_none_or(|kind| Kind::of(client) == kind)
            && ids.as_ref().is_none_or(|ids| ids.contains(&client.id.cast_signed()))
    });
    let mut text = Vec::new();
    for client in listed {
        line::write(client, now, &mut text);
        text.push(b'\n');
    }
    call.reply.verbatim(&text);
    Ok(())
}

/// A kind of client by its word.
pub(super) fn kind_of(word: &[u8]) -> Result<Kind, Refusal> {
    Kind::parse(word).ok_or_else(|| {
        let word = String::from_utf8_lossy(word);
        Refusal::of(format!("ERR Unknown client type '{word}'"))
    })
}
