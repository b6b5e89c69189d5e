//! Publish and subscribe.

use super::spec::Group;
use super::{Call, Command, Done, Flags, Keys, Refusal, help};
use crate::glob;
use crate::pubsub::{Kind, names};

const PLAIN: Command = Command {
    group: Group::PubSub,
    flags: Flags::PUBSUB.union(Flags::LOADING).union(Flags::STALE),
    since: "2.0.0",
    ..Command::PLAIN
};
const SUBSCRIBE: Command = Command {
    arity: -2,
    flags: PLAIN.flags.union(Flags::NOSCRIPT).union(Flags::WHILE_SUBSCRIBED),
    ..PLAIN
};
const UNSUBSCRIBE: Command = Command { arity: -1, ..SUBSCRIBE };
const PUBLISH: Command = Command { arity: 3, flags: PLAIN.flags.union(Flags::FAST), ..PLAIN };
const PUBSUB: Command = Command { since: "2.8.0", ..PLAIN };

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "subscribe",
        summary: "Subscribes to channels",
        run: |call| subscribe(call, Kind::Channel),
        ..SUBSCRIBE
    },
    Command {
        name: "psubscribe",
        summary: "Subscribes to all channels whose names match patterns",
        run: |call| subscribe(call, Kind::Pattern),
        ..SUBSCRIBE
    },
    Command {
        name: "ssubscribe",
        keys: Keys::ALL,
        since: "7.0.0",
        summary: "Subscribes to channels of shards",
        run: |call| subscribe(call, Kind::Shard),
        ..SUBSCRIBE
    },
    Command {
        name: "unsubscribe",
        summary: "Ends subscriptions to channels, or to all",
        run: |call| unsubscribe(call, Kind::Channel),
        ..UNSUBSCRIBE
    },
    Command {
        name: "punsubscribe",
        summary: "Ends subscriptions to patterns, or to all",
        run: |call| unsubscribe(call, Kind::Pattern),
        ..UNSUBSCRIBE
    },
    Command {
        name: "sunsubscribe",
        keys: Keys::ALL,
        since: "7.0.0",
        summary: "Ends subscriptions to channels of shards, or to all",
        run: |call| unsubscribe(call, Kind::Shard),
        ..UNSUBSCRIBE
    },
    Command {
        name: "publish",
        summary: "Sends a message to the subscribers of a channel",
        run: |call| publish(call, Kind::Channel),
        ..PUBLISH
    },
    Command {
        name: "spublish",
        keys: Keys::ONE,
        since: "7.0.0",
        summary: "Sends a message to the subscribers of a shard's channel",
        run: |call| publish(call, Kind::Shard),
        ..PUBLISH
    },
    Command {
        name: "pubsub",
        arity: -2,
        flags: Flags::empty(),
        summary: "A container for questions about subscriptions",
        subcommands: QUESTIONS,
        ..PUBSUB
    },
];

const QUESTIONS: &[Command] = &[
    Command {
        name: "pubsub|channels",
        arity: -2,
        summary: "The channels that have subscribers, by an optional pattern",
        run: |call| channels(call, Kind::Channel),
        ..PUBSUB
    },
    Command {
        name: "pubsub|numsub",
        arity: -2,
        summary: "How many subscribers channels have, those of patterns not counted",
        run: |call| subscriber_counts(call, Kind::Channel),
        ..PUBSUB
    },
    Command {
        name: "pubsub|numpat",
        arity: 2,
        summary: "How many patterns have subscribers",
        run: pattern_count,
        ..PUBSUB
    },
    Command {
        name: "pubsub|shardchannels",
        arity: -2,
        since: "7.0.0",
        summary: "The shards' channels that have subscribers, by an optional pattern",
        run: |call| channels(call, Kind::Shard),
        ..PUBSUB
    },
    Command {
        name: "pubsub|shardnumsub",
        arity: -2,
        since: "7.0.0",
        summary: "How many subscribers shards' channels have",
        run: |call| subscriber_counts(call, Kind::Shard),
        ..PUBSUB
    },
    help::of("pubsub|help", Group::PubSub),
];

fn confirm(call: &mut Call<'_, '_>, kind: Kind, word: &str, name: Option<&[u8]>) {
    let (channels, patterns, shards) = call.client.subscription_counts();
    let count = if kind == Kind::Shard { shards } else { channels + patterns };
    call.reply.push(3);
    call.reply.bulk(word.as_bytes());
    call.reply.bulk_or_null(name);
    call.reply.integer(count as i64);
}

fn subscribe(call: &mut Call<'_, '_>, kind: Kind) -> Done {
    for name in call.arguments.from(1).iter() {
        call.server.pubsub.subscribe(call.client, kind, name);
        confirm(call, kind, kind.subscribe(), Some(name));
    }
    Ok(())
}

fn unsubscribe(call: &mut Call<'_, '_>, kind: Kind) -> Done {
    let named: Vec<Box<[u8]>> = if call.arguments.len() > 1 {
        call.arguments.from(1).iter().map(Box::from).collect()
    } else {
        names(call.client, kind)
    };
    if named.is_empty() {
        confirm(call, kind, kind.unsubscribe(), None);
    }
    for name in named {
        call.server.pubsub.unsubscribe(call.client, kind, &name);
        confirm(call, kind, kind.unsubscribe(), Some(&name));
    }
    Ok(())
}

fn publish(call: &mut Call<'_, '_>, kind: Kind) -> Done {
    let (channel, message) = (&call.arguments[1], &call.arguments[2]);
    let server = &mut *call.server;
    let topic = (kind, channel);
    let count = server.pubsub.publish(&mut server.clients, Some(call.client), topic, message);
    call.reply.integer(count as i64);
    Ok(())
}

fn channels(call: &mut Call<'_, '_>, kind: Kind) -> Done {
    if call.arguments.len() > 3 {
        return Err(Refusal::subcommand(call.arguments).into());
    }
    let pattern = call.arguments.get(2);
    let all = call.server.pubsub.channels(kind);
    let found: Vec<&[u8]> =
        all.filter(|name| pattern.is_none_or(|pattern| glob::matches(pattern, name))).collect();
    call.reply.array(found.len());
    for name in found {
        call.reply.bulk(name);
    }
    Ok(())
}

fn subscriber_counts(call: &mut Call<'_, '_>, kind: Kind) -> Done {
    let asked = call.arguments.from(2);
    call.reply.array(asked.len() * 2);
    for name in asked.iter() {
        call.reply.bulk(name);
        call.reply.integer(call.server.pubsub.subscriber_count(kind, name) as i64);
    }
    Ok(())
}

fn pattern_count(call: &mut Call<'_, '_>) -> Done {
    let (_, patterns, _) = call.server.pubsub.counts();
    call.reply.integer(patterns as i64);
    Ok(())
}
