//! Memory and processor time of the process, as the allocator and the system tell them.

use std::fs;

use tikv_jemalloc_ctl::{epoch, stats};

/// What the allocator and the system say, in bytes; 0 where they do not say.
#[derive(Debug, Clone, Copy, Default)]
pub struct Footprint {
    /// Bytes that the program has asked for.
    pub allocated: u64,
    /// Bytes of pages in use by the allocator.
    pub active: u64,
    /// Bytes of pages that the allocator holds.
    pub resident: u64,
    /// Bytes of the process that are in memory.
    pub rss: u64,
    /// The most that `allocated` was at a look.
    pub peak: u64,
    /// What `allocated` was at the first look.
    pub startup: u64,
}

impl Footprint {
    /// Looks anew; a few microseconds.
    pub fn look(&mut self) {
        // The statistics are those of the latest epoch.
        if epoch::advance().is_err() {
            return;
        }
        let bytes = |read: Result<usize, _>| read.map_or(0, |bytes: usize| bytes as u64);
        self.allocated = bytes(stats::allocated::read());
        self.active = bytes(stats::active::read());
        self.resident = bytes(stats::resident::read());
        self.rss = status_kib("VmRSS:").unwrap_or(0) << 10;
        self.peak = self.peak.max(self.allocated);
        if self.startup == 0 {
            self.startup = self.allocated;
        }
    }
}

fn status_kib(name: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Memory of the machine in bytes.
pub fn machine_bytes() -> Option<u64> {
    let info = fs::read_to_string("/proc/meminfo").ok()?;
    let line = info.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib << 10)
}

/// Seconds of processor time that the process has used: by the system, and by itself.
pub fn processor_seconds() -> Option<(f64, f64)> {
    // proc(5): in ticks, of which the system shows 100 in a second to programs. The name of the
    // program may have spaces and ends with a bracket.
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let seconds = |at: usize| fields.get(at)?.parse::<f64>().ok().map(|ticks| ticks / 100.0);
    Some((seconds(12)?, seconds(11)?))
}
