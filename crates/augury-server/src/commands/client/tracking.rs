//! CLIENT TRACKING and what goes with it: how a client is told of changes to what it has read.

use std::collections::BTreeSet;
use std::ops::Bound;

use crate::client::{Client, Handle};
use crate::commands::{Call, Done, Refusal, number};
use crate::tracking::Options;

/// The arguments behind ON or OFF.
struct Wanted<'a> {
    options: Options,
    redirect: Option<Handle>,
    prefixes: Vec<&'a [u8]>,
}

impl<'a> Wanted<'a> {
    fn of(call: &mut Call<'a, '_>) -> Result<Wanted<'a>, Refusal> {
        let mut wanted = Wanted { options: Options::empty(), redirect: None, prefixes: Vec::new() };
        let mut at = 3;
        while let Some(word) = call.arguments.get(at) {
            let value = call.arguments.get(at + 1);
            at += 1;
            match (word.to_ascii_lowercase().as_slice(), value) {
                (b"redirect", Some(id)) => {
                    at += 1;
                    if wanted.redirect.is_some() {
                        let text = "ERR A client can only redirect to a single other client";
                        return Err(Refusal::new(text));
                    }
                    wanted.redirect = Some(find(call, id)?);
                }
                (b"prefix", Some(prefix)) => {
                    at += 1;
                    wanted.prefixes.push(prefix);
                }
                (b"bcast", _) => wanted.options.insert(Options::BROADCAST),
                (b"optin", _) => wanted.options.insert(Options::OPT_IN),
                (b"optout", _) => wanted.options.insert(Options::OPT_OUT),
                (b"noloop", _) => wanted.options.insert(Options::NO_LOOP),
                _ => return Err(Refusal::SYNTAX),
            }
        }
        Ok(wanted)
    }

    /// Whether the choices go together, and with what the client has chosen before.
    fn check(&self, client: &Client) -> Result<(), Refusal> {
        let choice = Options::OPT_IN.union(Options::OPT_OUT);
        let is_broadcast = self.options.contains(Options::BROADCAST);
        if !is_broadcast && !self.prefixes.is_empty() {
            let text = "ERR PREFIX option requires BCAST mode to be enabled";
            return Err(Refusal::new(text));
        }
        let before = client.tracking.as_ref().map(|tracking| tracking.options);
        if before.is_some_and(|before| before.contains(Options::BROADCAST) != is_broadcast) {
            return Err(Refusal::new(
                "ERR You can't switch BCAST mode on/off before disabling tracking for this client, \
                 and then re-enabling it with a different mode.",
            ));
        }
        if is_broadcast && self.options.intersects(choice) {
            return Err(Refusal::new("ERR OPTIN and OPTOUT are not compatible with BCAST"));
        }
        if self.options.contains(choice) {
            let text = "ERR You can't specify both OPTIN mode and OPTOUT mode";
            return Err(Refusal::new(text));
        }
        let is_switched = |before: Options| (before | self.options).contains(choice);
        if before.is_some_and(is_switched) {
            return Err(Refusal::new(
                "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, \
                 and then re-enabling it with a different mode.",
            ));
        }
        self.check_prefixes(client)
    }

    fn check_prefixes(&self, client: &Client) -> Result<(), Refusal> {
        let existing = client.tracking.as_ref().map(|it| &it.prefixes);
        let mut provided = BTreeSet::new();
        for &prefix in &self.prefixes {
            if let Some(other) = existing.and_then(|it| overlap(it, prefix)) {
                return Err(overlapping(prefix, other, "an existing prefix"));
            }
            if let Some(other) = overlap(&provided, prefix) {
                return Err(overlapping(other, prefix, "another provided prefix"));
            }
            provided.insert(prefix.into());
        }
        Ok(())
    }
}

/// A prefix that overlaps with another, among prefixes of which no two do (but for the empty one): it
/// begins with the other, and is then the next of them; or the other begins with it, and is then the
/// next after it.
fn overlap<'a>(prefixes: &'a BTreeSet<Box<[u8]>>, prefix: &[u8]) -> Option<&'a [u8]> {
    let from = (Bound::Included(prefix), Bound::Unbounded);
    let next = prefixes.range::<[u8], _>(from).next().filter(|it| it.starts_with(prefix));
    let until = (Bound::Unbounded, Bound::Included(prefix));
    let last = || prefixes.range::<[u8], _>(until).next_back().filter(|it| prefix.starts_with(it));
    next.or_else(last).or_else(|| prefixes.get(&b""[..])).map(|it| &**it)
}

fn overlapping(prefix: &[u8], other: &[u8], what: &str) -> Refusal {
    let (prefix, other) = (String::from_utf8_lossy(prefix), String::from_utf8_lossy(other));
    Refusal::of(format!(
        "ERR Prefix '{prefix}' overlaps with {what} '{other}'. Prefixes for a single client must not \
         overlap."
    ))
}

fn find(call: &mut Call<'_, '_>, id: &[u8]) -> Result<Handle, Refusal> {
    let id = number::whole(id)?;
    let mut everybody = call.server.clients.seated().chain([&*call.client]);
    let found = everybody.find(|client| client.id.cast_signed() == id);
    found
        .map(Client::handle)
        .ok_or(Refusal::new("ERR The client ID you want redirect to does not exist"))
}

pub(super) fn tracking(call: &mut Call<'_, '_>) -> Done {
    let wanted = Wanted::of(call)?;
    match call.arguments[2].to_ascii_lowercase().as_slice() {
        b"on" => {
            wanted.check(call.client)?;
            let table = &mut call.server.tracking;
            table.enable(call.client, wanted.options, wanted.redirect);
            if wanted.options.contains(Options::BROADCAST) {
                // No prefix is the empty one: every key is under it.
                let is_any = wanted.prefixes.is_empty();
                for prefix in wanted.prefixes.into_iter().chain(is_any.then_some(&b""[..])) {
                    table.add_prefix(call.client, prefix);
                }
            }
        }
        b"off" => call.server.tracking.disable(call.client),
        _ => return Err(Refusal::SYNTAX.into()),
    }
    call.server.settle_watch();
    call.reply.ok();
    Ok(())
}

pub(super) fn caching(call: &mut Call<'_, '_>) -> Done {
    let both = Options::OPT_IN.union(Options::OPT_OUT);
    let tracking = call.client.tracking.as_mut().filter(|it| it.options.intersects(both));
    let Some(tracking) = tracking else {
        return Err(Refusal::new(
            "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or \
             OPTOUT mode enabled",
        )
        .into());
    };
    let (is_wanted, mode, text) = match call.arguments[2].to_ascii_lowercase().as_slice() {
        b"yes" => (
            true,
            Options::OPT_IN,
            "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.",
        ),
        b"no" => (
            false,
            Options::OPT_OUT,
            "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.",
        ),
        _ => return Err(Refusal::SYNTAX.into()),
    };
    if !tracking.options.contains(mode) {
        return Err(Refusal::new(text).into());
    }
    tracking.caching = Some(is_wanted);
    call.reply.ok();
    Ok(())
}

pub(super) fn redirect(call: &mut Call<'_, '_>) -> Done {
    let number = call
        .client
        .tracking
        .as_ref()
        .map_or(-1, |tracking| tracking.redirect.map_or(0, |other| other.id.cast_signed()));
    call.reply.integer(number);
    Ok(())
}

pub(super) fn info(call: &mut Call<'_, '_>) -> Done {
    let tracking = call.client.tracking.as_deref();
    let has = |option| tracking.is_some_and(|it| it.options.contains(option));
    let caching = tracking.and_then(|it| it.caching);
    let flags: Vec<&str> = [
        ("off", tracking.is_none()),
        ("on", tracking.is_some()),
        ("bcast", has(Options::BROADCAST)),
        ("optin", has(Options::OPT_IN)),
        ("caching-yes", has(Options::OPT_IN) && caching == Some(true)),
        ("optout", has(Options::OPT_OUT)),
        ("caching-no", has(Options::OPT_OUT) && caching == Some(false)),
        ("noloop", has(Options::NO_LOOP)),
        ("broken_redirect", tracking.is_some_and(|it| it.is_broken)),
    ]
    .into_iter()
    .filter_map(|(name, is_set)| is_set.then_some(name))
    .collect();
    let reply = &mut *call.reply;
    reply.map(3);
    reply.bulk(b"flags");
    reply.set(flags.len());
    for flag in flags {
        reply.bulk(flag.as_bytes());
    }
    reply.bulk(b"redirect");
    reply.integer(tracking.map_or(-1, |it| it.redirect.map_or(0, |other| other.id.cast_signed())));
    reply.bulk(b"prefixes");
    let prefixes = tracking.map(|it| &it.prefixes);
    reply.array(prefixes.map_or(0, BTreeSet::len));
    for prefix in prefixes.into_iter().flatten() {
        reply.bulk(prefix);
    }
    Ok(())
}
