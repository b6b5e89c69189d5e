//! The other sections.

use super::{Call, field};
use crate::commands::connection::VERSION;
use crate::footprint::processor_seconds;
use crate::keyspace::Census;
use crate::object::DATABASES;

const DAY_SECONDS: u64 = 86_400;

fn first_line(path: &str) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().next().unwrap_or_default().to_owned()
}

/// The port that the client has connected to.
fn port(local: &str) -> &str {
    local.rsplit_once(':').map_or("0", |(_, port)| port)
}

pub(super) fn server(call: &mut Call<'_, '_>, text: &mut String) {
    let server = &*call.server;
    let uptime = server.now.saturating_sub(server.started) / 1_000;
    field(text, "redis_version", VERSION);
    field(text, "augury_version", env!("CARGO_PKG_VERSION"));
    field(text, "redis_git_sha1", "00000000");
    field(text, "redis_git_dirty", 0);
    field(text, "redis_build_id", 0);
    field(text, "redis_mode", "standalone");
    let kernel = first_line("/proc/sys/kernel/ostype");
    let release = first_line("/proc/sys/kernel/osrelease");
    field(text, "os", format_args!("{kernel} {release} {}", std::env::consts::ARCH));
    field(text, "arch_bits", usize::BITS);
    field(text, "monotonic_clock", "POSIX clock_gettime");
    field(text, "multiplexing_api", "epoll");
    field(text, "process_id", std::process::id());
    field(text, "process_supervised", "no");
    field(text, "run_id", &server.run_id);
    field(text, "tcp_port", port(&call.client.local));
    field(text, "server_time_usec", server.now * 1_000);
    field(text, "uptime_in_seconds", uptime);
    field(text, "uptime_in_days", uptime / DAY_SECONDS);
    field(text, "hz", 100);
    field(text, "configured_hz", 100);
    field(text, "lru_clock", (server.now / 1_000) & 0xff_ffff);
    let program = std::env::current_exe().unwrap_or_default();
    field(text, "executable", program.display());
    field(text, "config_file", "");
    field(text, "io_threads_active", u8::from(server.serving > 1));
}

pub(super) fn clients(call: &mut Call<'_, '_>, text: &mut String) {
    let server = &*call.server;
    let mut everybody = server.clients.seated().chain([&*call.client]);
    let (subscribers, watching) =
        everybody.by_ref().fold((0, 0), |(subscribers, watching), one| {
            let is_subscriber = one.subscriptions.is_some();
            (subscribers + u32::from(is_subscriber), watching + u32::from(!one.watched.is_empty()))
        });
    field(text, "connected_clients", server.client_count());
    field(text, "cluster_connections", 0);
    field(text, "maxclients", server.settings.clients_max);
    field(text, "client_recent_max_input_buffer", 0);
    field(text, "client_recent_max_output_buffer", 0);
    let held = server.pause.as_ref().map_or(0, |pause| pause.held());
    field(text, "blocked_clients", held);
    field(text, "tracking_clients", server.tracking.client_count());
    field(text, "pubsub_clients", subscribers);
    field(text, "watching_clients", watching);
    field(text, "clients_in_timeout_table", 0);
    field(text, "total_watched_keys", server.watchers.len());
    field(text, "total_blocking_keys", 0);
}

pub(super) fn persistence(call: &mut Call<'_, '_>, text: &mut String) {
    let server = &*call.server;
    field(text, "loading", 0);
    field(text, "async_loading", 0);
    field(text, "rdb_changes_since_last_save", server.keyspace.dirty());
    field(text, "rdb_bgsave_in_progress", 0);
    field(text, "rdb_last_save_time", server.started / 1_000);
    field(text, "rdb_last_bgsave_status", "ok");
    field(text, "rdb_last_bgsave_time_sec", -1);
    field(text, "rdb_current_bgsave_time_sec", -1);
    field(text, "rdb_saves", 0);
    field(text, "aof_enabled", 0);
    field(text, "aof_rewrite_in_progress", 0);
    field(text, "aof_rewrite_scheduled", 0);
    field(text, "aof_last_rewrite_time_sec", -1);
    field(text, "aof_current_rewrite_time_sec", -1);
    field(text, "aof_last_bgrewrite_status", "ok");
    field(text, "aof_last_write_status", "ok");
}

pub(super) fn stats(call: &mut Call<'_, '_>, text: &mut String) {
    let server = &*call.server;
    let (counters, stats, rates) = (server.counters, server.keyspace.stats(), &server.rates);
    let (channels, patterns, shards) = server.pubsub.counts();
    let (keys, items, prefixes) = server.tracking.counts();
    let kib = |bytes: u64| format!("{:.2}", bytes as f64 / 1024.0);
    field(text, "total_connections_received", counters.connections);
    field(text, "total_commands_processed", counters.commands);
    field(text, "instantaneous_ops_per_sec", rates.commands());
    field(text, "total_net_input_bytes", counters.read_bytes);
    field(text, "total_net_output_bytes", counters.written_bytes);
    field(text, "total_net_repl_input_bytes", 0);
    field(text, "total_net_repl_output_bytes", 0);
    field(text, "instantaneous_input_kbps", kib(rates.read_bytes()));
    field(text, "instantaneous_output_kbps", kib(rates.written_bytes()));
    field(text, "rejected_connections", counters.rejected);
    for name in ["sync_full", "sync_partial_ok", "sync_partial_err"] {
        field(text, name, 0);
    }
    field(text, "expired_keys", stats.expired);
    field(text, "expired_subkeys", server.keyspace.fields_expired());
    field(text, "expired_stale_perc", "0.00");
    field(text, "expired_time_cap_reached_count", 0);
    field(text, "evicted_keys", stats.evicted);
    field(text, "evicted_clients", 0);
    field(text, "total_eviction_exceeded_time", 0);
    field(text, "current_eviction_exceeded_time", 0);
    field(text, "keyspace_hits", stats.hits);
    field(text, "keyspace_misses", stats.misses);
    field(text, "pubsub_channels", channels);
    field(text, "pubsub_patterns", patterns);
    field(text, "pubsubshard_channels", shards);
    field(text, "latest_fork_usec", 0);
    field(text, "total_forks", 0);
    field(text, "migrate_cached_sockets", 0);
    field(text, "slave_expires_tracked_keys", 0);
    field(text, "tracking_total_keys", keys);
    field(text, "tracking_total_items", items);
    field(text, "tracking_total_prefixes", prefixes);
    field(text, "unexpected_error_replies", 0);
    field(text, "total_error_replies", counters.errors);
}

pub(super) fn replication(call: &mut Call<'_, '_>, text: &mut String) {
    field(text, "role", "master");
    field(text, "connected_slaves", 0);
    field(text, "master_failover_state", "no-failover");
    field(text, "master_replid", &call.server.run_id);
    field(text, "master_replid2", "0".repeat(40));
    field(text, "master_repl_offset", 0);
    field(text, "second_repl_offset", -1);
    field(text, "repl_backlog_active", 0);
    field(text, "repl_backlog_size", 0);
    field(text, "repl_backlog_first_byte_offset", 0);
    field(text, "repl_backlog_histlen", 0);
}

pub(super) fn processor(_: &mut Call<'_, '_>, text: &mut String) {
    let (system, user) = processor_seconds().unwrap_or_default();
    field(text, "used_cpu_sys", format_args!("{system:.6}"));
    field(text, "used_cpu_user", format_args!("{user:.6}"));
    // There are no children.
    field(text, "used_cpu_sys_children", "0.000000");
    field(text, "used_cpu_user_children", "0.000000");
}

pub(super) fn errors(call: &mut Call<'_, '_>, text: &mut String) {
    for (code, count) in call.server.errors.iter() {
        let code = String::from_utf8_lossy(code);
        field(text, &format!("errorstat_{code}"), format_args!("count={count}"));
    }
}

pub(super) fn cluster(_: &mut Call<'_, '_>, text: &mut String) {
    field(text, "cluster_enabled", 0);
}

pub(super) fn keyspace(call: &mut Call<'_, '_>, text: &mut String) {
    let server = &*call.server;
    for db in (0..DATABASES).filter(|&db| server.keyspace.len(db) > 0) {
        let Census { expires, ttl_millis, partly } = server.keyspace.census(db, server.now);
        let keys = server.keyspace.len(db);
        let value =
            format!("keys={keys},expires={expires},avg_ttl={ttl_millis},subexpiry={partly}");
        field(text, &format!("db{db}"), value);
    }
}

pub(super) fn augury(call: &mut Call<'_, '_>, text: &mut String) {
    let server = &*call.server;
    let stats = server.keyspace.stats();
    let requests = stats.requests();
    let hit_ratio = if requests == 0 { 0.0 } else { stats.hits as f64 / requests as f64 };
    let policy = server.settings.policy.to_string();
    field(text, "policy", &policy);
    field(text, "ruling", server.keyspace.ruling().unwrap_or(&policy));
    field(text, "hit_ratio", format_args!("{hit_ratio:.6}"));
    field(text, "requests", requests);
    field(text, "insertions", stats.insertions);
    field(text, "rejections", stats.rejections);
    field(text, "oversized", stats.oversized);
    field(text, "removed_evicted", stats.evicted);
    field(text, "removed_expired", stats.expired);
    field(text, "removed_explicit", stats.explicit);
    field(text, "removed_replaced", stats.replaced);
    field(text, "used_bytes", server.keyspace.used());
    field(text, "capacity_bytes", server.keyspace.capacity());
    field(text, "overhead_bytes", server.keyspace.overhead_bytes());
    if let Some(upstream) = &server.upstream {
        field(text, "upstream", upstream.name());
        field(text, "upstream_state", if upstream.is_down() { "down" } else { "up" });
        for (name, _, number) in upstream.counters().into_iter().chain(upstream.gauges()) {
            field(text, &format!("upstream_{name}"), number);
        }
    }
}
