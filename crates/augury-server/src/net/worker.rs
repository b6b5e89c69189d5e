//! A worker: one thread, one event loop, its share of the connections.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};
use slab::Slab;
use tracing::{debug, warn};

use super::connection::{Connection, Reading};
use crate::client::Place;
use crate::commands::dispatch::{self, Outcome};
use crate::resp::{Limits, Reply};
use crate::server::Shared;

/// The event of being woken.
pub(super) const WAKE: Token = Token(usize::MAX);
/// Listeners' events count down from here.
const LISTENERS: usize = usize::MAX - 1;
/// Events taken at once.
const EVENTS: usize = 256;
/// How often the first worker looks for what has expired.
const BEAT: Duration = Duration::from_millis(10);
/// Entries removed at a beat while the lock is held.
const EXPIRED_AT_ONCE: usize = 512;
/// Time that a beat may spend on what has expired.
const EXPIRY_BUDGET: Duration = Duration::from_millis(3);

/// What workers send each other.
pub(super) enum Letter {
    /// A new connection for this worker.
    Accepted(TcpStream, SocketAddr),
    /// A connection of this worker has something to write.
    Look(usize),
}

/// Where a worker finds its letters.
pub(super) struct Mailbox {
    pub(super) waker: Waker,
    pub(super) letters: Mutex<Vec<Letter>>,
}

impl Mailbox {
    pub(super) fn send(&self, letter: Letter) {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner).push(letter);
        self.wake();
    }

    pub(super) fn wake(&self) {
        if let Err(error) = self.waker.wake() {
            warn!(%error, "a worker cannot be woken");
        }
    }

    fn take(&self) -> Vec<Letter> {
        std::mem::take(&mut *self.letters.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// See the module's head.
pub(super) struct Worker {
    number: usize,
    poll: Poll,
    listeners: Vec<TcpListener>,
    connections: Slab<Connection>,
    shared: Arc<Shared>,
    mailboxes: Arc<[Mailbox]>,
    limits: Limits,
    /// The worker that the next connection goes to.
    next: usize,
}

impl Worker {
    pub(super) fn new(
        number: usize,
        poll: Poll,
        mut listeners: Vec<TcpListener>,
        shared: Arc<Shared>,
        mailboxes: Arc<[Mailbox]>,
    ) -> io::Result<Worker> {
        for (at, listener) in listeners.iter_mut().enumerate() {
            poll.registry().register(listener, Token(LISTENERS - at), Interest::READABLE)?;
        }
        let limits = Limits { arguments: 1 << 20, bulk: shared.lock().settings.bulk_max };
        let connections = Slab::new();
        Ok(Worker { number, poll, listeners, connections, shared, mailboxes, limits, next: 0 })
    }

    pub(super) fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS);
        let mut last_beat = Instant::now();
        loop {
            let timeout = (self.number == 0).then_some(BEAT);
            match self.poll.poll(&mut events, timeout) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            }
            for event in &events {
                match event.token() {
                    WAKE => {
                        if self.read_letters() {
                            self.end();
                            return Ok(());
                        }
                    }
                    Token(token) if token > LISTENERS - self.listeners.len() => {
                        self.accept(LISTENERS - token);
                    }
                    Token(token) => {
                        if event.is_writable() {
                            self.flush(token);
                        }
                        if event.is_readable() || event.is_read_closed() || event.is_error() {
                            self.receive(token);
                        }
                    }
                }
            }
            if self.number == 0 && last_beat.elapsed() >= BEAT {
                last_beat = Instant::now();
                self.expire();
            }
        }
    }

    /// Whether the server is to end.
    fn read_letters(&mut self) -> bool {
        for letter in self.mailboxes[self.number].take() {
            match letter {
                Letter::Accepted(stream, peer) => self.take_over(stream, peer),
                Letter::Look(token) => self.look(token),
            }
        }
        self.shared.lock().is_ending
    }

    fn accept(&mut self, at: usize) {
        loop {
            match self.listeners[at].accept() {
                Ok((stream, peer)) => {
                    let to = self.next % self.mailboxes.len();
                    self.next += 1;
                    if to == self.number {
                        self.take_over(stream, peer);
                    } else {
                        self.mailboxes[to].send(Letter::Accepted(stream, peer));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    warn!(%error, "a connection was not accepted");
                    return;
                }
            }
        }
    }

    fn take_over(&mut self, mut stream: TcpStream, peer: SocketAddr) {
        // A reply must not wait for the acknowledgement of the one before.
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%error, "TCP_NODELAY was refused");
        }
        let local = stream.local_addr().map_or_else(|_| String::new(), |it| it.to_string());
        let entry = self.connections.vacant_entry();
        let token = entry.key();
        let seat = {
            let mut server = self.shared.lock();
            if server.client_count() >= server.settings.clients_max {
                server.counters.rejected += 1;
                drop(server);
                let refusal = b"-ERR max number of clients reached\r\n";
                // Whether it arrives or not, the connection ends.
                let _ = io::Write::write(&mut stream, refusal);
                return;
            }
            let place = Place { worker: self.number, connection: token };
            server.seat(place, peer.to_string(), local)
        };
        let interest = Interest::READABLE | Interest::WRITABLE;
        if let Err(error) = self.poll.registry().register(&mut stream, Token(token), interest) {
            warn!(%error, "a connection was not registered");
            self.shared.lock().unseat(seat);
            return;
        }
        entry.insert(Connection::new(stream, seat));
    }

    /// Reads what has come, runs it, and writes the answers.
    fn receive(&mut self, token: usize) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        if connection.is_ending || connection.is_waiting {
            return;
        }
        loop {
            let reading = match connection.read() {
                Ok(reading) => reading,
                Err(error) => {
                    debug!(%error, "a connection was lost");
                    Reading::Ended
                }
            };
            if reading == Reading::Ended {
                return self.close(token);
            }
            serve(&self.shared, &self.mailboxes, self.number, connection, self.limits);
            if connection.is_waiting || connection.is_ending || reading == Reading::Dry {
                break;
            }
        }
        self.flush(token);
    }

    /// Somebody else has something for the connection.
    fn look(&mut self, token: usize) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        connection.is_waiting = false;
        serve(&self.shared, &self.mailboxes, self.number, connection, self.limits);
        self.flush(token);
    }

    fn flush(&mut self, token: usize) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        if let Err(error) = connection.write() {
            debug!(%error, "a connection was lost");
            return self.close(token);
        }
        connection.count(&self.shared.buffers);
        if connection.is_ending && connection.unwritten() == 0 {
            self.close(token);
        }
    }

    fn close(&mut self, token: usize) {
        let Some(mut connection) = self.connections.try_remove(token) else { return };
        if let Err(error) = self.poll.registry().deregister(&mut connection.stream) {
            debug!(%error, "a connection was not registered");
        }
        connection.discount(&self.shared.buffers);
        self.shared.lock().unseat(connection.seat);
    }

    /// Writes what is answered, as far as the sockets take it.
    fn end(&mut self) {
        for (_, connection) in &mut self.connections {
            if let Err(error) = connection.write() {
                debug!(%error, "a connection was lost");
            }
        }
    }

    /// Removes what has expired, in short holds of the lock.
    fn expire(&mut self) {
        let begin = Instant::now();
        loop {
            let mut server = self.shared.lock();
            let now = server.now;
            let count = server.keyspace.expire(now, EXPIRED_AT_ONCE);
            drop(server);
            if count < EXPIRED_AT_ONCE || begin.elapsed() > EXPIRY_BUDGET {
                return;
            }
        }
    }
}

/// Runs the commands that have come on a connection.
fn serve(
    shared: &Shared,
    mailboxes: &[Mailbox],
    number: usize,
    connection: &mut Connection,
    limits: Limits,
) {
    loop {
        connection.batch.fill(&connection.input, limits);
        let count = connection.batch.len();
        let mut server = shared.lock();
        let server = &mut *server;
        let Some(mut client) = server.take_client(connection.seat) else { return };
        connection.output.append(&mut client.outbox);
        client.active = server.now;
        let mut done = 0;
        while done < count && !client.is_closing {
            let arguments = connection.batch.command(done, &connection.input);
            match dispatch::run(server, &mut client, arguments, &mut connection.output) {
                Outcome::Answered => done += 1,
                Outcome::Waiting => {
                    connection.is_waiting = true;
                    break;
                }
            }
        }
        connection.is_ending |= client.is_closing;
        if done == count
            && !connection.is_ending
            && let Some(error) = connection.batch.error()
        {
            let text = format!("ERR {error}");
            Reply::new(&mut connection.output, client.protocol).error(text.as_bytes());
            connection.is_ending = true;
        }
        server.put_client(connection.seat, client);
        let wakes = if server.has_wakes() { server.take_wakes() } else { Vec::new() };
        let is_done = count == 0 || done < count || connection.is_ending;
        for place in wakes {
            if place.worker != number || place.connection != usize::MAX {
                mailboxes[place.worker].send(Letter::Look(place.connection));
            }
        }
        let consumed = connection.batch.settle(done);
        connection.consume(consumed);
        if is_done || connection.input.is_empty() {
            return;
        }
    }
}
