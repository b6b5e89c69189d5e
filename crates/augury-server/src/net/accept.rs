//! Accepting connections: no more than there are descriptors and seats for, and in their turn.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use mio::net::{TcpListener, TcpStream};
use rustix::net::sockopt;
use tracing::warn;

use super::dialect::Dialect;

/// Connections accepted of one listener before others get their turn.
const AT_ONCE: usize = 256;

/// What a listener's connections speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    /// Redis's protocol.
    Redis,
    /// Redis's protocol through TLS.
    RedisTls,
    /// memcached's protocol.
    Memcached,
}

impl Service {
    /// Its name, as the server says when it is ready.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Service::Redis => "redis",
            Service::RedisTls => "tls",
            Service::Memcached => "memcached",
        }
    }

    /// The protocol.
    pub(super) const fn dialect(self) -> Dialect {
        match self {
            Service::Redis | Service::RedisTls => Dialect::Redis,
            Service::Memcached => Dialect::Memcached,
        }
    }
}

/// A listener, and whether connections wait in it.
pub(super) struct Port {
    pub(super) listener: TcpListener,
    pub(super) service: Service,
    waiting: Waiting,
}

/// What is known of a listener's queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waiting {
    /// It was empty; the event loop tells when it no longer is.
    Empty,
    /// It may hold more.
    More,
    /// The system has nothing left for a connection: to be tried again after a while.
    Stalled,
}

impl Port {
    pub(super) fn new(listener: TcpListener, service: Service) -> Port {
        Port { listener, service, waiting: Waiting::Empty }
    }

    /// The event loop says that connections have come.
    pub(super) fn knocked(&mut self) {
        if self.waiting == Waiting::Empty {
            self.waiting = Waiting::More;
        }
    }

    /// Some time has passed: what has stalled is tried again.
    pub(super) fn retry(&mut self) {
        if self.waiting == Waiting::Stalled {
            self.waiting = Waiting::More;
        }
    }

    /// Whether [`Port::accept`] has something to do now.
    pub(super) fn has_more(&self) -> bool {
        self.waiting == Waiting::More
    }

    /// Up to [`AT_ONCE`] connections. Where the system's descriptors are used up (EMFILE, ENFILE) the
    /// rest waits in the listener's queue, and the loop does not spin.
    pub(super) fn accept(&mut self) -> Vec<(TcpStream, SocketAddr)> {
        let accepted = std::iter::from_fn(|| self.accept_one()).take(AT_ONCE);
        accepted.collect()
    }

    fn accept_one(&mut self) -> Option<(TcpStream, SocketAddr)> {
        loop {
            match self.listener.accept() {
                Ok(accepted) => return Some(accepted),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.waiting = Waiting::Empty;
                    return None;
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    warn!(%error, "no connection can be accepted at present: the others wait");
                    self.waiting = Waiting::Stalled;
                    return None;
                }
            }
        }
    }
}

/// Has the system ask a silent peer whether it is there, three times a third of the time apart, as
/// Redis does: a peer that has vanished gives its seat back.
pub(super) fn keep_alive(stream: &TcpStream, after: Option<Duration>) -> io::Result<()> {
    let Some(after) = after else { return Ok(()) };
    let between = (after / 3).max(Duration::from_secs(1));
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, after)?;
    sockopt::set_tcp_keepintvl(stream, between)?;
    sockopt::set_tcp_keepcnt(stream, 3)?;
    Ok(())
}

/// Whether the error concerns a connection that has gone, and not those behind it (accept(2)).
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::ConnectionAborted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_peer_is_asked_where_that_is_wanted() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it listens");
        for wanted in [None, Some(Duration::from_secs(300))] {
            let stream = TcpStream::connect(address).expect("somebody listens");
            keep_alive(&stream, wanted).expect("the socket is open");
            assert_eq!(Ok(wanted.is_some()), sockopt::socket_keepalive(&stream));
            if let Some(after) = wanted {
                assert_eq!(Ok(after), sockopt::tcp_keepidle(&stream));
                assert_eq!(Ok(after / 3), sockopt::tcp_keepintvl(&stream));
            }
        }
    }
}
