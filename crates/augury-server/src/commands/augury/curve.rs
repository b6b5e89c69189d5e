//! AUGURY.CURVE: what other capacities would give.

use super::{Call, Done, Refusal};

/// Steps of LRU's curve, up to four times the capacity.
const STEPS: u64 = 16;

/// What is said where nothing is measured.
pub(super) const OFF: Refusal = Refusal::new(
    "ERR other capacities and policies are not simulated: CONFIG SET simulate yes, or start the \
     server with --simulate yes",
);

pub(super) fn curve(call: &mut Call<'_, '_>) -> Done {
    let curve = call.server.keyspace.curve().ok_or(OFF)?;
    let points = curve.points().map_or(Vec::new(), Vec::from);
    let capacity = call.server.keyspace.capacity();
    let lru: Vec<(u64, f64)> = (1..=STEPS)
        .map(|step| capacity / 4 * step)
        .filter_map(|bytes| curve.lru_miss_ratio(bytes).map(|miss_ratio| (bytes, miss_ratio)))
        .collect();
    let reply = &mut *call.reply;
    reply.map(5);
    reply.count("capacity_bytes", Some(capacity));
    reply.number("requests", Some(curve.requests()));
    reply.number("sampled", Some(curve.sampling_ratio()));
    reply.name("points");
    reply.array(points.len());
    for point in points {
        reply.map(4);
        reply.number("scale", Some(point.scale));
        reply.count("capacity_bytes", Some(point.capacity));
        reply.number("miss_ratio", Some(point.miss_ratio));
        reply.number("lru_miss_ratio", Some(point.lru_miss_ratio));
    }
    reply.name("lru");
    reply.array(lru.len());
    for (bytes, miss_ratio) in lru {
        reply.map(2);
        reply.count("capacity_bytes", Some(bytes));
        reply.number("miss_ratio", Some(miss_ratio));
    }
    Ok(())
}
