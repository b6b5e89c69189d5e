//! Access probability over a sliding window: of the last W requests, the share of a key.
//!
//! The window is cut into B panes of about W / B requests, each with a tally of its own; a pane is
//! emptied and used again when all of it lies before the window. Of the pane that lies half in the
//! window the part counts that is in it, as if each key had been asked for evenly there. For a
//! fraction f of the pane outside that is wrong by at most f (1 - f) of its requests: 1 / (4 B) of
//! the window. To it comes what the tallies count too much, see [`super`].

use std::collections::VecDeque;

use super::{Precision, Tally, ranked};

/// Counts of the last so many requests.
#[derive(Debug, Clone)]
pub struct Window<K> {
    width: u64,
    pane_width: u64,
    precision: Precision,
    /// The newest first; all others are full.
    panes: VecDeque<Tally<K>>,
    in_newest: u64,
    seen: u64,
}

impl<K: Clone> Window<K> {
    /// A window over the last `width` requests in `panes` panes, each at least 1.
    pub fn new(width: u64, panes: u64, precision: Precision) -> Self {
        let width = width.max(1);
        let pane_width = width.div_ceil(panes.clamp(1, width));
        let panes = VecDeque::from([Tally::new(precision)]);
        Window { width, pane_width, precision, panes, in_newest: 0, seen: 0 }
    }

    /// Counts a request; `hash` tells the key from others.
    pub fn record(&mut self, hash: u64, key: &K) {
        if self.in_newest == self.pane_width {
            // The newest, and as many full ones as can reach into the window.
            let most = 1 + self.width.div_ceil(self.pane_width) as usize;
            let pane = if self.panes.len() < most { None } else { self.panes.pop_back() };
            let pane = pane.map_or_else(
                || Tally::new(self.precision),
                |mut oldest| {
                    oldest.clear();
                    oldest
                },
            );
            self.panes.push_front(pane);
            self.in_newest = 0;
        }
        self.panes[0].add(hash, key, 1.0);
        self.in_newest += 1;
        self.seen += 1;
    }

    /// F(t): the requests in the window.
    pub fn requests(&self) -> u64 {
        self.seen.min(self.width)
    }

    /// f(k, t): how many of them were for the key, or more.
    pub fn count(&self, hash: u64) -> f64 {
        self.weighted().map(|(pane, share)| pane.upper(hash) * share).sum()
    }

    /// P(k, t) = f(k, t) / F(t); 0 before the first request.
    pub fn probability(&self, hash: u64) -> f64 {
        if self.seen == 0 { 0.0 } else { self.count(hash) / self.requests() as f64 }
    }

    /// The keys asked for most, with their probabilities, the most probable first.
    ///
    /// Every key that the window counts above 1 / `heavy_hitters` of its requests is among them.
    pub fn heavy_hitters(&self) -> Vec<(K, f64)> {
        let mut found = Vec::new();
        for (pane, _) in self.weighted() {
            found.extend(pane.heavy_hitters());
        }
        found.sort_by_key(|(hash, _)| *hash);
        found.dedup_by_key(|(hash, _)| *hash);
        let judged = |(hash, key): (u64, &K)| (hash, key.clone(), self.probability(hash));
        ranked(found.into_iter().map(judged).collect())
    }

    /// Bytes held, the contents of keys apart.
    pub fn memory_bytes(&self) -> usize {
        self.panes.iter().map(Tally::memory_bytes).sum()
    }

    /// Panes, each with the share of it that lies in the window.
    fn weighted(&self) -> impl Iterator<Item = (&Tally<K>, f64)> {
        let mut room = self.width as f64;
        self.panes.iter().map_while(move |pane| {
            let taken = pane.total().min(room);
            room -= taken;
            (taken > 0.0).then(|| (pane, taken / pane.total()))
        })
    }
}
