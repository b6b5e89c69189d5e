//! What has changed in the databases, told to those who wait for it: watchers and caching clients.

use crate::client::Client;
use crate::events;
use crate::keyspace::Act;
use crate::server::Server;

/// Tells of all changes since the last call. The running client, whose command made them, is out of
/// its seat.
#[cold]
pub fn tell(server: &mut Server, mut running: Option<&mut Client>) {
    if server.settings.notified.is_on() {
        events::publish(server, running.as_deref_mut(), None);
    }
    let flushes = server.keyspace.take_flushes();
    let changes = server.keyspace.take_changes();
    let writer = running.as_ref().map(|client| client.id);
    let Server { clients, watchers, tracking, .. } = server;
    for &flushed in &flushes {
        watchers.flush(clients, running.as_deref_mut(), flushed);
    }
    if !watchers.is_empty() {
        for change in changes.iter().filter(|change| change.act != Act::Loaded) {
            watchers.touch(clients, running.as_deref_mut(), (change.db, &change.key));
        }
    }
    if !tracking.has_clients() {
        return;
    }
    if !flushes.is_empty() {
        tracking.flush(clients, running.as_deref_mut());
    }
    let changes = changes.iter().map(|change| {
        // What has expired or was evicted was nobody's doing: NOLOOP does not hide it.
        (&*change.key, writer.filter(|_| change.is_by_client()))
    });
    tracking.invalidate(clients, running, changes);
}

/// Two databases are about to be exchanged: who watches a key that is in either of them is told, and
/// whoever caches what it has read drops all of it.
pub fn tell_of_swap(server: &mut Server, running: &mut Client, one: u8, other: u8) {
    let now = server.now;
    for db in [one, other] {
        for key in server.watchers.keys_of(db) {
            let is_in = |db: u8| {
                let asked = server.keyspace.asked(db, &key);
                server.keyspace.find(asked, now).is_some()
            };
            if [one, other].into_iter().any(is_in) {
                server.watchers.touch(&mut server.clients, Some(running), (db, &key));
            }
        }
    }
    if server.tracking.has_clients() {
        server.tracking.flush(&mut server.clients, Some(running));
    }
}
