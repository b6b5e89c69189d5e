//! `stats`: what memcached's monitors read. What there is nothing to say about is left out.

use super::VERSION;
use super::items::DB;
use super::line::tokens;
use super::request::Span;
use super::state::Counters;
use crate::server::Server;

/// Answers `stats` and what follows it.
pub(super) fn show(server: &mut Server, what: Span, input: &[u8], out: &mut Vec<u8>) {
    let mut words = tokens(input, what);
    match words.next() {
        None => general(server, out),
        Some(b"settings") => settings(server, out),
        Some(b"items") => items(server, out),
        Some(b"slabs") => slabs(server, out),
        Some(b"sizes") => stat(out, "sizes_status", "disabled"),
        Some(b"reset") => {
            server.memcache.counters = Counters::default();
            out.extend_from_slice(b"RESET\r\n");
            return;
        }
        Some(b"cachedump") => {
            out.extend_from_slice(b"CLIENT_ERROR stats cachedump not allowed\r\n");
            return;
        }
        Some(_) => {
            out.extend_from_slice(b"ERROR\r\n");
            return;
        }
    }
    out.extend_from_slice(b"END\r\n");
}

fn stat(out: &mut Vec<u8>, name: &str, value: impl std::fmt::Display) {
    out.extend_from_slice(format!("STAT {name} {value}\r\n").as_bytes());
}

fn general(server: &Server, out: &mut Vec<u8>) {
    let (now, stats) = (server.now / 1000, server.keyspace.stats());
    stat(out, "pid", std::process::id());
    stat(out, "uptime", now.saturating_sub(server.started / 1000));
    stat(out, "time", now);
    stat(out, "version", VERSION);
    stat(out, "augury_version", env!("CARGO_PKG_VERSION"));
    stat(out, "pointer_size", usize::BITS);
    stat(out, "max_connections", server.settings.clients_max);
    stat(out, "curr_connections", server.client_count());
    stat(out, "total_connections", server.counters.connections);
    stat(out, "rejected_connections", server.counters.rejected);
    for (name, value) in server.memcache.counters.named() {
        stat(out, name, value);
    }
    stat(out, "bytes_read", server.counters.read_bytes);
    stat(out, "bytes_written", server.counters.written_bytes);
    stat(out, "limit_maxbytes", server.keyspace.capacity());
    stat(out, "accepting_conns", 1);
    stat(out, "threads", server.settings.threads);
    stat(out, "bytes", server.keyspace.used());
    stat(out, "curr_items", server.keyspace.len(DB));
    stat(out, "total_items", server.memcache.counters.total_items);
    stat(out, "evictions", stats.evicted);
    stat(out, "reclaimed", stats.expired);
}

fn settings(server: &Server, out: &mut Vec<u8>) {
    let settings = &server.settings;
    stat(out, "maxbytes", server.keyspace.capacity());
    stat(out, "maxconns", settings.clients_max);
    stat(out, "tcpport", settings.memcached_port.unwrap_or_default());
    stat(out, "udpport", 0);
    let addresses: Vec<_> = settings.bind.iter().map(ToString::to_string).collect();
    stat(out, "inter", addresses.join(","));
    stat(out, "verbosity", server.memcache.verbosity);
    stat(out, "evictions", "on");
    stat(out, "shutdown_command", "no");
    stat(out, "num_threads", settings.threads);
    stat(out, "detail_enabled", "no");
    stat(out, "cas_enabled", "yes");
    stat(out, "binding_protocol", "ascii");
    stat(out, "auth_enabled_sasl", "no");
    stat(out, "auth_enabled_ascii", "no");
    stat(out, "item_size_max", settings.memcached_item_max);
    stat(out, "slab_reassign", "no");
    stat(out, "lru_crawler", "no");
    stat(out, "flush_enabled", "yes");
    stat(out, "dump_enabled", "no");
    stat(out, "track_sizes", "no");
    stat(out, "augury_policy", server.keyspace.ruling().unwrap_or(settings.policy.name()));
}

/// There is one class, whatever the sizes.
fn items(server: &Server, out: &mut Vec<u8>) {
    let stats = server.keyspace.stats();
    if server.keyspace.len(DB) > 0 {
        stat(out, "items:1:number", server.keyspace.len(DB));
        stat(out, "items:1:mem_requested", server.keyspace.used());
        stat(out, "items:1:evicted", stats.evicted);
        stat(out, "items:1:outofmemory", 0);
        stat(out, "items:1:reclaimed", stats.expired);
    }
}

/// There are no slabs: what is allocated is what is used.
fn slabs(server: &Server, out: &mut Vec<u8>) {
    stat(out, "active_slabs", 0);
    stat(out, "total_malloced", server.keyspace.used());
}
