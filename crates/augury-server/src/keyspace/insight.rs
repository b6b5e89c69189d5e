//! What the databases know of themselves: what is expected of keys, what other capacities and policies
//! would give, who is asked for most, what is largest.

use std::sync::Arc;

use augury_core::clock::Millis;
use augury_core::curve::MissRatioCurve;
use augury_core::model::predictor::Predictor;
use augury_core::policy::explanation::Explanation;
use augury_core::policy::forecast::{Forecast, Shadowing};
use augury_core::slots::SlotId;

use super::databases::named;
use super::leavers::Leaver;
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

    /// A beat of the clock: the next entries are looked at for their size, and some more of what
    /// leaves is noted, if somebody watches it.
    pub fn beat(&mut self, now: Millis) {
        self.largest.walk(&*self.residents);
        if let Some(leavers) = self.leavers.take() {
            self.leavers = leavers.beat(now);
        }
    }

    /// What has left for room lately, the latest first: some of it, and only from the first call on.
    pub fn leavers(&mut self, now: Millis) -> impl Iterator<Item = &Leaver> {
        self.leavers.get_or_insert_default().latest(now)
    }

    /// The number of the database that something has left.
    pub fn db_of_leaver(&self, leaver: &Leaver) -> u8 {
        named(&self.stored, leaver.db)
    }

    /// Bytes of what is measured beside the policy.
    pub(super) fn insight_bytes(&self) -> usize {
        let rivals = self.rivals.as_ref().map_or(0, |rivals| rivals.memory_bytes());
        let leavers = self.leavers.as_ref().map_or(0, |leavers| leavers.memory_bytes());
        self.popularity.memory_bytes() + rivals + leavers
    }
}
