//! Client-side caching: who is told when what it has read changes.
//!
//! By default the keys that a client reads are remembered, up to a limit, and a change of one is told
//! once; a client in broadcast mode is told of all changes under its prefixes and nothing is
//! remembered. A client with the newer protocol is told on its own connection by a push, one with the
//! older on another connection that has subscribed to [`CHANNEL`]. What is told is written behind the
//! answers that were made before: an outbox is emptied after its client's own answers.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::RandomState;

use bitflags::bitflags;
use indexmap::{IndexMap, IndexSet};
use smallvec::SmallVec;

use crate::client::{Client, ClientId, Handle, Modes};
use crate::clients::Clients;
use crate::pubsub::write_message;
use crate::resp::{Protocol, Reply};

/// Where invalidations go for clients that are told on another connection.
pub const CHANNEL: &[u8] = b"__redis__:invalidate";

bitflags! {
    /// How a client wants to be told.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Options: u8 {
        /// Of all changes under its prefixes.
        const BROADCAST = 1 << 0;
        /// Of what it reads behind CLIENT CACHING YES.
        const OPT_IN = 1 << 1;
        /// Of what it reads but behind CLIENT CACHING NO.
        const OPT_OUT = 1 << 2;
        /// Not of its own changes.
        const NO_LOOP = 1 << 3;
    }
}

/// What a client has chosen.
#[derive(Debug)]
pub struct Tracking {
    /// How it wants to be told.
    pub options: Options,
    /// Who is told in its place.
    pub redirect: Option<Handle>,
    /// Whether that client has gone.
    pub is_broken: bool,
    /// What CLIENT CACHING has said of the next command.
    pub caching: Option<bool>,
    /// The prefixes that it is told of, in broadcast mode.
    pub prefixes: BTreeSet<Box<[u8]>>,
}

impl Tracking {
    /// Whether the keys of a read are to be remembered.
    fn remembers(&self) -> bool {
        if self.options.contains(Options::BROADCAST) {
            false
        } else if self.options.contains(Options::OPT_IN) {
            self.caching == Some(true)
        } else {
            !self.options.contains(Options::OPT_OUT) || self.caching != Some(false)
        }
    }
}

/// Who has read a key: seldom more than a few.
type Readers = SmallVec<[Handle; 2]>;

/// Keys that have changed, by prefix and the client that follows it.
type Broadcasts<'a> = BTreeMap<(&'a [u8], ClientId), (Handle, IndexSet<&'a [u8]>)>;

/// See the module's head.
pub struct Table {
    readers: IndexMap<Box<[u8]>, Readers, RandomState>,
    items: usize,
    keys_max: usize,
    prefixes: HashMap<Box<[u8]>, HashSet<Handle>>,
    /// How many prefixes have which length: a key is looked up once for each.
    lengths: BTreeMap<usize, usize>,
    clients: HashSet<Handle>,
}

impl Table {
    /// An empty table for at most so many keys; 0: any number.
    pub fn new(keys_max: usize) -> Table {
        Table {
            readers: IndexMap::default(),
            items: 0,
            keys_max,
            prefixes: HashMap::new(),
            lengths: BTreeMap::new(),
            clients: HashSet::new(),
        }
    }

    /// Whether any client wants to be told.
    pub fn has_clients(&self) -> bool {
        !self.clients.is_empty()
    }

    /// Number of clients that want to be told.
    pub fn client_count(&self) -> usize {
        self.clients.len()
    }

    /// Keys remembered, their readers, and prefixes.
    pub fn counts(&self) -> (usize, usize, usize) {
        (self.readers.len(), self.items, self.prefixes.len())
    }

    /// Sets the limit of keys; what is above it leaves as keys are added.
    pub fn set_keys_max(&mut self, keys_max: usize) {
        self.keys_max = keys_max;
    }

    /// A client wants to be told, or changes how. The caller has checked that the choices go
    /// together.
    pub fn enable(&mut self, client: &mut Client, options: Options, redirect: Option<Handle>) {
        let handle = client.handle();
        self.clients.insert(handle);
        client.modes.insert(Modes::TRACKING);
        let prefixes = client.tracking.take().map(|it| it.prefixes).unwrap_or_default();
        client.tracking = Some(Box::new(Tracking {
            options,
            redirect,
            is_broken: false,
            caching: None,
            prefixes,
        }));
    }

    /// A client in broadcast mode is told of changes under a prefix too.
    pub fn add_prefix(&mut self, client: &mut Client, prefix: &[u8]) {
        let handle = client.handle();
        let Some(tracking) = &mut client.tracking else { return };
        if tracking.prefixes.insert(prefix.into()) {
            let is_new = !self.prefixes.contains_key(prefix);
            self.prefixes.entry(prefix.into()).or_default().insert(handle);
            if is_new {
                *self.lengths.entry(prefix.len()).or_default() += 1;
            }
        }
    }

    /// A client is told nothing any more. What it has read is forgotten as it is told of next.
    pub fn disable(&mut self, client: &mut Client) {
        let handle = client.handle();
        client.modes.remove(Modes::TRACKING);
        let Some(tracking) = client.tracking.take() else { return };
        for prefix in tracking.prefixes {
            let Some(handles) = self.prefixes.get_mut(&prefix) else { continue };
            handles.remove(&handle);
            if handles.is_empty() {
                self.prefixes.remove(&prefix);
                if let Some(count) = self.lengths.get_mut(&prefix.len()) {
                    *count -= 1;
                    if *count == 0 {
                        self.lengths.remove(&prefix.len());
                    }
                }
            }
        }
        self.clients.remove(&handle);
        if self.clients.is_empty() {
            self.readers = IndexMap::default();
            self.items = 0;
        }
    }

    /// The running client has read keys: they are remembered where it wants to be told of them.
    pub fn remember<'a>(
        &mut self,
        clients: &mut Clients,
        running: &mut Client,
        keys: impl Iterator<Item = &'a [u8]>,
    ) {
        if !running.tracking.as_ref().is_some_and(|tracking| tracking.remembers()) {
            return;
        }
        let handle = running.handle();
        for key in keys {
            let readers = match self.readers.get_mut(key) {
                Some(readers) => readers,
                None => self.readers.entry(key.into()).or_default(),
            };
            if !readers.contains(&handle) {
                readers.push(handle);
                self.items += 1;
            }
        }
        while self.keys_max > 0 && self.readers.len() > self.keys_max {
            let at = fastrand::usize(..self.readers.len());
            if let Some((key, readers)) = self.readers.swap_remove_index(at) {
                self.items -= readers.len();
                tell_readers(clients, Some(running), readers, &key, None);
            }
        }
    }

    /// Keys have changed, each with the client who changed it, if one did.
    pub fn invalidate<'a>(
        &mut self,
        clients: &mut Clients,
        mut running: Option<&mut Client>,
        changes: impl Iterator<Item = (&'a [u8], Option<ClientId>)>,
    ) {
        // By prefix and client: as Redis, a message for each prefix.
        let mut broadcast = Broadcasts::new();
        for (key, writer) in changes {
            if let Some(readers) = self.readers.swap_remove(key) {
                self.items -= readers.len();
                tell_readers(clients, running.as_deref_mut(), readers, key, writer);
            }
            for &len in self.lengths.keys().take_while(|&&len| len <= key.len()) {
                let prefix = &key[..len];
                for &handle in self.prefixes.get(prefix).into_iter().flatten() {
                    if hears(clients, running.as_deref_mut(), handle, writer).is_some() {
                        let told = broadcast.entry((prefix, handle.id));
                        told.or_insert_with(|| (handle, IndexSet::new())).1.insert(key);
                    }
                }
            }
        }
        for (handle, keys) in broadcast.into_values() {
            let keys: Vec<&[u8]> = keys.into_iter().collect();
            tell(clients, running.as_deref_mut(), handle, Some(&keys));
        }
    }

    /// A database was flushed: everybody is to forget everything.
    pub fn flush(&mut self, clients: &mut Clients, mut running: Option<&mut Client>) {
        for &handle in &self.clients {
            tell(clients, running.as_deref_mut(), handle, None);
        }
        self.readers = IndexMap::default();
        self.items = 0;
    }
}

fn tell_readers(
    clients: &mut Clients,
    mut running: Option<&mut Client>,
    readers: Readers,
    key: &[u8],
    writer: Option<ClientId>,
) {
    for handle in readers {
        // What it has read before it changed to broadcasts no longer counts.
        let options = hears(clients, running.as_deref_mut(), handle, writer);
        if options.is_some_and(|options| !options.contains(Options::BROADCAST)) {
            tell(clients, running.as_deref_mut(), handle, Some(&[key]));
        }
    }
}

/// How a client is told, if it is to be told of what `writer` has changed: not if that is itself, and
/// it does not want to hear of its own changes.
fn hears(
    clients: &mut Clients,
    running: Option<&mut Client>,
    handle: Handle,
    writer: Option<ClientId>,
) -> Option<Options> {
    let options = clients.reach(running, handle)?.tracking.as_ref()?.options;
    let is_own = writer == Some(handle.id);
    (!is_own || !options.contains(Options::NO_LOOP)).then_some(options)
}

/// Tells a client, or whom it has named in its place, to forget keys, or all of them.
fn tell(
    clients: &mut Clients,
    mut running: Option<&mut Client>,
    handle: Handle,
    keys: Option<&[&[u8]]>,
) {
    let Some(client) = clients.reach(running.as_deref_mut(), handle) else { return };
    let Some(redirect) = client.tracking.as_ref().and_then(|tracking| tracking.redirect) else {
        if client.protocol == Protocol::Resp3 {
            clients.deliver(running, handle, |reply| write_push(reply, keys));
        }
        return;
    };
    let Some(other) = clients.reach(running.as_deref_mut(), redirect) else {
        return break_redirect(clients, running, handle, redirect);
    };
    if other.protocol == Protocol::Resp3 {
        clients.deliver(running, redirect, |reply| write_push(reply, keys));
    } else if other.modes.contains(Modes::SUBSCRIBED) {
        clients.deliver(running, redirect, |reply| {
            write_message(reply, "message", CHANNEL, |reply| write_keys(reply, keys));
        });
    }
}

/// The client that is told in place of another has gone: the other learns of it, if it can.
fn break_redirect(
    clients: &mut Clients,
    mut running: Option<&mut Client>,
    handle: Handle,
    redirect: Handle,
) {
    let Some(client) = clients.reach(running.as_deref_mut(), handle) else { return };
    let is_told = client.protocol == Protocol::Resp3;
    if let Some(tracking) = &mut client.tracking {
        tracking.is_broken = true;
    }
    if is_told {
        clients.deliver(running, handle, |reply| {
            reply.push(2);
            reply.bulk(b"tracking-redir-broken");
            reply.integer(redirect.id.cast_signed());
        });
    }
}

fn write_push(reply: &mut Reply<'_>, keys: Option<&[&[u8]]>) {
    reply.push(2);
    reply.bulk(b"invalidate");
    write_keys(reply, keys);
}

fn write_keys(reply: &mut Reply<'_>, keys: Option<&[&[u8]]>) {
    let Some(keys) = keys else { return reply.null() };
    reply.array(keys.len());
    for key in keys {
        reply.bulk(key);
    }
}
