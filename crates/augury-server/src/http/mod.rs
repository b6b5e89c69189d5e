//! Metrics, health and the page over HTTP, in a thread of its own.
//!
//! Read in this order: [`bounds`] (connections), this file (paths), [`metrics`], [`page`] (what anything
//! that can be watched is shown by; a program's cache too), [`visitors`] and [`seeing`] (who may see
//! what of the server).

mod bounds;
mod metrics;
pub mod page;
mod seeing;
mod visitors;

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use augury_page::course::Glance;
use augury_page::seen::Seen;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus_client::registry::Registry;
use tokio::sync::{Semaphore, oneshot};
use tracing::error;

use crate::server::Shared;
use page::{Admission, Page, Viewer, Visitor, Watched};

/// The text format of OpenMetrics 1.0.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What probes are answered by.
#[derive(Clone)]
struct Probes {
    registry: Arc<Registry>,
    is_ready: Arc<AtomicBool>,
}

/// The thread that answers.
pub struct Http {
    thread: JoinHandle<()>,
    addresses: Vec<SocketAddr>,
    stop: oneshot::Sender<()>,
}

/// The server's own: what is said of its state.
pub(crate) struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// Says whether clients are served.
    pub(crate) fn set(&self, is_ready: bool) {
        self.0.store(is_ready, Ordering::Relaxed);
    }
}

/// Opens the server's port on these addresses, and answers from now on: not ready.
///
/// # Errors
/// An address cannot be listened on.
pub(crate) fn of_server(
    bind: &[IpAddr],
    port: u16,
    shared: Arc<Shared>,
) -> io::Result<(Http, Readiness)> {
    let is_ready = Arc::new(AtomicBool::new(false));
    let registry = Arc::new(metrics::registry(shared.clone()));
    let probes = Probes { registry, is_ready: is_ready.clone() };
    let page = Page::new(Owner(shared), true);
    let http = Http::start(bind, port, page, probed(probes))?;
    Ok((http, Readiness(is_ready)))
}

impl Http {
    /// Shows a page, and nothing else, on this address from now on.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub fn of_page(address: SocketAddr, page: Arc<Page>) -> io::Result<Http> {
        Http::start(&[address.ip()], address.port(), page, Router::new())
    }

    fn start(bind: &[IpAddr], port: u16, page: Arc<Page>, beside: Router) -> io::Result<Http> {
        let mut listeners = Vec::new();
        for &ip in bind {
            let address = SocketAddr::new(ip, port);
            let listener = TcpListener::bind(address).map_err(|error| {
                io::Error::new(error.kind(), format!("cannot listen on {address}: {error}"))
            })?;
            listener.set_nonblocking(true)?;
            listeners.push(listener);
        }
        let addresses = listeners.iter().map(TcpListener::local_addr).collect::<io::Result<_>>()?;
        let app = beside.merge(page.clone().app());
        let places = Arc::new(Semaphore::new(bounds::CONNECTIONS));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("augury-http".to_owned());
        let thread = thread.spawn(move || {
            runtime.block_on(async move {
                tokio::spawn(page.follow());
                for listener in listeners {
                    let (app, places) = (app.clone(), places.clone());
                    tokio::spawn(async move {
                        match tokio::net::TcpListener::from_std(listener) {
                            Ok(listener) => bounds::serve(listener, app, places).await,
                            Err(error) => error!(%error, "nothing is served over HTTP any more"),
                        }
                    });
                }
                // Its sender is dropped, or used: either way it is time to stop.
                let _ = stopped.await;
            });
        })?;
        Ok(Http { thread, addresses, stop })
    }

    /// The addresses that it listens on.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Stops answering.
    pub fn end(self) {
        // Where the thread has ended already there is nobody to tell.
        let _ = self.stop.send(());
        if self.thread.join().is_err() {
            error!("the thread that answers over HTTP has panicked");
        }
    }
}

/// The server, to be watched.
struct Owner(Arc<Shared>);

impl Watched for Owner {
    fn admit(&self, visitor: &Visitor<'_>) -> (Admission, Duration) {
        visitors::admit(&self.0, visitor)
    }

    fn see(&self, viewer: &Viewer) -> Result<Seen, String> {
        let mut server = self.0.lock();
        let user = viewer.clone().unwrap_or_else(|| server.acl.default_user().clone());
        Ok(seeing::see(&mut server, &user))
    }

    fn glance(&self) -> Option<Glance> {
        Some(seeing::glance(&self.0.lock()))
    }
}

fn probed(probes: Probes) -> Router {
    Router::new()
        .route("/metrics", get(show_metrics))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(show_ready))
        .with_state(probes)
}

async fn show_metrics(State(probes): State<Probes>) -> impl IntoResponse {
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, &probes.registry) {
        Ok(()) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn show_ready(State(probes): State<Probes>) -> impl IntoResponse {
    if probes.is_ready.load(Ordering::Relaxed) {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "clients are not served\n")
    }
}
