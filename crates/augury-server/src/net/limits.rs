//! What a connection may take: bytes that wait, and time.

use std::time::{Duration, Instant};

use crate::config::{OutputLimit, Settings};
use crate::memcache;
use crate::resp::Limits;

/// Arguments of one command.
const ARGUMENTS_MAX: usize = 1 << 20;
/// Bytes of answers that may wait before authentication (CVE-2025-21605).
const STRANGERS_OUTPUT: usize = 16 << 10;

/// What the settings allow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// What may be sent.
    friends: Limits,
    pub(super) query_max: usize,
    /// Silence after which the system asks a peer whether it is there; none: never.
    pub(super) keepalive: Option<Duration>,
    /// What memcached clients may store.
    pub(super) items: memcache::Limits,
    normal: OutputLimit,
    pubsub: OutputLimit,
    idle: Option<Duration>,
    command: Duration,
    greeting: Duration,
}

impl Bounds {
    pub(super) fn new(settings: &Settings) -> Bounds {
        Bounds {
            friends: Limits { arguments: ARGUMENTS_MAX, bulk: settings.bulk_max },
            query_max: settings.query_max,
            keepalive: settings.keepalive(),
            items: memcache::Limits { item: settings.memcached_item_max },
            normal: settings.output_limits.normal,
            pubsub: settings.output_limits.pubsub,
            idle: settings.idle_timeout(),
            command: settings.command_timeout,
            greeting: settings.greeting_timeout,
        }
    }

    /// What a client may send.
    pub(super) fn input(&self, is_stranger: bool) -> Limits {
        if is_stranger { Limits::STRANGER } else { self.friends }
    }

    /// Bytes of answers beyond which a connection is closed at once.
    pub(super) fn output_hard(&self, is_stranger: bool, has_pushes: bool) -> usize {
        let of = |limit: OutputLimit| if limit.hard == 0 { usize::MAX } else { limit.hard };
        match (is_stranger, has_pushes) {
            (true, _) => STRANGERS_OUTPUT,
            (false, true) => of(self.pubsub).min(of(self.normal)),
            (false, false) => of(self.normal),
        }
    }

    fn soft(&self, has_pushes: bool) -> OutputLimit {
        if has_pushes { self.pubsub } else { self.normal }
    }
}

/// What is known of a connection's state.
#[derive(Debug, Clone, Copy)]
pub(super) struct State {
    /// Bytes that wait to be read by the peer.
    pub(super) unwritten: usize,
    /// Whether others have sent some of them, or may at any time.
    pub(super) has_pushes: bool,
    /// Whether it has subscribed to something: then silence is what it is there for.
    pub(super) is_subscriber: bool,
    /// Whether a command has begun to come and is not whole.
    pub(super) is_partial: bool,
    /// Whether the handshake is under way, or the client has to authenticate.
    pub(super) is_greeting: bool,
    /// Whether it ends when all is written.
    pub(super) is_ending: bool,
}

/// Since when a connection is as it is.
#[derive(Debug)]
pub(super) struct Times {
    began: Instant,
    /// When it sent something last.
    pub(super) active: Instant,
    partial: Option<Instant>,
    beyond: Option<Instant>,
    ending: Option<Instant>,
}

impl Times {
    pub(super) fn new(now: Instant) -> Times {
        Times { began: now, active: now, partial: None, beyond: None, ending: None }
    }

    /// A command has come whole: the next has as long again.
    #[inline]
    pub(super) fn completed(&mut self) {
        self.partial = None;
    }

    /// Looks at a connection, every now and then: why it is to be closed, if it is.
    pub(super) fn verdict(
        &mut self,
        state: State,
        bounds: &Bounds,
        now: Instant,
    ) -> Option<&'static str> {
        let soft = bounds.soft(state.has_pushes);
        let lasts = |since: &mut Option<Instant>, holds: bool, most: Duration| {
            *since = if holds { Some(since.unwrap_or(now)) } else { None };
            since.is_some_and(|since| now.duration_since(since) > most)
        };
        let is_beyond = soft.soft > 0 && state.unwritten > soft.soft;
        if lasts(&mut self.partial, state.is_partial, bounds.command) {
            Some("a command did not come whole in time")
        } else if lasts(&mut self.beyond, is_beyond, soft.soft_time) {
            Some("answers were not read for too long")
        } else if lasts(&mut self.ending, state.is_ending, bounds.command) {
            Some("the last answers were not read in time")
        } else if state.is_greeting && now.duration_since(self.began) > bounds.greeting {
            Some("it did not authenticate in time")
        } else if !state.is_subscriber
            && bounds.idle.is_some_and(|most| now.duration_since(self.active) > most)
        {
            Some("it was idle")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::OutputLimits;

    const SECOND: Duration = Duration::from_secs(1);
    const CALM: State = State {
        unwritten: 0,
        has_pushes: false,
        is_subscriber: false,
        is_partial: false,
        is_greeting: false,
        is_ending: false,
    };

    fn bounds() -> Bounds {
        let output = OutputLimit { hard: 100, soft: 10, soft_time: SECOND };
        Bounds::new(&Settings {
            output_limits: OutputLimits {
                normal: output,
                replica: output,
                pubsub: OutputLimit { hard: 50, ..output },
            },
            timeout: 100,
            command_timeout: 5 * SECOND,
            greeting_timeout: 3 * SECOND,
            ..Settings::default()
        })
    }

    /// The seconds after which a connection that stays in a state is closed.
    fn lasts(state: State) -> u32 {
        let (bounds, begin) = (bounds(), Instant::now());
        let mut times = Times::new(begin);
        (0..1_000)
            .find(|&at| times.verdict(state, &bounds, begin + at * SECOND).is_some())
            .expect("every connection of this test ends")
    }

    #[test]
    fn every_state_has_its_time() {
        assert_eq!(101, lasts(CALM));
        assert_eq!(6, lasts(State { is_partial: true, ..CALM }));
        assert_eq!(2, lasts(State { unwritten: 11, ..CALM }));
        assert_eq!(6, lasts(State { unwritten: 1, is_ending: true, ..CALM }));
        assert_eq!(4, lasts(State { is_greeting: true, ..CALM }));
    }

    #[test]
    fn a_command_that_comes_whole_gives_the_next_its_time() {
        let (bounds, begin) = (bounds(), Instant::now());
        let mut times = Times::new(begin);
        let partial = State { is_partial: true, ..CALM };
        for at in 0..50 {
            assert_eq!(None, times.verdict(partial, &bounds, begin + at * SECOND));
            if at % 4 == 0 {
                times.completed();
            }
        }
    }

    #[test]
    fn strangers_have_least_room() {
        let bounds = bounds();
        assert_eq!(STRANGERS_OUTPUT, bounds.output_hard(true, false));
        assert_eq!((100, 50), (bounds.output_hard(false, false), bounds.output_hard(false, true)));
        assert_eq!(Limits::STRANGER.bulk, bounds.input(true).bulk);
    }
}
