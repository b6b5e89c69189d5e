//! WATCH: keys whose change makes the EXEC of those who watch them answer null.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::client::{Client, Handle, Modes, Watched};
use crate::clients::Clients;

/// A key of a database.
type Place = (u8, Box<[u8]>);

/// See the module's head. Of each watcher it is known whether the key was there when it was watched.
#[derive(Default)]
pub struct Watchers(HashMap<Place, HashMap<Handle, bool>>);

impl Watchers {
    /// Whether nobody watches anything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many keys are watched.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// A client watches a key, which is there or not; nothing where it already does.
    pub fn watch(&mut self, client: &mut Client, watched: Watched, is_there: bool) {
        let place = (watched.db, watched.key.clone());
        if let Entry::Vacant(vacant) = self.0.entry(place).or_default().entry(client.handle()) {
            vacant.insert(is_there);
            client.watched.push(watched);
        }
    }

    /// A client watches nothing any more, and what has changed is forgotten.
    pub fn unwatch(&mut self, client: &mut Client) {
        let handle = client.handle();
        for watched in std::mem::take(&mut client.watched) {
            let place = (watched.db, watched.key);
            if let Some(handles) = self.0.get_mut(&place) {
                handles.remove(&handle);
                if handles.is_empty() {
                    self.0.remove(&place);
                }
            }
        }
        client.modes.remove(Modes::DIRTY);
    }

    /// A key has changed.
    pub fn touch(
        &self,
        clients: &mut Clients,
        mut running: Option<&mut Client>,
        place: (u8, &[u8]),
    ) {
        let place = (place.0, Box::from(place.1));
        for &handle in self.0.get(&place).into_iter().flat_map(HashMap::keys) {
            if let Some(client) = clients.reach(running.as_deref_mut(), handle) {
                client.modes.insert(Modes::DIRTY);
            }
        }
    }

    /// The keys of a database that are watched.
    pub fn keys_of(&self, db: u8) -> Vec<Box<[u8]>> {
        self.0.keys().filter(|(at, _)| *at == db).map(|(_, key)| key.clone()).collect()
    }

    /// All keys of a database, or of all, have gone: who watches one that was there is told. A key
    /// that was not there when it was watched is not there now, or has already been told of.
    pub fn flush(
        &self,
        clients: &mut Clients,
        mut running: Option<&mut Client>,
        flushed: Option<u8>,
    ) {
        let places =
            self.0.iter().filter(|((db, _), _)| flushed.is_none_or(|flushed| flushed == *db));
        let was_there =
            places.flat_map(|(_, watchers)| watchers).filter(|&(_, &is_there)| is_there);
        for (&handle, _) in was_there {
            if let Some(client) = clients.reach(running.as_deref_mut(), handle) {
                client.modes.insert(Modes::DIRTY);
            }
        }
    }
}
