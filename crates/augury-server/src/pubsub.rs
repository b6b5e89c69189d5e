//! Publish and subscribe: who has subscribed to what, and how a message reaches them.
//!
//! The hub has clients by channel; a client has its own channels ([`Subscriptions`]), so that both
//! ways are short when it leaves. Names come from clients, hence tables with keyed hashes.
//!
//! [`Subscriptions`]: crate::client::Subscriptions

use std::collections::{HashMap, HashSet};

use crate::client::{Client, Handle, Modes, Subscriptions};
use crate::clients::Clients;
use crate::glob;
use crate::resp::Reply;

/// What a subscription names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A channel.
    Channel,
    /// All channels whose names match.
    Pattern,
    /// A channel of a shard, which on a single server is one more space of names.
    Shard,
}

impl Kind {
    /// The word for subscribing.
    pub const fn subscribe(self) -> &'static str {
        match self {
            Kind::Channel => "subscribe",
            Kind::Pattern => "psubscribe",
            Kind::Shard => "ssubscribe",
        }
    }

    /// The word for its end.
    pub const fn unsubscribe(self) -> &'static str {
        match self {
            Kind::Channel => "unsubscribe",
            Kind::Pattern => "punsubscribe",
            Kind::Shard => "sunsubscribe",
        }
    }
}

type Topics = HashMap<Box<[u8]>, HashSet<Handle>>;

/// See the module's head.
#[derive(Default)]
pub struct Hub {
    channels: Topics,
    patterns: Topics,
    shards: Topics,
}

fn chosen(subscriptions: &mut Subscriptions, kind: Kind) -> &mut HashSet<Box<[u8]>> {
    match kind {
        Kind::Channel => &mut subscriptions.channels,
        Kind::Pattern => &mut subscriptions.patterns,
        Kind::Shard => &mut subscriptions.shards,
    }
}

impl Hub {
    fn topics(&mut self, kind: Kind) -> &mut Topics {
        match kind {
            Kind::Channel => &mut self.channels,
            Kind::Pattern => &mut self.patterns,
            Kind::Shard => &mut self.shards,
        }
    }

    /// Subscribes a client; nothing where it already is.
    pub fn subscribe(&mut self, client: &mut Client, kind: Kind, name: &[u8]) {
        let subscriptions = client.subscriptions.get_or_insert_default();
        if chosen(subscriptions, kind).insert(name.into()) {
            self.topics(kind).entry(name.into()).or_default().insert(client.handle());
        }
        client.modes.insert(Modes::SUBSCRIBED);
    }

    /// Ends a subscription; nothing where there is none.
    pub fn unsubscribe(&mut self, client: &mut Client, kind: Kind, name: &[u8]) {
        let handle = client.handle();
        let Some(subscriptions) = &mut client.subscriptions else { return };
        if chosen(subscriptions, kind).remove(name) {
            let topics = self.topics(kind);
            if let Some(subscribers) = topics.get_mut(name) {
                subscribers.remove(&handle);
                if subscribers.is_empty() {
                    topics.remove(name);
                }
            }
        }
        if client.subscription_counts() == (0, 0, 0) {
            client.subscriptions = None;
            client.modes.remove(Modes::SUBSCRIBED);
        }
    }

    /// Ends all subscriptions of a client.
    pub fn unsubscribe_all(&mut self, client: &mut Client) {
        for kind in [Kind::Channel, Kind::Pattern, Kind::Shard] {
            for name in names(client, kind) {
                self.unsubscribe(client, kind, &name);
            }
        }
    }

    /// Sends a message to all subscribers of a channel, or of a shard's channel; how many.
    pub fn publish(
        &self,
        clients: &mut Clients,
        mut running: Option<&mut Client>,
        (kind, channel): (Kind, &[u8]),
        message: &[u8],
    ) -> usize {
        let (topics, word) = match kind {
            Kind::Shard => (&self.shards, "smessage"),
            _ => (&self.channels, "message"),
        };
        let mut count = 0;
        for &handle in topics.get(channel).into_iter().flatten() {
            clients.deliver(running.as_deref_mut(), handle, |reply| {
                write_message(reply, word, channel, |reply| reply.bulk(message));
            });
            count += 1;
        }
        if kind == Kind::Shard {
            return count;
        }
        for (pattern, subscribers) in &self.patterns {
            if !glob::matches(pattern, channel) {
                continue;
            }
            for &handle in subscribers {
                clients.deliver(running.as_deref_mut(), handle, |reply| {
                    reply.push(4);
                    for part in [b"pmessage", &**pattern, channel, message] {
                        reply.bulk(part);
                    }
                });
                count += 1;
            }
        }
        count
    }

    /// The channels, or shards' channels, that have subscribers.
    pub fn channels(&self, kind: Kind) -> impl Iterator<Item = &[u8]> {
        let topics = if kind == Kind::Shard { &self.shards } else { &self.channels };
        topics.keys().map(|name| &**name)
    }

    /// Subscribers of a channel, those of patterns not counted.
    pub fn subscriber_count(&self, kind: Kind, channel: &[u8]) -> usize {
        let topics = if kind == Kind::Shard { &self.shards } else { &self.channels };
        topics.get(channel).map_or(0, HashSet::len)
    }

    /// Channels, patterns and shards' channels with subscribers.
    pub fn counts(&self) -> (usize, usize, usize) {
        (self.channels.len(), self.patterns.len(), self.shards.len())
    }
}

/// The names of a kind that a client has subscribed to.
pub fn names(client: &Client, kind: Kind) -> Vec<Box<[u8]>> {
    let Some(subscriptions) = &client.subscriptions else { return Vec::new() };
    let names = match kind {
        Kind::Channel => &subscriptions.channels,
        Kind::Pattern => &subscriptions.patterns,
        Kind::Shard => &subscriptions.shards,
    };
    names.iter().cloned().collect()
}

/// A message of a channel, its payload written by `payload`.
pub fn write_message(
    reply: &mut Reply<'_>,
    word: &str,
    channel: &[u8],
    payload: impl FnOnce(&mut Reply<'_>),
) {
    reply.push(3);
    reply.bulk(word.as_bytes());
    reply.bulk(channel);
    payload(reply);
}
