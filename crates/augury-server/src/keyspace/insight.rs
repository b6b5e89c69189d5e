//! What the databases know of themselves: what is expected of keys, what other capacities and policies
//! would give, who is asked for most, what is largest.

use std::sync::Arc;

use augury_core::clock::Millis;
use augury_core::curve::MissRatioCurve;
use augury_core::model::predictor::Predictor;
use augury_core::policy::explanation::Explanation;
use augury_core::policy::forecast::{Forecast, Shadowing};
use augury_core::slots::SlotId;

use super::popular::Popular;
use super::rivals::Rivals;
use super::{Asked, Keyspace};

impl Keyspace {
    /// Why the key is, or is not, resident.
    pub fn explain(&mut self, asked: Asked<'_>, now: Millis) -> Option<Explanation> {
        let id = self.find(asked, now);
        self.residents.explain(asked.hash, id)
    }

    /// When the key is expected to be asked for, and whether it is resident; none where nothing is
    /// remembered of it, or the policy expects nothing.
    pub fn forecast(&mut self, asked: Asked<'_>, now: Millis) -> Option<(Forecast, bool)> {
        let id = self.find(asked, now);
        self.residents.forecast(asked.hash, id).map(|forecast| (forecast, id.is_some()))
    }

    /// How the shadows of the policy's experts do, where it has any.
    pub fn shadowing(&self) -> Option<Shadowing> {
        self.residents.shadowing()
    }

    /// Has a trained model serve, on trial under the guard; or none.
    pub fn set_predictor(&mut self, predictor: Option<Arc<Predictor>>) {
        self.residents.set_predictor(predictor);
    }

    /// Measures from now on what other capacities and policies would give, or no longer. What was
    /// measured before is forgotten.
    pub fn simulate(&mut self, is_on: bool) {
        if is_on == self.rivals.is_some() {
            return;
        }
        self.residents.keep_curve(is_on);
        self.rivals = is_on.then(|| Box::new(Rivals::new(self.capacity())));
    }

    /// What other capacities would give, where that is measured.
    pub fn curve(&self) -> Option<&MissRatioCurve> {
        self.residents.curve()
    }

    /// What other policies would give, where that is measured.
    pub fn rivals(&self) -> Option<&Rivals> {
        self.rivals.as_deref()
    }

    /// What is asked for most, the most first; keys that are not resident are among them.
    pub fn popular(&self, now: Millis) -> impl Iterator<Item = Popular> {
        self.popularity.latest(now)
    }

    /// The places of the entries that are known to be largest, the largest first.
    pub fn largest(&mut self) -> Vec<SlotId> {
        let hashes = self.largest.known(&*self.residents);
        let mut places: Vec<SlotId> =
            hashes.into_iter().flat_map(|hash| self.residents.candidates(hash)).collect();
        places.sort_by_key(|&id| std::cmp::Reverse(self.entry_bytes(id)));
        places
    }

    /// The places of what has this hash.
    pub fn candidates(&self, hash: u64) -> impl Iterator<Item = SlotId> {
        self.residents.candidates(hash).into_iter()
    }

    /// A beat of the clock: the next entries are looked at for their size.
    pub fn beat(&mut self) {
        self.largest.walk(&*self.residents);
    }

    /// Bytes of what is measured beside the policy.
    pub(super) fn insight_bytes(&self) -> usize {
        let rivals = self.rivals.as_ref().map_or(0, |rivals| rivals.memory_bytes());
        self.popularity.memory_bytes() + rivals
    }
}
