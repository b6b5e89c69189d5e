//! The server's counters as Prometheus and OpenMetrics have them, read when they are asked for.

use std::fmt::{self, Error};
use std::sync::Arc;

use augury_core::metrics::Stats;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::memory::Measured;
use crate::object::DATABASES;
use crate::server::{Counters, Shared};
use crate::upstream::Shown;

/// The registry whose metrics are those of this server.
pub(super) fn registry(shared: Arc<Shared>) -> Registry {
    let mut registry = Registry::with_prefix("augury");
    let policy = shared.lock().settings.policy.to_string();
    let labels = vec![("version", env!("CARGO_PKG_VERSION").to_owned()), ("policy", policy)];
    registry.register("build", "Version, and what decides who stays", Info::new(labels));
    registry.register_collector(Box::new(Source(shared)));
    registry
}

/// Reads the server.
struct Source(Arc<Shared>);

impl fmt::Debug for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Source")
    }
}

/// What is read under the lock.
struct Seen {
    stats: Stats,
    counters: Counters,
    measured: Measured,
    clients: u64,
    started: u64,
    keys: [u64; DATABASES as usize],
    memory: [(&'static str, u64); 4],
    snapshot: (u64, bool),
    upstream: Option<Through>,
}

/// What is read of the upstream.
struct Through {
    counters: [Shown; 14],
    gauges: [Shown; 5],
    is_down: bool,
}

impl Source {
    fn see(&self) -> Seen {
        let server = self.0.lock();
        let keyspace = &server.keyspace;
        let mut keys = [0; DATABASES as usize];
        for (db, keys) in (0..).zip(&mut keys) {
            *keys = keyspace.len(db);
        }
        Seen {
            stats: keyspace.stats(),
            counters: server.counters,
            measured: server.measured,
            clients: server.client_count() as u64,
            started: server.started,
            keys,
            memory: [
                ("bound", server.settings.memory),
                ("entries", keyspace.counted()),
                ("reserved", keyspace.reserved()),
                ("index_and_history", keyspace.overhead_bytes() as u64),
            ],
            snapshot: (server.snapshots.latest, server.snapshots.is_good),
            upstream: server.upstream.as_ref().map(|it| Through {
                counters: it.counters(),
                gauges: it.gauges(),
                is_down: it.is_down(),
            }),
        }
    }
}

impl Collector for Source {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let seen = self.see();
        let mut page = Page(encoder);
        let Seen { stats, counters, measured, .. } = &seen;
        for (name, help, count) in [
            ("hits", "Reads answered from memory", stats.hits),
            ("misses", "Reads that found nothing", stats.misses),
            ("insertions", "Entries added", stats.insertions),
            ("rejections", "Newcomers turned away by the policy", stats.rejections),
            ("commands", "Commands run", counters.commands),
            ("errors", "Answers that were errors", counters.errors),
            ("connections", "Connections accepted", counters.connections),
            ("refused_connections", "Connections refused for their number", counters.rejected),
        ] {
            page.counter(name, help, count)?;
        }
        page.removals(stats)?;
        page.gauge("clients", "Clients connected", None, seen.clients)?;
        page.gauge(
            "start_time",
            "Unix time of the start",
            Some(Unit::Seconds),
            seen.started / 1000,
        )?;
        let (latest, is_good) = seen.snapshot;
        let help = "Unix time of the latest snapshot, or of the start";
        page.gauge("snapshot_time", help, Some(Unit::Seconds), latest / 1000)?;
        page.gauge(
            "snapshot_good",
            "Whether the latest snapshot was written",
            None,
            is_good.into(),
        )?;
        if let Some(upstream) = &seen.upstream {
            for (name, help, count) in upstream.counters {
                page.counter(&format!("upstream_{name}"), help, count)?;
            }
            for (name, help, value) in upstream.gauges {
                page.gauge(&format!("upstream_{name}"), help, None, value)?;
            }
            let help = "Whether the upstream answers";
            page.gauge("upstream_up", help, None, (!upstream.is_down).into())?;
        }
        page.keys(&seen.keys)?;
        let measures = [
            ("resident", measured.rss),
            ("allocated", measured.allocated),
            ("free_pages", measured.dirty()),
            ("client_buffers", measured.buffers),
        ];
        page.memory(seen.memory.into_iter().chain(measures))
    }
}

/// Where metrics are written.
struct Page<'a>(DescriptorEncoder<'a>);

impl Page<'_> {
    fn counter(&mut self, name: &str, help: &str, count: u64) -> Result<(), Error> {
        let counter = ConstCounter::new(count);
        counter.encode(self.0.encode_descriptor(name, help, None, counter.metric_type())?)
    }

    fn gauge(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<Unit>,
        value: u64,
    ) -> Result<(), Error> {
        let gauge = ConstGauge::new(value as i64);
        gauge.encode(self.0.encode_descriptor(name, help, unit.as_ref(), gauge.metric_type())?)
    }

    fn removals(&mut self, stats: &Stats) -> Result<(), Error> {
        let help = "Entries that have left, by the cause";
        let kind = ConstCounter::new(0u64).metric_type();
        let mut family = self.0.encode_descriptor("removals", help, None, kind)?;
        for (cause, count) in [
            ("evicted", stats.evicted),
            ("expired", stats.expired),
            ("explicit", stats.explicit),
            ("replaced", stats.replaced),
        ] {
            let labels = [("cause", cause)];
            ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn keys(&mut self, keys: &[u64]) -> Result<(), Error> {
        let kind = ConstGauge::new(0i64).metric_type();
        let mut family = self.0.encode_descriptor("keys", "Keys by database", None, kind)?;
        for (db, &count) in keys.iter().enumerate().filter(|&(db, &count)| count > 0 || db == 0) {
            let labels = [("db", db.to_string())];
            ConstGauge::new(count as i64).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn memory(&mut self, kinds: impl Iterator<Item = (&'static str, u64)>) -> Result<(), Error> {
        let help = "What memory is for: the bound, what counts against it, what the process takes";
        let kind = ConstGauge::new(0i64).metric_type();
        let mut family = self.0.encode_descriptor("memory", help, Some(&Unit::Bytes), kind)?;
        for (name, bytes) in kinds {
            let labels = [("kind", name)];
            ConstGauge::new(bytes as i64).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
