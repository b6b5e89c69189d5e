//! CLIENT KILL: connections closed by others.

use augury_core::clock::Millis;

use super::identity::kind_of;
use super::line::Kind;
use crate::acl::Acl;
use crate::auth;
use crate::client::{Client, ClientId};
use crate::commands::{Call, Done, Refusal, number};
use crate::resp::Arguments;

/// Which clients: those for which everything that is set holds.
#[derive(Default)]
struct Filter<'a> {
    ids: Option<Vec<ClientId>>,
    address: Option<&'a [u8]>,
    local: Option<&'a [u8]>,
    kind: Option<Kind>,
    user: Option<&'a [u8]>,
    age_min: Option<Millis>,
    /// Whether the client that asks is left out.
    skips_itself: bool,
}

impl<'a> Filter<'a> {
    fn of(arguments: Arguments<'a>, acl: &Acl) -> Result<Filter<'a>, Refusal> {
        let mut filter = Filter { skips_itself: true, ..Filter::default() };
        let mut at = 2;
        while at < arguments.len() {
            let word = arguments[at].to_ascii_lowercase();
            let value = arguments.get(at + 1).ok_or(Refusal::SYNTAX)?;
            at += 2;
            match word.as_slice() {
                b"id" => {
                    let mut ids = vec![id_of(value)?];
                    while let Some(more) = arguments.get(at).filter(|it| it.is_ascii())
                        && more.first().is_some_and(u8::is_ascii_digit)
                    {
                        ids.push(id_of(more)?);
                        at += 1;
                    }
                    filter.ids = Some(ids);
                }
                b"addr" => filter.address = Some(value),
                b"laddr" => filter.local = Some(value),
                b"type" => filter.kind = Some(kind_of(value)?),
                b"user" => {
                    if acl.user(value).is_none() {
                        let user = String::from_utf8_lossy(value);
                        return Err(Refusal::of(format!("ERR No such user '{user}'")));
                    }
                    filter.user = Some(value);
                }
                b"maxage" => {
                    let age = number::integer(value)
                        .ok_or(Refusal::new("ERR maxage is not an integer or out of range"))?;
                    let age = u64::try_from(age).ok().filter(|&age| age > 0);
                    let text = "ERR maxage should be greater than 0";
                    filter.age_min = Some(age.ok_or(Refusal::new(text))?.saturating_mul(1_000));
                }
                b"skipme" => {
                    filter.skips_itself = match value.to_ascii_lowercase().as_slice() {
                        b"yes" => true,
                        b"no" => false,
                        _ => return Err(Refusal::SYNTAX),
                    };
                }
                _ => return Err(Refusal::SYNTAX),
            }
        }
        Ok(filter)
    }

    fn holds(&self, client: &Client, now: Millis) -> bool {
        self.ids.as_ref().is_none_or(|ids| ids.contains(&client.id))
            && self.address.is_none_or(|address| client.address.as_bytes() == address)
            && self.local.is_none_or(|local| client.local.as_bytes() == local)
            && self.kind.is_none_or(|kind| Kind::of(client) == kind)
            && self.user.is_none_or(|user| auth::user_of(client) == user)
            && self.age_min.is_none_or(|age| now.saturating_sub(client.since) >= age)
    }
}

fn id_of(text: &[u8]) -> Result<ClientId, Refusal> {
    let id = number::integer(text).and_then(|id| u64::try_from(id).ok()).filter(|&id| id > 0);
    id.ok_or(Refusal::new("ERR client-id should be greater than 0"))
}

pub(super) fn kill(call: &mut Call<'_, '_>) -> Done {
    if call.arguments.len() == 3 {
        // The old form: one address, and the client itself may be meant.
        let address = call.arguments.get(2);
        if close(call, &Filter { address, ..Filter::default() }) == 0 {
            return Err(Refusal::new("ERR No such client").into());
        }
        call.reply.ok();
        return Ok(());
    }
    let filter = Filter::of(call.arguments, &call.server.acl)?;
    let count = close(call, &filter);
    call.reply.integer(count);
    Ok(())
}

/// Closes the clients for which the filter holds; how many.
fn close(call: &mut Call<'_, '_>, filter: &Filter<'_>) -> i64 {
    let now = call.server.now;
    let mut places = Vec::new();
    for client in call.server.others().filter(|client| filter.holds(client, now)) {
        client.is_closing = true;
        places.push(client.place);
    }
    let mut count = places.len() as i64;
    for place in places {
        call.server.wake(place);
    }
    if !filter.skips_itself && filter.holds(call.client, now) {
        // Its answer is written before it ends.
        call.client.is_closing = true;
        count += 1;
    }
    count
}
