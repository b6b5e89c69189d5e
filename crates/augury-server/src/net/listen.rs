//! From settings to a server that runs: addresses, workers, and the way to end it.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use mio::net::TcpListener;
use mio::{Poll, Waker};
use rustls::ServerConfig;

use super::accept::{Port, Service};
use super::sharing::Sharing;
use super::tls;
use super::worker::{Letter, Mailbox, Parts, WAKE, Worker};
use crate::config::Settings;
use crate::server::{Server, Shared};

/// A server whose ports are open and that does not answer yet.
pub struct Listening {
    ports: Vec<Port>,
    tls: Option<Arc<ServerConfig>>,
    shared: Arc<Shared>,
    threads: usize,
}

/// A server that runs.
pub struct Running {
    addresses: Vec<(&'static str, SocketAddr)>,
    shared: Arc<Shared>,
    mailboxes: Arc<[Mailbox]>,
    workers: Vec<JoinHandle<io::Result<()>>>,
}

/// Opens the ports that the settings name.
///
/// # Errors
/// An address cannot be listened on, or a file of TLS or of users cannot be used.
pub fn listen(settings: Settings) -> io::Result<Listening> {
    let invalid = |text: String| io::Error::new(io::ErrorKind::InvalidInput, text);
    let tls_settings = settings.tls().map_err(invalid)?;
    let tls = tls_settings.as_ref().map(tls::acceptor).transpose()?;
    let mut wanted = vec![(settings.port, Service::Redis)];
    wanted.extend(tls_settings.as_ref().map(|it| (it.port, Service::RedisTls)));
    wanted.extend(settings.memcached_port.map(|port| (port, Service::Memcached)));
    let mut ports = Vec::new();
    for (port, service) in wanted {
        for &ip in &settings.bind {
            let address = SocketAddr::new(ip, port);
            let listener = TcpListener::bind(address).map_err(|error| {
                io::Error::new(error.kind(), format!("cannot listen on {address}: {error}"))
            })?;
            ports.push(Port::new(listener, service));
        }
    }
    let threads = settings.threads.max(1);
    let users = settings.users.clone();
    let mut server = Server::new(settings);
    server.acl.load().map_err(invalid)?;
    server.acl.add_lines(&users).map_err(invalid)?;
    server.keyspace.count_prefixes(server.acl.prefixes());
    Ok(Listening { ports, tls, shared: Arc::new(Shared::new(server)), threads })
}

/// The way to connections for whoever is no worker.
#[derive(Clone)]
pub struct Post(Arc<[Mailbox]>);

impl Post {
    /// Lets the workers look at the connections that were woken.
    pub fn deliver(&self, shared: &Shared) {
        let wakes = shared.lock().take_wakes();
        for place in wakes {
            self.0[place.worker].send(Letter::Look(place.connection));
        }
    }
}

impl Listening {
    /// What the connections will share.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Starts the workers.
    ///
    /// # Errors
    /// The system has no event queue or thread left.
    pub fn start(self) -> io::Result<Running> {
        let address = |port: &Port| port.listener.local_addr().map(|it| (port.service.name(), it));
        let addresses = self.ports.iter().map(address).collect::<io::Result<_>>()?;
        let mut polls = Vec::new();
        let mut mailboxes = Vec::new();
        for _ in 0..self.threads {
            let poll = Poll::new()?;
            let waker = Waker::new(poll.registry(), WAKE)?;
            mailboxes.push(Mailbox { waker, letters: Mutex::default() });
            polls.push(poll);
        }
        let mailboxes: Arc<[Mailbox]> = mailboxes.into();
        let sharing = Arc::new(Sharing::new(self.threads));
        let mut ports = Some(self.ports);
        let mut workers = Vec::new();
        for (number, poll) in polls.into_iter().enumerate() {
            let (shared, mailboxes) = (self.shared.clone(), mailboxes.clone());
            let sharing = sharing.clone();
            // The first worker accepts for all.
            let ports = ports.take().unwrap_or_default();
            let tls = self.tls.clone();
            let parts = Parts { number, poll, ports, tls, shared, mailboxes, sharing };
            let worker = Worker::new(parts)?;
            let thread = std::thread::Builder::new().name(format!("augury-{number}"));
            workers.push(thread.spawn(move || worker.run())?);
        }
        Ok(Running { addresses, shared: self.shared, mailboxes, workers })
    }
}

impl Running {
    /// The addresses that it listens on, and what is spoken there.
    pub fn addresses(&self) -> &[(&'static str, SocketAddr)] {
        &self.addresses
    }

    /// What the connections share.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// The way to its connections.
    pub fn post(&self) -> Post {
        Post(self.mailboxes.clone())
    }

    /// Whether a worker has ended, as it was asked to or by an error.
    pub fn has_ended(&self) -> bool {
        self.workers.iter().any(JoinHandle::is_finished)
    }

    /// Asks the workers to end, and does not wait.
    pub fn stop(&self) {
        self.shared.lock().is_ending = true;
        for mailbox in self.mailboxes.iter() {
            mailbox.wake();
        }
    }

    /// Waits until the workers have ended.
    ///
    /// # Errors
    /// An event loop has failed.
    pub fn wait(self) -> io::Result<()> {
        for worker in self.workers {
            worker.join().unwrap_or_else(|_| Err(io::Error::other("a worker has panicked")))?;
        }
        Ok(())
    }
}
