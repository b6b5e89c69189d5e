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
    differs: "no events are sampled: see SLOWLOG and the metrics",
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
        summary: "Distribution of commands' latencies: empty, for there are no samples",
        run: |call| {
            call.reply.map(0);
            Ok(())
        },
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
