//! CLIENT PAUSE: commands are held back for a time, all of them or those that write.

use std::collections::HashSet;

use augury_core::clock::Millis;

use crate::client::Place;
use crate::clients::Clients;

/// See the module's head.
#[derive(Debug)]
pub struct Pause {
    /// When it ends.
    pub until: Millis,
    /// Whether reads go on.
    pub is_for_writes: bool,
    waiting: Vec<Place>,
}

impl Pause {
    /// A pause that holds nobody back yet.
    pub fn new(until: Millis, is_for_writes: bool) -> Pause {
        Pause { until, is_for_writes, waiting: Vec::new() }
    }

    /// A client of this connection waits until the end.
    pub fn hold(&mut self, place: Place) {
        self.waiting.push(place);
    }

    /// How many connections wait.
    pub fn held(&self) -> usize {
        let places = self.waiting.iter().map(|place| (place.worker, place.connection));
        places.collect::<HashSet<_>>().len()
    }

    /// Another pause goes on where this one is: the later end and the stricter kind count.
    pub fn join(&mut self, until: Millis, is_for_writes: bool) {
        self.until = self.until.max(until);
        self.is_for_writes &= is_for_writes;
    }

    /// The pause is over: all that wait are looked at.
    pub fn end(self, clients: &mut Clients) {
        for place in self.waiting {
            clients.wake(place);
        }
    }
}
