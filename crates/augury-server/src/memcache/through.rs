//! Requests where there is an upstream: what is fetched and missing is loaded first, and what is written
//! revokes what is on its way.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::line::tokens;
use super::request::{Asks, Meta, Request, key};
use super::{KEY_MAX, Verdict};
use crate::client::Client;
use crate::server::Server;
use crate::upstream::asking::{self, Reading};
use crate::upstream::written;

const FETCH: Reading = Reading { counts: true, prefers_hash: false };

/// What a request is to do. A fetch that makes what is missing (`N`) is never loaded: its client says
/// that it will bring the value.
pub(super) fn ask(
    server: &mut Server,
    client: &mut Client,
    request: &Request,
    input: &[u8],
) -> Verdict {
    match request {
        Request::Get { keys, .. } => {
            let keys: SmallVec<[&[u8]; 8]> = tokens(input, *keys).collect();
            if keys.iter().any(|key| key.len() > KEY_MAX) {
                // It is refused as a whole.
                return Verdict::Run;
            }
            asking::ask(server, client, keys.iter().copied(), FETCH)
        }
        Request::MetaGet(meta) if meta.vivify.is_none() => match meta.key(input) {
            Some(key) => {
                let counts = !meta.asks.contains(Asks::UNNOTICED);
                let keys = std::iter::once(&*key);
                asking::ask(server, client, keys, Reading { counts, ..FETCH })
            }
            None => Verdict::Run,
        },
        _ => Verdict::Run,
    }
}

/// After a request: the loads of the keys that it has written are revoked.
pub(super) fn revoke(server: &mut Server, request: &Request, input: &[u8]) {
    let mut keys = SmallVec::<[Cow<'_, [u8]>; 4]>::new();
    let meta = |meta: &Meta| meta.key(input);
    match request {
        Request::Get { keys: list, exptime: Some(_), .. } => {
            keys.extend(tokens(input, *list).map(Cow::Borrowed));
        }
        Request::Store { store, .. } => keys.push(Cow::Borrowed(store.key.of(input))),
        Request::TooLarge { key: Some(place), is_base64, .. } => {
            keys.extend(key(place.of(input), *is_base64));
        }
        Request::Delta { key, .. } | Request::Touch { key, .. } | Request::Delete { key, .. } => {
            keys.push(Cow::Borrowed(key.of(input)));
        }
        Request::MetaGet(it) if it.vivify.is_some() || it.exptime.is_some() => {
            keys.extend(meta(it));
        }
        Request::MetaSet { meta: it, .. }
        | Request::MetaDelete(it)
        | Request::MetaDelta { meta: it, .. } => keys.extend(meta(it)),
        _ => return,
    }
    written(server, keys.iter().map(|key| &**key));
}
