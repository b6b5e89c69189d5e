//! Serving a memcached client: as a Redis client is served, with requests instead of commands.

use super::connection::Connection;
use super::dialect::Batch;
use super::worker::{Mailbox, send};
use crate::memcache;
use crate::server::Shared;

/// Runs the requests that have come on a connection.
pub(super) fn serve(
    shared: &Shared,
    mailboxes: &[Mailbox],
    number: usize,
    connection: &mut Connection,
    limits: memcache::Limits,
) {
    loop {
        let Batch::Memcached(batch) = &mut connection.batch else { return };
        batch.fill(&connection.input, limits);
        let is_done = batch.requests().is_empty();
        let mut server = shared.lock();
        let server = &mut *server;
        let Some(mut client) = server.take_client(connection.seat) else { return };
        client.active = server.now;
        for request in batch.requests() {
            let (input, output) = (&connection.input, &mut connection.output);
            memcache::run(server, &mut client, request, input, output);
        }
        connection.is_ending |= client.is_closing;
        server.put_client(connection.seat, client);
        let wakes = if server.has_wakes() { server.take_wakes() } else { Vec::new() };
        send(mailboxes, number, wakes);
        let consumed = batch.settle();
        connection.consume(consumed);
        if is_done || connection.is_ending || connection.input.is_empty() {
            return;
        }
    }
}
