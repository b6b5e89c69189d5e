//! Serving a memcached client: as a Redis client is served, with requests instead of commands.

use super::connection::Connection;
use super::dialect::Batch;
use super::limits::Bounds;
use super::serve::Served;
use super::worker::{Mailbox, send_wakes};
use crate::memcache;
use crate::notices;
use crate::server::Shared;

/// Runs the requests that have come on a connection.
pub(super) fn serve(
    shared: &Shared,
    mailboxes: &[Mailbox],
    connection: &mut Connection,
    bounds: &Bounds,
) -> Served {
    loop {
        let Batch::Memcached(batch) = &mut connection.batch else { return Served::Well };
        batch.fill(&connection.input, bounds.items);
        let is_done = batch.requests().is_empty();
        let (read, written) = std::mem::take(&mut connection.uncounted);
        let mut server = shared.lock();
        let server = &mut *server;
        let Some(mut client) = server.take_client(connection.seat) else { return Served::Well };
        client.active = server.now;
        server.account(read, written);
        let mut done = 0;
        for request in batch.requests() {
            let (input, output) = (&connection.input, &mut connection.output);
            if !memcache::run(server, &mut client, request, input, output) {
                connection.is_waiting = true;
                break;
            }
            done += 1;
        }
        if server.keyspace.has_changes() {
            notices::tell(server, Some(&mut client));
        }
        connection.is_ending |= client.is_closing;
        server.put_client(connection.seat, client);
        let wakes = if server.has_wakes() { server.take_wakes() } else { Vec::new() };
        send_wakes(mailboxes, wakes);
        let is_waiting = connection.is_waiting;
        let consumed = if is_waiting { batch.settle_at(done) } else { batch.settle() };
        connection.consume(consumed);
        if !is_done {
            connection.times.completed();
        }
        if connection.output.len() > bounds.output_hard(false, false) {
            return Served::Beyond;
        }
        if is_done || is_waiting || connection.is_ending || connection.input.is_empty() {
            break;
        }
    }
    if connection.input.len() > bounds.query_max { Served::Beyond } else { Served::Well }
}
