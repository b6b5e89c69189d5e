//! The thread that asks the upstream: orders in, answers out, a bounded number at a time.
//!
//! It knows nothing of clients. Every load keeps its own time, from when it was ordered; what has come
//! is given to [`settle`] in batches, under one hold of the server's lock.

mod http;
mod lifetime;
mod redis;

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use tokio::sync::{Semaphore, mpsc, oneshot};
use tracing::error;

use super::Order;
use super::arriving::{Arrival, Brought, settle};
use super::failure::Failure;
use crate::config::{self, Settings, Tongue};
use crate::net::Post;
use crate::server::Shared;

/// Answers taken over under one hold of the lock.
const ARRIVALS_AT_ONCE: usize = 64;
/// Loads that share a connection to Redis at a time.
const LOADS_PER_CONNECTION: usize = 64;

/// Where loads are ordered.
pub type Outlet = mpsc::UnboundedSender<Order>;

/// Orders that wait for the thread. Their number is bounded where they are made: `upstream-loads`.
pub struct Orders(mpsc::UnboundedReceiver<Order>);

/// The way from those who order to the thread.
pub fn channel() -> (Outlet, Orders) {
    let (outlet, orders) = mpsc::unbounded_channel();
    (outlet, Orders(orders))
}

/// An upstream that can be asked.
enum Origin {
    Redis(Box<redis::Redis>),
    Http(http::Http),
}

/// What the loads share.
struct Desk {
    origin: Origin,
    name: String,
    permits: Semaphore,
    arrivals: mpsc::UnboundedSender<Arrival>,
}

/// The thread.
pub struct Loader {
    thread: JoinHandle<()>,
    stop: oneshot::Sender<()>,
}

impl Loader {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system has no thread left, or a file of certificates cannot be used.
    pub fn start(
        upstream: &config::Upstream,
        settings: &Settings,
        orders: Orders,
        shared: Arc<Shared>,
        post: Post,
    ) -> io::Result<Loader> {
        // Both clients take the process's own; where there is one already it is this one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let connections = settings.upstream_connections;
        let (origin, permits) = match upstream.tongue {
            Tongue::Redis => {
                let origin = redis::Redis::new(upstream, settings)?;
                (Origin::Redis(Box::new(origin)), connections * LOADS_PER_CONNECTION)
            }
            Tongue::Http => (Origin::Http(http::Http::new(upstream, settings)?), connections),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let (sender, arrivals) = mpsc::unbounded_channel();
        let permits = Semaphore::new(permits);
        let desk = Arc::new(Desk { origin, name: upstream.shown(), permits, arrivals: sender });
        let thread = std::thread::Builder::new().name("augury-upstream".to_owned());
        let thread = thread.spawn(move || {
            runtime.block_on(async move {
                tokio::spawn(take(orders, desk));
                tokio::spawn(hand_over(arrivals, shared, post));
                // Its sender is dropped, or used: either way it is time to stop.
                let _ = stopped.await;
            });
            // A name that is being looked up does not hold the end back.
            runtime.shutdown_background();
        })?;
        Ok(Loader { thread, stop })
    }

    /// Ends: loads under way are dropped.
    pub fn end(self) {
        // Where the thread has ended already there is nobody to tell.
        let _ = self.stop.send(());
        if self.thread.join().is_err() {
            error!("the thread that asks the upstream has panicked");
        }
    }
}

async fn take(mut orders: Orders, desk: Arc<Desk>) {
    while let Some(order) = orders.0.recv().await {
        tokio::spawn(load(order, desk.clone()));
    }
}

/// Makes one load.
async fn load(order: Order, desk: Arc<Desk>) {
    let begin = Instant::now();
    let until = tokio::time::Instant::from_std(order.until);
    let answer = tokio::time::timeout_at(until, async {
        // The semaphore is never closed.
        let _permit = desk.permits.acquire().await;
        desk.origin.load(&order.key, order.prefers_hash).await
    });
    let brought = match answer.await {
        Ok(brought) => brought,
        Err(_) => Err(Failure::timeout(&desk.name, order.timeout)),
    };
    let took = begin.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
    // Where nobody takes it over the server ends.
    let _ = desk.arrivals.send(Arrival { id: order.id, brought, took });
}

async fn hand_over(
    mut arrivals: mpsc::UnboundedReceiver<Arrival>,
    shared: Arc<Shared>,
    post: Post,
) {
    let mut some = Vec::new();
    while arrivals.recv_many(&mut some, ARRIVALS_AT_ONCE).await > 0 {
        settle(&mut shared.lock(), some.drain(..));
        post.deliver(&shared);
    }
}

impl Origin {
    async fn load(&self, key: &[u8], prefers_hash: bool) -> Result<Brought, Failure> {
        match self {
            Origin::Redis(redis) => redis.load(key, prefers_hash).await,
            Origin::Http(http) => http.load(key).await,
        }
    }
}
