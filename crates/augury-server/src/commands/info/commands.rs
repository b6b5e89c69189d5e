//! The sections on commands: how often each has run, and how long it takes.

use super::{Call, field};

/// Shares of calls whose latency is told, as Redis tells them.
const PERCENTILES: [f64; 3] = [50.0, 99.0, 99.9];

pub(super) fn statistics(call: &mut Call<'_, '_>, text: &mut String) {
    for (name, tally) in call.server.tallies.iter() {
        let (calls, rejected, failed) = (tally.calls, tally.rejected, tally.failed);
        let (micros, each) = (tally.micros().round(), tally.micros_per_call());
        let told = format!(
            "calls={calls},usec={micros:.0},usec_per_call={each:.2},rejected_calls={rejected},\
             failed_calls={failed}"
        );
        field(text, &format!("cmdstat_{name}"), told);
    }
}

pub(super) fn latencies(call: &mut Call<'_, '_>, text: &mut String) {
    for (name, tally) in call.server.tallies.iter().filter(|(_, it)| it.latencies.timed > 0) {
        let told = PERCENTILES.map(|percent| {
            format!("p{percent}={:.3}", tally.latencies.percentile(percent / 100.0))
        });
        field(text, &format!("latency_percentiles_usec_{name}"), told.join(","));
    }
}
