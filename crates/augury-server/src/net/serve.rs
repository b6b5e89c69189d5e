//! Running what has come on a connection: batches of commands under the lock of the server.

use super::connection::Connection;
use super::dialect::Batch;
use super::limits::Bounds;
use super::memcached;
use super::worker::{Mailbox, send_wakes};
use crate::auth;
use crate::client::Modes;
use crate::commands::dispatch::{self, Outcome};
use crate::commands::through::foresee;
use crate::resp::Reply;
use crate::server::Shared;

/// What has become of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Served {
    /// It goes on.
    Well,
    /// More waits to be read by the peer, or to be completed by it, than is allowed.
    Beyond,
}

/// Runs the commands that have come on a connection.
pub(super) fn serve(
    shared: &Shared,
    mailboxes: &[Mailbox],
    connection: &mut Connection,
    bounds: &Bounds,
) -> Served {
    loop {
        let batch = match &mut connection.batch {
            Batch::Redis(batch) => batch,
            Batch::Memcached(_) => return memcached::serve(shared, mailboxes, connection, bounds),
        };
        batch.fill(&connection.input, bounds.input(connection.is_stranger));
        let count = batch.len();
        let (read, written) = std::mem::take(&mut connection.uncounted);
        let mut server = shared.lock();
        let server = &mut *server;
        let Some(mut client) = server.take_client(connection.seat) else { return Served::Well };
        connection.has_pushes |= !client.outbox.is_empty();
        connection.output.append(&mut client.outbox);
        server.account(read, written);
        if count > 0 {
            client.active = server.now;
        }
        client.hold = None;
        if count > 1 {
            let commands = (0..count).map(|at| batch.command(at, &connection.input));
            // The first argument is the key of nearly all commands, and no harm where it is not.
            server.keyspace.warm(client.db, commands.filter_map(|command| command.get(1)));
        }
        let has_pushes = connection.has_pushes || connection.is_subscriber;
        let most = bounds.output_hard(connection.is_stranger, has_pushes);
        let mut done = 0;
        while done < count && !client.is_closing && client.hold.is_none() {
            let arguments = batch.command(done, &connection.input);
            match dispatch::run(server, &mut client, arguments, &mut connection.output) {
                Outcome::Answered => done += 1,
                Outcome::Waiting => {
                    connection.is_waiting = true;
                    if client.parked.is_some() {
                        let rest = (done + 1..count).map(|at| batch.command(at, &connection.input));
                        foresee(server, &mut client, rest);
                    }
                    break;
                }
            }
            if connection.output.len() > most {
                break;
            }
        }
        connection.is_ending |= client.is_closing;
        connection.is_subscriber = client.modes.contains(Modes::SUBSCRIBED);
        connection.hold = client.hold;
        let was_stranger = connection.is_stranger;
        connection.is_stranger = auth::is_stranger(server, &client);
        // What was too much for a stranger may not be for who it has turned out to be.
        let is_known_now = was_stranger && !connection.is_stranger;
        if done == count
            && !connection.is_ending
            && !is_known_now
            && let Some(error) = batch.error()
        {
            let text = format!("ERR {error}");
            Reply::new(&mut connection.output, client.protocol).error(text.as_bytes());
            connection.is_ending = true;
        }
        server.put_client(connection.seat, client);
        let wakes = if server.has_wakes() { server.take_wakes() } else { Vec::new() };
        send_wakes(mailboxes, wakes);
        let consumed =
            if is_known_now && done == count { batch.settle_anew() } else { batch.settle(done) };
        connection.consume(consumed);
        if done > 0 {
            connection.times.completed();
        }
        if connection.output.len() > most {
            return Served::Beyond;
        }
        if (count == 0 && !is_known_now) || done < count || connection.is_stopped() {
            break;
        }
        if connection.input.is_empty() {
            break;
        }
    }
    if connection.input.len() > bounds.query_max { Served::Beyond } else { Served::Well }
}
