//! A worker: one thread, one event loop, its share of the connections.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token, Waker};
use rustls::ServerConfig;
use slab::Slab;
use tracing::{debug, info, warn};

use super::accept::{self, Port, Service};
use super::connection::{Connection, Reading};
use super::dialect::Dialect;
use super::limits::Bounds;
use super::serve::{Served, serve};
use super::sharing::{Overseer, Sharing};
use super::transport::Transport;
use crate::auth;
use crate::client::Place;
use crate::notices;
use crate::server::{Shared, unix_millis};

/// The event of being woken.
pub(super) const WAKE: Token = Token(usize::MAX);
/// Listeners' events count down from here.
const LISTENERS: usize = usize::MAX - 1;
/// Events taken at once.
const EVENTS: usize = 256;
/// How often the first worker looks for what has expired.
const BEAT: Duration = Duration::from_millis(10);
/// How often a worker looks at the limits of its connections.
const SWEEP: Duration = Duration::from_millis(100);
/// After so long without an event nobody asks at present: what has expired need not wait for the beat.
const QUIET: Duration = Duration::from_millis(1);
/// Entries removed at a beat while the lock is held.
const EXPIRED_AT_ONCE: usize = 512;
/// Steps taken while the lock is held, and at a beat, of what deadlines that come near will need.
const PREPARED_AT_ONCE: usize = 1_024;
const PREPARED: usize = 8 * PREPARED_AT_ONCE;
/// Hashes from which expired fields are removed at a beat while the lock is held.
const HASHES_AT_ONCE: usize = 32;
/// Time that a beat may spend on what has expired.
const EXPIRY_BUDGET: Duration = Duration::from_millis(3);
/// Bytes asked of a socket at once, if no more are known to come.
const READ_AT_ONCE: usize = 16 << 10;
/// Reads of one connection before others get their turn.
const READS_AT_ONCE: usize = 16;

/// What workers send each other.
pub(super) enum Letter {
    /// A new connection for this worker.
    Accepted(Accepted),
    /// A connection that was another worker's.
    Moved(Box<Connection>),
    /// A connection of this worker has something to write.
    Look(usize),
}

/// A connection that has just come.
pub(super) struct Accepted {
    stream: TcpStream,
    peer: SocketAddr,
    service: Service,
    ticket: usize,
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

/// What a worker is made of.
pub(super) struct Parts {
    pub(super) number: usize,
    pub(super) poll: Poll,
    pub(super) ports: Vec<Port>,
    pub(super) tls: Option<Arc<ServerConfig>>,
    pub(super) shared: Arc<Shared>,
    pub(super) mailboxes: Arc<[Mailbox]>,
    pub(super) sharing: Arc<Sharing>,
}

/// See the module's head.
pub(super) struct Worker {
    number: usize,
    poll: Poll,
    ports: Vec<Port>,
    tls: Option<Arc<ServerConfig>>,
    connections: Slab<Connection>,
    shared: Arc<Shared>,
    mailboxes: Arc<[Mailbox]>,
    sharing: Arc<Sharing>,
    overseer: Overseer,
    bounds: Bounds,
    /// The ticket of the next connection that is accepted.
    next: usize,
    /// When the events at hand came.
    now: Instant,
    /// Whether there is more that has expired than a beat had time for.
    is_behind: bool,
    /// Whether the latest wait was for nothing.
    is_quiet: bool,
    /// Connections that may have more to read.
    unread: Vec<usize>,
    /// What is read goes through it.
    scratch: Box<[u8]>,
}

impl Worker {
    pub(super) fn new(parts: Parts) -> io::Result<Worker> {
        let Parts { number, poll, mut ports, tls, shared, mailboxes, sharing } = parts;
        for (at, port) in ports.iter_mut().enumerate() {
            let token = Token(LISTENERS - at);
            poll.registry().register(&mut port.listener, token, Interest::READABLE)?;
        }
        let bounds = Bounds::new(&shared.lock().settings);
        let now = Instant::now();
        let overseer = Overseer::new(&sharing, now);
        Ok(Worker {
            number,
            poll,
            ports,
            tls,
            connections: Slab::new(),
            shared,
            mailboxes,
            sharing,
            overseer,
            bounds,
            next: 0,
            now,
            is_behind: false,
            is_quiet: false,
            unread: Vec::new(),
            scratch: vec![0; READ_AT_ONCE].into(),
        })
    }

    pub(super) fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS);
        let (mut last_beat, mut last_sweep) = (self.now, self.now);
        loop {
            match self.poll.poll(&mut events, self.timeout()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            }
            self.now = Instant::now();
            self.is_quiet = events.is_empty() && self.is_at_rest();
            for event in &events {
                if event.token() == WAKE {
                    if self.read_letters() {
                        self.end();
                        return Ok(());
                    }
                } else {
                    self.take_event(event);
                }
            }
            for token in std::mem::take(&mut self.unread) {
                self.receive(token, true);
            }
            self.accept();
            let is_due = self.now.duration_since(last_beat) >= BEAT;
            if self.number == 0 && (is_due || (self.is_behind && self.is_quiet)) {
                last_beat = self.now;
                self.is_behind = !self.expire();
            }
            if self.now.duration_since(last_sweep) >= SWEEP {
                last_sweep = self.now;
                self.sweep();
                self.share();
            }
            if self.sharing.is_possible() {
                self.sharing.count(self.number, self.now.elapsed());
            }
        }
    }

    /// Whether nothing is left to be read or accepted.
    fn is_at_rest(&self) -> bool {
        self.unread.is_empty() && !self.ports.iter().any(Port::has_more)
    }

    /// How long to wait for events.
    fn timeout(&self) -> Option<Duration> {
        if !self.is_at_rest() {
            Some(Duration::ZERO)
        } else if self.is_behind {
            // Nobody asked while the last of it was removed, either: the rest follows at once. Where
            // others serve too it is not known here whether anybody asks.
            let is_alone = self.mailboxes.len() == 1;
            Some(if self.is_quiet && is_alone { Duration::ZERO } else { QUIET })
        } else if self.number == 0 {
            Some(BEAT)
        } else {
            (!self.connections.is_empty()).then_some(SWEEP)
        }
    }

    fn take_event(&mut self, event: &Event) {
        let Token(token) = event.token();
        if token > LISTENERS - self.ports.len() {
            return self.ports[LISTENERS - token].knocked();
        }
        if event.is_writable() {
            self.flush(token);
        }
        if event.is_readable() || event.is_read_closed() || event.is_error() {
            self.receive(token, event.is_read_closed());
        }
    }

    /// Whether the server is to end.
    fn read_letters(&mut self) -> bool {
        for letter in self.mailboxes[self.number].take() {
            match letter {
                Letter::Accepted(accepted) => self.take_over(accepted),
                Letter::Moved(connection) => self.take_in(*connection),
                Letter::Look(token) => self.look(token),
            }
        }
        self.shared.lock().is_ending
    }

    fn accept(&mut self) {
        for at in 0..self.ports.len() {
            if !self.ports[at].has_more() {
                continue;
            }
            let service = self.ports[at].service;
            for (stream, peer) in self.ports[at].accept() {
                let accepted = Accepted { stream, peer, service, ticket: self.next };
                let to = self.sharing.worker_of(self.next);
                self.next += 1;
                if to == self.number {
                    self.take_over(accepted);
                } else {
                    self.mailboxes[to].send(Letter::Accepted(accepted));
                }
            }
        }
    }

    fn take_over(&mut self, accepted: Accepted) {
        let Accepted { mut stream, peer, service, ticket } = accepted;
        // A reply must not wait for the acknowledgement of the one before.
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%error, "TCP_NODELAY was refused");
        }
        if let Err(error) = accept::keep_alive(&stream, self.bounds.keepalive) {
            debug!(%error, "keepalive was refused");
        }
        let local = stream.local_addr().map_or_else(|_| String::new(), |it| it.to_string());
        let entry = self.connections.vacant_entry();
        let token = entry.key();
        let place = Place { worker: self.number, connection: token };
        let mut server = self.shared.lock();
        if let Some(refusal) = server.turn_away(peer.ip(), service != Service::Memcached) {
            drop(server);
            let told = match service {
                Service::Redis => refusal,
                Service::Memcached => Dialect::Memcached.refused(refusal),
                // Nothing is said before the handshake.
                Service::RedisTls => return,
            };
            // Whether it arrives or not, the connection ends.
            let _ = io::Write::write(&mut stream, told);
            return;
        }
        let seat = server.seat(place, peer.to_string(), local);
        let is_stranger = server.client(seat).is_none_or(|it| auth::is_stranger(&server, it));
        drop(server);
        let transport = match (service, &self.tls) {
            (Service::RedisTls, Some(config)) => Transport::tls(stream, config.clone()),
            _ => Ok(Transport::Plain(stream)),
        };
        let registered = transport.and_then(|mut transport| {
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(transport.source(), Token(token), interest)?;
            Ok(transport)
        });
        match registered {
            Ok(transport) => {
                let dialect = service.dialect();
                let connection =
                    Connection::new(transport, seat, ticket, dialect, is_stranger, self.now);
                entry.insert(connection);
            }
            Err(error) => {
                warn!(%error, "a connection was not registered");
                self.shared.lock().unseat(seat);
            }
        }
    }

    /// Sends connections to the workers that they are to be with now; those that wait for something
    /// are told of it here, and go later.
    fn share(&mut self) {
        if !self.sharing.is_possible() {
            return;
        }
        if self.number == 0 && self.overseer.is_due(self.now) {
            let mut server = self.shared.lock();
            let commands = server.counters.commands;
            server.serving = self.overseer.decide(&self.sharing, commands, self.now);
        }
        let others = self.connections.iter().filter_map(|(token, connection)| {
            let to = self.sharing.worker_of(connection.ticket);
            (to != self.number && !connection.is_stopped()).then_some((token, to))
        });
        for (token, to) in others.collect::<Vec<_>>() {
            let mut connection = self.connections.remove(token);
            if let Err(error) = self.poll.registry().deregister(connection.transport.source()) {
                debug!(%error, "a connection was not registered");
            }
            self.mailboxes[to].send(Letter::Moved(Box::new(connection)));
        }
    }

    /// Goes on with a connection that was another worker's.
    fn take_in(&mut self, mut connection: Connection) {
        let entry = self.connections.vacant_entry();
        let token = entry.key();
        let source = connection.transport.source();
        let interest = Interest::READABLE | Interest::WRITABLE;
        if let Err(error) = self.poll.registry().register(source, Token(token), interest) {
            warn!(%error, "a connection was not registered");
            connection.discount(&self.shared.buffers);
            self.shared.lock().unseat(connection.seat);
            return;
        }
        self.shared
            .lock()
            .move_client(connection.seat, Place { worker: self.number, connection: token });
        entry.insert(connection);
        // What has come meanwhile, from others or from the peer, was told to nobody.
        self.look(token);
        self.receive(token, true);
    }

    /// Reads what has come, runs it, and writes the answers.
    ///
    /// The peer's end is no event of its own where it comes with the last bytes: after a read that has
    /// emptied the socket it is looked for.
    fn receive(&mut self, token: usize, is_ended: bool) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        for turn in 0.. {
            if connection.is_stopped() {
                break;
            }
            if turn == READS_AT_ONCE {
                self.unread.push(token);
                break;
            }
            let reading = match connection.read(&mut self.scratch) {
                Ok(reading) => reading,
                Err(error) => {
                    debug!(%error, "a connection was lost");
                    Reading::Ended
                }
            };
            if reading == Reading::Ended {
                // Whoever has only ended its own side still gets what it has asked for.
                self.flush(token);
                return self.close(token);
            }
            if reading != Reading::Nothing {
                connection.times.active = self.now;
            }
            if serve(&self.shared, &self.mailboxes, connection, &self.bounds) == Served::Beyond {
                return self.cut(token, "more waits for it than is allowed");
            }
            if reading == Reading::Nothing || (reading == Reading::Dry && !is_ended) {
                break;
            }
        }
        self.flush(token);
    }

    /// Somebody else has something for the connection.
    fn look(&mut self, token: usize) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        if connection.hold.is_some() {
            return;
        }
        let has_waited = std::mem::take(&mut connection.is_waiting);
        let was_ending = connection.is_ending;
        if serve(&self.shared, &self.mailboxes, connection, &self.bounds) == Served::Beyond {
            return self.cut(token, "more waits for it than is allowed");
        }
        if connection.is_ending && !was_ending {
            // It was closed by another: what its socket does not take at once is lost.
            if let Err(error) = connection.write() {
                debug!(%error, "a connection was lost");
            }
            return self.close(token);
        }
        if has_waited && !connection.is_waiting {
            // What came while it waited has not been read, and will not be told of again.
            return self.receive(token, true);
        }
        self.flush(token);
    }

    fn flush(&mut self, token: usize) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        if connection.hold.is_some() {
            return;
        }
        if let Err(error) = connection.write() {
            debug!(%error, "a connection was lost");
            return self.close(token);
        }
        connection.count(&self.shared.buffers);
        if connection.is_ending && connection.is_flushed() {
            self.close(token);
        }
    }

    /// Closes a connection that has gone beyond a limit.
    fn cut(&mut self, token: usize, why: &'static str) {
        if let Some(connection) = self.connections.get(token) {
            let client = self.shared.lock().client(connection.seat).map(|it| it.address.clone());
            info!(client, why, "a connection was closed");
        }
        self.close(token);
    }

    fn close(&mut self, token: usize) {
        let Some(mut connection) = self.connections.try_remove(token) else { return };
        if let Err(error) = self.poll.registry().deregister(connection.transport.source()) {
            debug!(%error, "a connection was not registered");
        }
        connection.discount(&self.shared.buffers);
        self.shared.lock().unseat(connection.seat);
    }

    /// Looks at the limits of all connections, ends what was held, and tries stalled listeners again.
    fn sweep(&mut self) {
        self.bounds = Bounds::new(&self.shared.lock().settings);
        self.ports.iter_mut().for_each(Port::retry);
        let time = unix_millis();
        let (mut freed, mut beyond) = (Vec::new(), Vec::new());
        for (token, connection) in &mut self.connections {
            if connection.hold.is_some_and(|until| until <= time) {
                connection.hold = None;
                freed.push(token);
            }
            let state = connection.state();
            if let Some(why) = connection.times.verdict(state, &self.bounds, self.now) {
                beyond.push((token, why));
            }
        }
        for token in freed {
            self.look(token);
            self.receive(token, true);
        }
        for (token, why) in beyond {
            self.cut(token, why);
        }
    }

    /// Writes what is answered, as far as the sockets take it.
    fn end(&mut self) {
        for (_, connection) in &mut self.connections {
            if let Err(error) = connection.write() {
                debug!(%error, "a connection was lost");
            }
        }
    }

    /// Removes what has expired, in short holds of the lock; whether all of it.
    fn expire(&mut self) -> bool {
        let begin = Instant::now();
        let mut steps = 0;
        loop {
            let mut server = self.shared.lock();
            let now = server.now;
            server.flush_when_due();
            server.keyspace.expire(now, EXPIRED_AT_ONCE);
            let is_due = server.keyspace.is_due(now);
            let prepared =
                if is_due { 0 } else { server.keyspace.prepare_deadlines(now, PREPARED_AT_ONCE) };
            steps += prepared;
            let hashes = server.keyspace.expire_fields(now, HASHES_AT_ONCE);
            if server.keyspace.has_changes() {
                notices::tell(&mut server, None);
            }
            server.beat();
            let wakes = if server.has_wakes() { server.take_wakes() } else { Vec::new() };
            drop(server);
            send_wakes(&self.mailboxes, wakes);
            // Pages, metrics and snapshots wait for the lock too.
            std::thread::yield_now();
            let is_done = !is_due && hashes < HASHES_AT_ONCE;
            if is_done && prepared == PREPARED_AT_ONCE && steps < PREPARED {
                continue;
            }
            if is_done || begin.elapsed() > EXPIRY_BUDGET {
                return is_done;
            }
        }
    }
}

/// Has the workers look at connections for which others have something.
pub(super) fn send_wakes(mailboxes: &[Mailbox], wakes: Vec<Place>) {
    for place in wakes {
        mailboxes[place.worker].send(Letter::Look(place.connection));
    }
}
