//! Refresh-ahead: which entries to load again before they are asked for without being there.
//!
//! Beside the flow of a shard, on the caller's clock: a TTL is a time, so what counts is when keys
//! are asked for and not how many requests lie between. The [`Planner`] is told of loads, hits and
//! removals and answers which entries to reload now, so that of all reloads those are made that
//! replace the most loads on demand, within a budget of extra loads. `arrivals` remembers a key's
//! pace, `evidence` says what a reload of its kind is worth, `ledger` for which worth the budget
//! lasts; `early` is for callers that decide at a hit. A deadline stays law: what is not reloaded
//! expires. Nothing here may know keys, values, stores of them or policies.
//!
//! Timing. A reload at the deadline covers the next TTL. Where the next access is awaited later
//! than the deadline (a regular key), a reload just before that access replaces a load instead of
//! adding one: the caller is asked to hold the key, without serving it, until then.
//!
//! Cost: a hit within a sixteenth of the TTL of the latest arrival is two loads, a comparison and a
//! store; any other takes three exponentials and a logarithm. A key remembered, resident or gone,
//! takes a record (see its size there), about 9 bytes of index and a node of the timer wheel.

mod arrivals;
pub mod early;
mod evidence;
mod ledger;
mod record;
#[cfg(test)]
mod tests;

use crate::clock::Millis;
use crate::index::Index;
use crate::slots::{NIL, SlotId, Slots};
use crate::store::wheel::Wheel;
use evidence::{Evidence, Signs};
use ledger::Ledger;
use record::{Phase, Record, Watch};

/// Records looked at to find one that can be given up.
const LOOKED_AT: u32 = 32;
/// Parts of a TTL that a reload may begin ahead of its time, however long loads take.
const LEAD_PART: u64 = 4;

/// What the caller is to do with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Load it again now, and say [`Planner::refreshed`], or [`Planner::removed`] if that fails.
    Reload(SlotId),
    /// It will be reloaded at this time, after its deadline: keep its slot and key, and do not
    /// serve its value past the deadline. Who cannot says [`Planner::removed`] when it expires.
    Hold(SlotId, Millis),
}

/// Plans the reloads of one shard. See the module's head.
///
/// ```
/// use augury_core::refresh::{Due, Planner};
/// let mut planner = Planner::new(0.1, 1_000);
/// let (slot, hash, ttl) = (0, 0x9e37_79b9_7f4a_7c15, 60_000);
/// let (mut now, mut due) = (0, Vec::new());
/// planner.loaded(slot, hash, now, ttl, 5);
/// for second in 1..600 {
///     now = second * 1_000;
///     planner.due(now, &mut due);
///     for what in due.drain(..) {
///         if let Due::Reload(slot) = what {
///             planner.refreshed(slot, now, ttl); // after the loader has answered
///         }
///     }
///     planner.hit(slot, now);
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Planner {
    records: Slots<Record>,
    index: Index,
    /// The record of each slot of the shard.
    of_slot: Vec<SlotId>,
    wheel: Wheel,
    evidence: Evidence,
    ledger: Ledger,
    /// Records at most.
    limit: u32,
    hand: SlotId,
    /// How long loads take, the longest of late.
    lead: Millis,
}

impl Planner {
    /// A planner that may add `budget` loads for each load there would be without it (0.1 is 10%)
    /// and remembers at most `limit` keys, resident or gone; entries beyond that are not planned.
    pub fn new(budget: f64, limit: u32) -> Self {
        Planner {
            records: Slots::default(),
            index: Index::default(),
            of_slot: Vec::new(),
            wheel: Wheel::default(),
            evidence: Evidence::default(),
            ledger: Ledger::new(budget.max(0.0)),
            limit: limit.clamp(1, NIL - 1),
            hand: 0,
            lead: 0,
        }
    }

    /// An entry was loaded on demand, or written, at `now`, to live for `ttl`; the load took
    /// `took` (0 for a write). `hash` is the key's, well mixed. The deadline is `now + ttl`.
    pub fn loaded(&mut self, slot: SlotId, hash: u64, now: Millis, ttl: Millis, took: Millis) {
        self.lead = took.max(self.lead - (self.lead.saturating_sub(took)).div_ceil(16));
        let known = self.record_of(slot).filter(|&id| self.records.hash(id) == hash);
        if known.is_none() {
            self.removed(slot, now);
        }
        let Some(id) = known.or_else(|| self.find_or_add(hash)) else { return };
        let record = self.records.record_mut(id);
        if record.phase == Phase::Fresh && now < record.deadline {
            // Written over while it was fresh: so it would have been without refresh.
            record.baseline = now.saturating_add(ttl);
        } else {
            self.ledger.demand_load();
        }
        let record = self.records.record_mut(id);
        (record.slot, record.ttl) = (slot, ttl.max(1));
        self.link(slot, id);
        self.accessed(id, now);
        self.begin(id, now, ttl);
    }

    /// An entry was served at `now`. May be left out for some hits, at the price of knowing less.
    #[inline]
    pub fn hit(&mut self, slot: SlotId, now: Millis) {
        let Some(id) = self.record_of(slot) else { return };
        let record = self.records.record_mut(id);
        if now < record.quiet_until {
            record.arrivals.continued(now);
        } else {
            self.accessed(id, now);
        }
    }

    /// A reload that was asked for has been answered at `now`.
    pub fn refreshed(&mut self, slot: SlotId, now: Millis, ttl: Millis) {
        let Some(id) = self.record_of(slot) else { return };
        let record = self.records.record_mut(id);
        (record.ttl, record.quiet_until) = (ttl.max(1), 0);
        if let Some(watch) = &mut record.watch {
            watch.opens = now;
        }
        self.begin(id, now, ttl);
    }

    /// The slot was given up: its entry expired, was evicted, replaced by another key's or
    /// deleted, or could not be reloaded. What is known of the key is kept for its return.
    pub fn removed(&mut self, slot: SlotId, now: Millis) {
        let Some(id) = self.record_of(slot) else { return };
        self.of_slot[slot as usize] = NIL;
        let record = self.records.record_mut(id);
        record.slot = NIL;
        match record.phase {
            Phase::Loading => {
                if let Some(watch) = record.watch.take() {
                    self.ledger.refund(watch.worth);
                }
                record.phase = Phase::Gone;
            }
            Phase::Fresh | Phase::Held => self.let_go(id, now),
            Phase::Gone => {}
        }
    }

    /// Adds to `out` what is to be done at `now`. To be called about as often as loads should be
    /// exact in time, a second or a hundredth of the TTLs.
    pub fn due(&mut self, now: Millis, out: &mut Vec<Due>) {
        while let Some(id) = self.wheel.expire_one(now) {
            let record = self.records.record_mut(id);
            match record.phase {
                Phase::Fresh => {
                    if let Some(due) = self.decide(id, now) {
                        out.push(due);
                    }
                }
                Phase::Held => {
                    record.phase = Phase::Loading;
                    let slot = record.slot;
                    if let Some(watch) = &mut record.watch {
                        watch.made = true;
                        self.ledger.spend(watch.worth);
                    }
                    out.push(Due::Reload(slot));
                }
                Phase::Gone => self.close(id),
                Phase::Loading => {}
            }
        }
    }

    /// The lowest worth, 0 to 1, of a reload that the budget lasts for at present.
    pub fn threshold(&self) -> f32 {
        self.ledger.threshold()
    }

    /// Bytes held.
    pub fn memory_bytes(&self) -> usize {
        self.records.memory_bytes()
            + self.index.memory_bytes()
            + self.of_slot.capacity() * size_of::<SlotId>()
            + self.wheel.memory_bytes()
            + self.evidence.memory_bytes()
    }

    #[inline]
    fn record_of(&self, slot: SlotId) -> Option<SlotId> {
        self.of_slot.get(slot as usize).copied().filter(|&id| id != NIL)
    }

    fn link(&mut self, slot: SlotId, id: SlotId) {
        if self.of_slot.len() <= slot as usize {
            self.of_slot.resize(slot as usize + 1, NIL);
        }
        self.of_slot[slot as usize] = id;
    }

    /// The record of a key whose entry is in no slot; none where there is no room for another.
    fn find_or_add(&mut self, hash: u64) -> Option<SlotId> {
        let found = self.index.candidates(hash).find(|&id| self.records.hash(id) == hash);
        if let Some(id) = found {
            return (self.records.record(id).slot == NIL).then_some(id);
        }
        if self.records.live() >= self.limit {
            self.give_up_one()?;
        }
        let id = self.records.occupy(hash, 1);
        let records = &self.records;
        self.index.insert(hash, id, |id| records.hash(id));
        Some(id)
    }

    /// Forgets the key, among some that are gone, that was asked for the longest ago.
    fn give_up_one(&mut self) -> Option<()> {
        let bound = self.records.bound();
        let looked_at = (0..LOOKED_AT.min(bound)).map(|step| (self.hand + step) % bound);
        let gone = looked_at.filter(|&id| self.records.record(id).slot == NIL);
        let victim = gone.min_by_key(|&id| self.records.record(id).arrivals.latest_access());
        self.hand = (self.hand + LOOKED_AT) % bound;
        let id = victim?;
        if let Some(watch) = self.records.record(id).watch.filter(|watch| watch.made) {
            self.ledger.settle(watch.worth);
        }
        self.wheel.clear(id);
        self.index.remove(self.records.hash(id), id);
        self.records.vacate(id);
        Some(())
    }

    /// An entry's life begins at `now`.
    fn begin(&mut self, id: SlotId, now: Millis, ttl: Millis) {
        let record = self.records.record_mut(id);
        record.phase = Phase::Fresh;
        record.deadline = now.saturating_add(ttl);
        let at = record.deadline - self.lead.min(ttl / LEAD_PART);
        self.wheel.set(id, at);
    }

    /// Someone asked for the key.
    fn accessed(&mut self, id: SlotId, now: Millis) {
        let record = self.records.record_mut(id);
        if now >= record.baseline {
            record.baseline = now.saturating_add(record.ttl);
            self.ledger.baseline_load();
        }
        match record.watch {
            // What came of it is known, or will be: the reload is on its way.
            Some(watch) if watch.outcome.is_some() || (now < watch.opens && watch.made) => {}
            // Before the deadline, or before a reload that had been put off: the plan is void.
            Some(watch) if now < watch.opens => {
                record.watch = None;
                if now < record.deadline {
                    record.phase = Phase::Fresh;
                    self.wheel.set(id, record.deadline.saturating_sub(self.lead));
                }
            }
            Some(watch) => {
                let lasting = record.ttl as f32 + record.arrivals.gap_or(record.ttl);
                let waited = now - watch.opens;
                let is_in_time = waited < record.ttl;
                let worth = if is_in_time { 1.0 - waited as f32 / lasting } else { 0.0 };
                record.watch = Some(Watch { outcome: Some(worth), made: false, ..watch });
                if watch.made {
                    self.ledger.settle(watch.worth);
                }
            }
            None => {}
        }
        record.arrivals.arrived(now, record.ttl);
        record.quiet_until = record.arrivals.merged_until(record.ttl).min(record.baseline);
    }

    /// The window of a decision is over: only now is it learned from, or what comes soon would be
    /// learned before what never comes.
    fn close(&mut self, id: SlotId) {
        let Some(watch) = self.records.record_mut(id).watch.take() else { return };
        self.evidence.observe(&watch.signs, watch.outcome.unwrap_or(0.0));
        if watch.made {
            self.ledger.settle(watch.worth);
        }
    }

    /// What becomes of an entry whose end is near.
    fn decide(&mut self, id: SlotId, now: Millis) -> Option<Due> {
        self.close(id);
        let lead = self.lead;
        let record = self.records.record_mut(id);
        let ttl = record.ttl;
        let outlook = record.arrivals.outlook(record.deadline, ttl);
        let signs = Signs::of(&outlook, ttl);
        let worth = self.evidence.worth(&signs);
        self.ledger.offer(worth);
        let is_wanted = self.ledger.allows(worth);
        let is_now = outlook.opens <= record.deadline;
        record.watch = Some(Watch {
            opens: outlook.opens,
            worth,
            signs,
            made: is_wanted && is_now,
            outcome: None,
        });
        record.quiet_until = 0;
        let slot = record.slot;
        if !is_wanted {
            self.let_go(id, now);
            None
        } else if is_now {
            record.phase = Phase::Loading;
            self.ledger.spend(worth);
            Some(Due::Reload(slot))
        } else {
            record.phase = Phase::Held;
            self.wheel.set(id, outlook.opens - lead.min(ttl / LEAD_PART));
            Some(Due::Hold(slot, outlook.opens))
        }
    }

    /// No reload will come; what it would have been worth is still observed.
    fn let_go(&mut self, id: SlotId, now: Millis) {
        let record = self.records.record_mut(id);
        record.phase = Phase::Gone;
        match record.watch {
            Some(watch) => {
                let closes = watch.opens.saturating_add(record.ttl);
                self.wheel.set(id, closes.max(now + 1));
            }
            None => self.wheel.clear(id),
        }
    }
}
