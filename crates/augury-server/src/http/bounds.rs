//! Connections over HTTP with limits: how many, how long a head may take, how long one may last.
//!
//! Who sends or reads slowly holds one of a few places, and loses it after a while.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tracing::debug;

/// Connections at a time; others wait in the listener's queue.
pub(super) const CONNECTIONS: usize = 64;
/// How long a head may take, and a connection be quiet.
const HEAD: Duration = Duration::from_secs(5);
/// Bytes of a head.
const HEAD_MAX: usize = 16 << 10;
const HEADERS_MAX: usize = 64;
/// How long a connection may last, and how much longer the last answer may take.
const LIFE: Duration = Duration::from_secs(60);
const GRACE: Duration = Duration::from_secs(10);
/// The pause after the system refused a connection.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves whoever comes, until it is dropped.
pub(super) async fn serve(listener: TcpListener, app: Router, places: Arc<Semaphore>) {
    while let Ok(place) = places.clone().acquire_owned().await {
        match listener.accept().await {
            Ok((stream, from)) => {
                let app = app.clone();
                tokio::spawn(async move {
                    connection(stream, from, app).await;
                    drop(place);
                });
            }
            Err(error) => {
                debug!(%error, "no connection for HTTP");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, from: SocketAddr, app: Router) {
    let service = TowerToHyperService::new(app.layer(Extension(ConnectInfo(from))));
    let mut served = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD)
            .max_headers(HEADERS_MAX)
            .max_buf_size(HEAD_MAX)
            .serve_connection(TokioIo::new(stream), service)
    );
    tokio::select! {
        // Whatever it ended by, nobody is left to be told.
        _ = served.as_mut() => return,
        () = tokio::time::sleep(LIFE) => served.as_mut().graceful_shutdown(),
    }
    let _ = tokio::time::timeout(GRACE, served).await;
}
