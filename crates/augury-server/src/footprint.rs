//! Memory of the machine and processor time of the process, as the system tells them.

use std::fs;

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
