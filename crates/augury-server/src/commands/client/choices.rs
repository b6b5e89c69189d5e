//! What a client chooses about its answers and its memory, and pauses for all.

use crate::client::{Answers, Modes};
use crate::commands::{Call, Done, Refusal, number};
use crate::pausing::Pause;

fn on_or_off(word: &[u8]) -> Result<bool, Refusal> {
    match word.to_ascii_lowercase().as_slice() {
        b"on" => Ok(true),
        b"off" => Ok(false),
        _ => Err(Refusal::SYNTAX),
    }
}

pub(super) fn no_evict(call: &mut Call<'_, '_>) -> Done {
    call.client.modes.set(Modes::NO_EVICT, on_or_off(&call.arguments[2])?);
    call.reply.ok();
    Ok(())
}

pub(super) fn no_touch(call: &mut Call<'_, '_>) -> Done {
    call.client.modes.set(Modes::NO_TOUCH, on_or_off(&call.arguments[2])?);
    call.reply.ok();
    Ok(())
}

pub(super) fn reply(call: &mut Call<'_, '_>) -> Done {
    let answers = &mut call.client.answers;
    match call.arguments[2].to_ascii_lowercase().as_slice() {
        b"on" => {
            *answers = Answers::On;
            call.reply.ok();
        }
        b"off" => *answers = Answers::Off,
        b"skip" if *answers == Answers::Off => {}
        b"skip" => *answers = Answers::SkipNext,
        _ => return Err(Refusal::SYNTAX.into()),
    }
    Ok(())
}

pub(super) fn pause(call: &mut Call<'_, '_>) -> Done {
    let mode = call.arguments.get(3).map(<[u8]>::to_ascii_lowercase);
    let is_for_writes = match mode.as_deref() {
        None | Some(b"all") => false,
        Some(b"write") => true,
        Some(_) => {
            return Err(Refusal::new("ERR CLIENT PAUSE mode must be WRITE or ALL").into());
        }
    };
    if call.arguments.len() > 4 {
        return Err(Refusal::subcommand(call.arguments).into());
    }
    let millis = number::integer(&call.arguments[2])
        .ok_or(Refusal::new("ERR timeout is not an integer or out of range"))?;
    let millis = u64::try_from(millis).map_err(|_| Refusal::new("ERR timeout is negative"))?;
    let until = call.server.now.saturating_add(millis);
    let pause = call.server.pause.get_or_insert_with(|| Pause::new(until, is_for_writes));
    pause.join(until, is_for_writes);
    call.reply.ok();
    Ok(())
}

pub(super) fn unpause(call: &mut Call<'_, '_>) -> Done {
    if let Some(pause) = call.server.pause.take() {
        pause.end(&mut call.server.clients);
    }
    call.reply.ok();
    Ok(())
}

pub(super) fn unblock(call: &mut Call<'_, '_>) -> Done {
    number::integer(&call.arguments[2]).ok_or(Refusal::NOT_INTEGER)?;
    let word = call.arguments.get(3).map(<[u8]>::to_ascii_lowercase);
    if !matches!(word.as_deref(), None | Some(b"timeout" | b"error")) {
        let text = "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR";
        return Err(Refusal::new(text).into());
    }
    call.reply.integer(0);
    Ok(())
}
