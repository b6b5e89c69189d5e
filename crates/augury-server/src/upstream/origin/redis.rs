//! Redis and Valkey as an upstream, one server or a cluster: a value and its time to live in one round
//! trip, over a few connections that many loads share.
//!
//! Of a server that says it is part of a cluster only the first connection is kept, and it knows
//! the others: redirections and changes of the topology are the client library's.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::{
    AsyncConnectionConfig, Client, IntoConnectionInfo, RedisError, RedisResult, TlsCertificates,
};
use tokio::sync::Mutex;

use super::super::DB;
use super::super::arriving::{Brought, Lifetime};
use super::super::failure::Failure;
use crate::config::{Settings, Upstream};
use crate::object::Object;
use crate::object::hash::Hash;

/// Every load keeps its own time; this is for what nobody waits for any more.
const LONGEST: Duration = Duration::from_secs(600);
/// PTTL of a key without an end, and of one that is not there.
const NO_END: i64 = -1;

/// Fields of a hash with their values, as HGETALL answers.
type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// A connection that loads share.
#[derive(Clone)]
enum Line {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

/// The place of a connection.
#[derive(Default)]
struct Slot {
    line: Mutex<Option<(u64, Line)>>,
    /// Number of the connection in it that is not to be used any more.
    lost: AtomicU64,
}

/// See the module's head.
pub(super) struct Redis {
    name: String,
    client: Client,
    ca: Option<Vec<u8>>,
    value_max: usize,
    slots: Vec<Slot>,
    next: AtomicUsize,
    connections: AtomicU64,
    is_cluster: AtomicBool,
}

impl Redis {
    pub(super) fn new(upstream: &Upstream, settings: &Settings) -> io::Result<Redis> {
        let invalid = |error: RedisError| io::Error::new(io::ErrorKind::InvalidInput, error);
        let info = upstream.url.clone().into_connection_info().map_err(invalid)?;
        let path = &settings.upstream_ca_file;
        let ca = (!path.as_os_str().is_empty()).then(|| {
            std::fs::read(path).map_err(|error| {
                io::Error::new(
                    error.kind(),
                    format!("upstream-ca-file {}: {error}", path.display()),
                )
            })
        });
        let ca = ca.transpose()?;
        let client = match &ca {
            Some(ca) => Client::build_with_tls(info, certificates(ca)),
            None => Client::open(info),
        };
        Ok(Redis {
            name: upstream.shown(),
            client: client.map_err(invalid)?,
            ca,
            value_max: settings.upstream_value_max,
            slots: (0..settings.upstream_connections).map(|_| Slot::default()).collect(),
            next: AtomicUsize::new(0),
            connections: AtomicU64::new(0),
            is_cluster: AtomicBool::new(false),
        })
    }

    pub(super) async fn load(&self, key: &[u8], prefers_hash: bool) -> Result<Brought, Failure> {
        let at = match self.is_cluster.load(Ordering::Relaxed) {
            true => 0,
            false => self.next.fetch_add(1, Ordering::Relaxed) % self.slots.len(),
        };
        let slot = &self.slots[at];
        let mut was_used = true;
        loop {
            let (number, mut line, is_new) =
                self.line(slot).await.map_err(|error| self.failure(&error))?;
            // A load that is given up for the time leaves a connection that nobody trusts.
            let mut doubt = Doubt { slot, number, holds: true };
            let asked = self.ask(&mut line, key, prefers_hash).await;
            doubt.holds = matches!(&asked, Err(error) if is_lost(error));
            let is_lost = doubt.holds;
            drop(doubt);
            match asked {
                Ok(brought) => return brought,
                // It was closed while it was idle: that says nothing of the upstream.
                Err(_) if is_lost && !is_new && was_used => was_used = false,
                Err(error) => return Err(self.failure(&error)),
            }
        }
    }

    /// The connection in a slot, and whether it is new.
    async fn line(&self, slot: &Slot) -> RedisResult<(u64, Line, bool)> {
        let mut held = slot.line.lock().await;
        if let Some((number, line)) = &*held
            && slot.lost.load(Ordering::Relaxed) != *number
        {
            return Ok((*number, line.clone(), false));
        }
        *held = None;
        let line = self.connect().await?;
        let number = self.connections.fetch_add(1, Ordering::Relaxed) + 1;
        *held = Some((number, line.clone()));
        Ok((number, line, true))
    }

    async fn connect(&self) -> RedisResult<Line> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(LONGEST))
            .set_response_timeout(Some(LONGEST));
        let mut one = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        // Whoever may not ask for it is taken to be no cluster.
        let about: String =
            redis::cmd("INFO").arg("cluster").query_async(&mut one).await.unwrap_or_default();
        let is_cluster = about.contains("cluster_enabled:1");
        self.is_cluster.store(is_cluster, Ordering::Relaxed);
        if !is_cluster {
            return Ok(Line::One(one));
        }
        let info = self.client.get_connection_info().clone();
        let mut builder = ClusterClient::builder([info])
            .connection_timeout(LONGEST)
            .response_timeout(LONGEST)
            .retries(4)
            .min_retry_wait(5)
            .max_retry_wait(100);
        if let Some(ca) = &self.ca {
            builder = builder.certs(certificates(ca));
        }
        Ok(Line::Cluster(builder.build()?.get_async_connection().await?))
    }

    /// Asks for a key as a string or a hash, and as the other where it is that.
    async fn ask(
        &self,
        line: &mut Line,
        key: &[u8],
        prefers_hash: bool,
    ) -> RedisResult<Result<Brought, Failure>> {
        for as_hash in [prefers_hash, !prefers_hash] {
            let asked = match line {
                Line::One(one) => self.fetch(one, key, as_hash).await,
                Line::Cluster(cluster) => self.fetch(cluster, key, as_hash).await,
            };
            match asked {
                Err(error) if is_wrong_type(&error) => {}
                other => return other,
            }
        }
        Ok(Err(Failure::foreign_type(&self.name)))
    }

    async fn fetch(
        &self,
        connection: &mut impl ConnectionLike,
        key: &[u8],
        as_hash: bool,
    ) -> RedisResult<Result<Brought, Failure>> {
        let mut pipe = redis::pipe();
        pipe.cmd(if as_hash { "HGETALL" } else { "GET" }).arg(key);
        pipe.cmd("PTTL").arg(key);
        let (object, ttl) = if as_hash {
            let (fields, ttl): (Fields, i64) = pipe.query_async(connection).await?;
            let bytes: usize = fields.iter().map(|(field, value)| field.len() + value.len()).sum();
            if bytes > self.value_max {
                return Ok(Err(Failure::too_long(&self.name, self.value_max)));
            }
            let mut hash = Hash::default();
            for (field, value) in &fields {
                hash.set(field, value);
            }
            ((!hash.is_empty()).then(|| Object::hash(DB, key, hash)), ttl)
        } else {
            let (value, ttl): (Option<Vec<u8>>, i64) = pipe.query_async(connection).await?;
            if value.as_ref().is_some_and(|value| value.len() > self.value_max) {
                return Ok(Err(Failure::too_long(&self.name, self.value_max)));
            }
            (value.map(|value| Object::text(DB, key, &value)), ttl)
        };
        let lifetime = match ttl {
            NO_END => Lifetime::Unsaid,
            // It has ended between the two commands: -2, or 0.
            ttl => u64::try_from(ttl).map_or(Lifetime::Passing, Lifetime::For),
        };
        Ok(Ok(match object {
            Some(object) => Brought::Value(object.loaded(), lifetime),
            None => Brought::Nothing,
        }))
    }

    fn failure(&self, error: &RedisError) -> Failure {
        if is_lost(error) {
            Failure::unreachable(&self.name, error)
        } else {
            Failure::answered(&self.name, error)
        }
    }
}

/// While it holds, the end of what it belongs to says that a connection is not to be used again.
struct Doubt<'a> {
    slot: &'a Slot,
    number: u64,
    holds: bool,
}

impl Drop for Doubt<'_> {
    fn drop(&mut self) {
        if self.holds {
            self.slot.lost.store(self.number, Ordering::Relaxed);
        }
    }
}

fn certificates(ca: &[u8]) -> TlsCertificates {
    TlsCertificates { client_tls: None, root_cert: Some(ca.to_vec()) }
}

/// Whether the connection is of no use any more.
fn is_lost(error: &RedisError) -> bool {
    error.is_io_error()
        || error.is_connection_dropped()
        || error.is_unrecoverable_error()
        || error.kind() == redis::ErrorKind::ClusterConnectionNotFound
}

/// The error of a pipeline has no code of its own.
fn is_wrong_type(error: &RedisError) -> bool {
    error.code() == Some("WRONGTYPE") || error.to_string().contains("WRONGTYPE")
}
