//! LATENCY: no events are sampled here, as in a Redis whose `latency-monitor-threshold` is 0.

use super::spec::Group;
use super::{Call, Command, Done, Flags, Refusal, help};

const PLAIN: Command = Command {
    group: Group::Server,
    flags: Flags::ADMIN.union(Flags::NOSCRIPT).union(Flags::LOADING).union(Flags::STALE),
    since: "2.8.13",
    ..Command::PLAIN
};

/// The container.
pub const COMMANDS: &[Command] = &[Command {
    name: "latency",
    arity: -2,
    flags: Flags::empty(),
    summary: "A container for commands about latency",
    differs: "no events are sampled: see LATENCY HISTOGRAM, SLOWLOG and the metrics",
    subcommands: SUBCOMMANDS,
    ..PLAIN
}];

const SUBCOMMANDS: &[Command] = &[
    Command {
        name: "latency|doctor",
        arity: 2,
        summary: "What to make of the samples",
        run: doctor,
        ..PLAIN
    },
    Command {
        name: "latency|graph",
        arity: 3,
        summary: "A graph of an event: refused, for there are no samples",
        run: graph,
        ..PLAIN
    },
    help::of("latency|help", Group::Server),
    Command {
        name: "latency|histogram",
        arity: -2,
        since: "7.0.0",
        summary: "Distribution of commands' latencies",
        differs: "some of the calls are timed, and stand for all",
        run: histogram,
        ..PLAIN
    },
    Command {
        name: "latency|history",
        arity: 3,
        summary: "Samples of an event: none",
        run: none,
        ..PLAIN
    },
    Command {
        name: "latency|latest",
        arity: 2,
        summary: "Latest samples of all events: none",
        run: none,
        ..PLAIN
    },
    Command {
        name: "latency|reset",
        arity: -2,
        summary: "Forgets samples: 0, for there are none",
        run: |call| {
            call.reply.integer(0);
            Ok(())
        },
        ..PLAIN
    },
];

/// Of all commands, or of those that are named; a container stands for its subcommands.
fn histogram(call: &mut Call<'_, '_>) -> Done {
    let wanted: Vec<String> = call.arguments.from(2).iter().map(lower).collect();
    let is_wanted = |name: &str| {
        let container = name.split('|').next().unwrap_or(name);
        wanted.is_empty() || wanted.iter().any(|it| it == name || it == container)
    };
    let tallies = &call.server.tallies;
    let found: Vec<_> = tallies
        .iter()
        .filter(|&(name, tally)| tally.latencies.timed > 0 && is_wanted(name))
        .collect();
    let reply = &mut *call.reply;
    reply.map(found.len());
    for (name, tally) in found {
        let buckets: Vec<(u64, u64)> = tally.latencies.cumulative(tally.calls).collect();
        reply.bulk(name.as_bytes());
        reply.map(2);
        reply.bulk(b"calls");
        reply.integer(tally.calls.cast_signed());
        reply.bulk(b"histogram_usec");
        reply.map(buckets.len());
        for (micros, calls) in buckets {
            reply.integer(micros.cast_signed());
            reply.integer(calls.cast_signed());
        }
    }
    Ok(())
}

fn lower(name: &[u8]) -> String {
    String::from_utf8_lossy(name).to_ascii_lowercase()
}

fn none(call: &mut Call<'_, '_>) -> Done {
    call.reply.array(0);
    Ok(())
}

fn graph(call: &mut Call<'_, '_>) -> Done {
    let event = String::from_utf8_lossy(&call.arguments[2]);
    Err(Refusal::of(format!("ERR No samples available for event '{event}'")).into())
}

fn doctor(call: &mut Call<'_, '_>) -> Done {
    call.reply.verbatim(
        b"No latency events are sampled here. SLOWLOG GET shows slow commands, and the metrics show \
          how latencies are distributed.\n",
    );
    Ok(())
}
