//! The server's counters as Prometheus and OpenMetrics have them, read when they are asked for.

use std::fmt::{self, Error};
use std::sync::Arc;

use augury_core::metrics::Stats;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::memory::Measured;
use crate::object::DATABASES;
use crate::server::{Counters, Server, Shared};
use crate::tallies::Latencies;
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
    commands: Vec<(&'static str, Latencies)>,
    shadows: Shadows,
    upstream: Option<Through>,
}

/// What others would have hit of the same traffic.
struct Shadows {
    /// Kind, name, hit ratio.
    told: Vec<(&'static str, &'static str, f64)>,
    /// That of the cache, of the requests that policies are simulated with.
    own: Option<f64>,
}

impl Shadows {
    fn see(server: &Server) -> Shadows {
        let mut told = Vec::new();
        for shadow in server.keyspace.shadowing().into_iter().flat_map(|it| it.shadows) {
            if let Some(hit_ratio) = shadow.hit_ratio {
                told.push(("expert", shadow.expert.name(), f64::from(hit_ratio)));
            }
        }
        let rivals = server.keyspace.rivals().and_then(|rivals| rivals.hit_ratios());
        let own = rivals.as_ref().map(|(own, _)| *own);
        for (policy, hit_ratio) in rivals.iter().flat_map(|(_, policies)| policies) {
            told.push(("policy", policy.name(), *hit_ratio));
        }
        Shadows { told, own }
    }
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
            commands: server.tallies.iter().map(|(name, tally)| (name, tally.latencies)).collect(),
            shadows: Shadows::see(&server),
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
        page.durations(&seen.commands)?;
        page.shadows(&seen.shadows)?;
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

    fn durations(&mut self, commands: &[(&'static str, Latencies)]) -> Result<(), Error> {
        let help = "How long commands took, one call in 32 of each; without waits for the upstream";
        let unit = Some(&Unit::Seconds);
        let mut family =
            self.0.encode_descriptor("command_duration", help, unit, MetricType::Histogram)?;
        for (name, latencies) in commands.iter().filter(|(_, latencies)| latencies.timed > 0) {
            let labels = [("command", *name)];
            family.encode_family(&labels)?.encode_histogram::<NoLabelSet>(
                latencies.total.as_secs_f64(),
                latencies.timed,
                &latencies.histogram(),
                None,
            )?;
        }
        Ok(())
    }

    fn shadows(&mut self, shadows: &Shadows) -> Result<(), Error> {
        let help = "Share of sampled reads that others would have answered: the experts of auto, and \
                    policies where the setting simulate says so";
        let kind = ConstGauge::new(0.0).metric_type();
        let mut family = self.0.encode_descriptor("shadow_hit_ratio", help, None, kind)?;
        for &(kind, name, hit_ratio) in &shadows.told {
            let labels = [("kind", kind), ("policy", name)];
            ConstGauge::new(hit_ratio).encode(family.encode_family(&labels)?)?;
        }
        if let Some(own) = shadows.own {
            let help =
                "Share of reads that were answered, of those that policies are simulated with";
            let gauge = ConstGauge::new(own);
            gauge.encode(self.0.encode_descriptor("simulated_hit_ratio", help, None, kind)?)?;
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
