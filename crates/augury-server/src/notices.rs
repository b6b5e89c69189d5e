//! What has changed in the databases, told to those who wait for it: watchers and caching clients.

use crate::client::Client;
use crate::server::Server;

/// Tells of all changes since the last call. The running client, whose command made them, is out of
/// its seat.
#[cold]
pub fn tell(server: &mut Server, mut running: Option<&mut Client>) {
    let flushes = server.keyspace.take_flushes();
    let changes = server.keyspace.take_changes();
    let writer = running.as_ref().map(|client| client.id);
    let Server { clients, watchers, tracking, .. } = server;
    for &flushed in &flushes {
        watchers.flush(clients, running.as_deref_mut(), flushed);
    }
    if !watchers.is_empty() {
        for change in changes.iter().filter(|change| !change.is_load) {
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
