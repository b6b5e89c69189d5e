//! Metrics and health over HTTP, in a thread of its own.

mod metrics;

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus_client::registry::Registry;
use tokio::sync::oneshot;
use tracing::error;

use crate::server::Shared;

/// The text format of OpenMetrics 1.0.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What the pages are made of.
#[derive(Clone)]
struct Pages {
    registry: Arc<Registry>,
    is_ready: Arc<AtomicBool>,
}

/// The thread that answers.
pub(crate) struct Http {
    thread: JoinHandle<()>,
    addresses: Vec<SocketAddr>,
    is_ready: Arc<AtomicBool>,
    stop: oneshot::Sender<()>,
}

impl Http {
    /// Opens the port on these addresses, and answers from now on: not ready.
    ///
    /// # Errors
    /// An address cannot be listened on.
    pub(crate) fn start(bind: &[IpAddr], port: u16, shared: Arc<Shared>) -> io::Result<Http> {
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
        let is_ready = Arc::new(AtomicBool::new(false));
        let registry = Arc::new(metrics::registry(shared));
        let pages = Pages { registry, is_ready: is_ready.clone() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("augury-http".to_owned());
        let thread = thread.spawn(move || {
            runtime.block_on(async move {
                for listener in listeners {
                    let app = app(pages.clone());
                    tokio::spawn(async move {
                        let served = match tokio::net::TcpListener::from_std(listener) {
                            Ok(listener) => axum::serve(listener, app).await,
                            Err(error) => Err(error),
                        };
                        if let Err(error) = served {
                            error!(%error, "metrics are not served any more");
                        }
                    });
                }
                // Its sender is dropped, or used: either way it is time to stop.
                let _ = stopped.await;
            });
        })?;
        Ok(Http { thread, addresses, is_ready, stop })
    }

    /// The addresses that it listens on.
    pub(crate) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Says whether clients are served.
    pub(crate) fn set_ready(&self, is_ready: bool) {
        self.is_ready.store(is_ready, Ordering::Relaxed);
    }

    /// Stops answering.
    pub(crate) fn end(self) {
        // Where the thread has ended already there is nobody to tell.
        let _ = self.stop.send(());
        if self.thread.join().is_err() {
            error!("the thread of metrics has panicked");
        }
    }
}

fn app(pages: Pages) -> Router {
    Router::new()
        .route("/metrics", get(show_metrics))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(show_ready))
        .with_state(pages)
}

async fn show_metrics(State(pages): State<Pages>) -> impl IntoResponse {
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, &pages.registry) {
        Ok(()) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn show_ready(State(pages): State<Pages>) -> impl IntoResponse {
    if pages.is_ready.load(Ordering::Relaxed) {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "clients are not served\n")
    }
}
