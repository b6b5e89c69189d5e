//! The section on memory.

use super::{Call, field};
use crate::footprint::machine_bytes;

/// Bytes for people, as Redis writes them.
pub fn human(bytes: u64) -> String {
    let mut unit = 1u64;
    for suffix in ["B", "K", "M", "G", "T"] {
        if bytes < unit << 10 || suffix == "T" {
            return if unit == 1 {
                format!("{bytes}B")
            } else {
                format!("{:.2}{suffix}", bytes as f64 / unit as f64)
            };
        }
        unit <<= 10;
    }
    format!("{bytes}B")
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

pub(super) fn write(call: &mut Call<'_, '_>, text: &mut String) {
    let server = &mut *call.server;
    let seen = server.measure();
    let books = server.books(&seen);
    let policy = server.settings.policy;
    for (name, bytes) in [
        ("used_memory", books.used),
        ("used_memory_rss", seen.rss),
        ("used_memory_peak", books.peak),
    ] {
        field(text, name, bytes);
        field(text, &format!("{name}_human"), human(bytes));
    }
    let share = 100.0 * ratio(books.used, books.peak);
    field(text, "used_memory_peak_perc", format_args!("{share:.2}%"));
    field(text, "used_memory_overhead", books.overhead);
    field(text, "used_memory_startup", seen.startup);
    field(text, "used_memory_dataset", books.dataset);
    let share = 100.0 * ratio(books.dataset, books.net);
    field(text, "used_memory_dataset_perc", format_args!("{share:.2}%"));
    field(text, "allocator_allocated", seen.allocated);
    field(text, "allocator_active", seen.active);
    field(text, "allocator_resident", seen.resident);
    let machine = machine_bytes().unwrap_or(0);
    field(text, "total_system_memory", machine);
    field(text, "total_system_memory_human", human(machine));
    for name in ["used_memory_lua", "used_memory_vm_total", "used_memory_functions"] {
        field(text, name, 0);
    }
    for name in ["used_memory_scripts", "number_of_cached_scripts", "number_of_functions"] {
        field(text, name, 0);
    }
    field(text, "maxmemory", server.keyspace.capacity());
    field(text, "maxmemory_human", human(server.keyspace.capacity()));
    field(text, "maxmemory_policy", policy);
    for (name, part, whole) in [
        ("allocator_frag", seen.active, seen.allocated),
        ("allocator_rss", seen.resident, seen.active),
        ("rss_overhead", seen.rss, seen.resident),
        ("mem_fragmentation", seen.rss, books.used),
    ] {
        field(text, &format!("{name}_ratio"), format_args!("{:.2}", ratio(part, whole)));
        field(text, &format!("{name}_bytes"), part.cast_signed() - whole.cast_signed());
    }
    for name in [
        "mem_not_counted_for_evict",
        "mem_replication_backlog",
        "mem_total_replication_buffers",
        "mem_clients_slaves",
    ] {
        field(text, name, 0);
    }
    let unsent: usize = server.clients.seated().map(|client| client.outbox.capacity()).sum();
    let clients = server.client_count() * size_of::<crate::client::Client>() + unsent;
    field(text, "mem_clients_normal", clients);
    field(text, "mem_cluster_links", 0);
    field(text, "mem_aof_buffer", 0);
    field(text, "mem_allocator", "jemalloc");
    field(text, "active_defrag_running", 0);
    field(text, "lazyfree_pending_objects", 0);
    field(text, "lazyfreed_objects", 0);
}

#[cfg(test)]
mod tests {
    use super::human;

    #[test]
    fn bytes_are_written_as_redis_does() {
        for (bytes, expected) in
            [(0, "0B"), (1023, "1023B"), (1024, "1.00K"), (940_920, "918.87K"), (5 << 30, "5.00G")]
        {
            assert_eq!(expected, human(bytes));
        }
    }
}
