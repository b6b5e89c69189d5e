//! How many loads may be added, and for which worth they are best spent.
//!
//! Extra loads are loads with refreshes minus loads without. The latter are counted too: every
//! record carries the deadline that its entry would have had, so each access tells whether there
//! would have been a load. A reload whose outcome is open counts as what is expected of it. The
//! threshold is the lowest worth at which the cost of all better offers fits into the budget, and
//! what has been saved or overdrawn is given or taken in the next periods.

/// Steps of worth that are told apart.
const STEPS: usize = 128;
/// Loads without refresh after which the threshold is chosen anew.
const PERIOD: u32 = 64;
/// How much of the offers stays at each choice.
const STAY: f64 = 0.97;
/// How much of what was saved or overdrawn stays at each choice: the budget holds over a window
/// of some 16,000 loads.
const REMEMBERED: f64 = 0.996;
/// Share of what is saved or overdrawn that is made up for while the offers are renewed.
const CATCH_UP: f64 = 0.5;
/// How fast the plan follows what offers turn out to cost.
const LEARN: f64 = 0.02;
/// Loads whose budget may be overdrawn before all reloads stop, at most, and as a share of the
/// loads so far: the threshold is to hold the budget, and the stop is for what was not expected.
const CREDIT: f64 = 1_024.0;
const CREDIT_SHARE: f64 = 0.25;
/// No reload below this worth is made, whatever the budget.
const LEAST: f32 = 0.03;

/// See the module's head.
#[derive(Debug, Clone)]
pub(super) struct Ledger {
    budget: f64,
    /// Budget minus extra loads, of the window.
    saved: f64,
    /// Loads expected to be replaced by reloads whose outcome is open.
    open: f64,
    offers: [f64; STEPS],
    recent: f64,
    /// Loads without refresh.
    loads: f64,
    /// Cost that may be planned for each load that may be added: 1 where offers cost what their
    /// worth says.
    plan: f64,
    until_choice: u32,
    threshold: f32,
}

impl Ledger {
    /// `budget` is a share of the loads without refresh, 0 or more.
    pub(super) fn new(budget: f64) -> Self {
        Ledger {
            budget,
            saved: 0.0,
            open: 0.0,
            offers: [0.0; STEPS],
            recent: 0.0,
            loads: 0.0,
            plan: 1.0,
            until_choice: PERIOD,
            threshold: 0.5,
        }
    }

    /// There would have been a load without refresh.
    pub(super) fn baseline_load(&mut self) {
        self.saved += 1.0 + self.budget;
        self.recent += 1.0;
        self.loads += 1.0;
        self.until_choice -= 1;
        if self.until_choice == 0 {
            self.choose();
        }
    }

    /// There was a load on demand.
    pub(super) fn demand_load(&mut self) {
        self.saved -= 1.0;
    }

    /// An entry of this worth ends.
    pub(super) fn offer(&mut self, worth: f32) {
        self.offers[step(worth)] += 1.0;
    }

    /// Whether a reload of this worth is to be made.
    pub(super) fn allows(&self, worth: f32) -> bool {
        let credit = (CREDIT_SHARE * self.loads).min(CREDIT);
        worth >= self.threshold && self.saved + self.open + credit * self.budget > 0.0
    }

    /// A reload that is expected to be worth so much begins.
    pub(super) fn spend(&mut self, worth: f32) {
        self.saved -= 1.0;
        self.open += f64::from(worth);
    }

    /// What came of a reload is known, and counted elsewhere.
    pub(super) fn settle(&mut self, worth: f32) {
        self.open -= f64::from(worth);
    }

    /// A reload was not made after all.
    pub(super) fn refund(&mut self, worth: f32) {
        self.saved += 1.0;
        self.settle(worth);
    }

    /// The lowest worth that is acted on.
    pub(super) fn threshold(&self) -> f32 {
        self.threshold
    }

    #[cold]
    fn choose(&mut self) {
        let behind = (self.saved + self.open) / (self.budget * self.recent).max(1e-9);
        let behind = behind.clamp(-1.0, 1.0);
        self.plan = (self.plan * (LEARN * behind).exp()).clamp(0.1, 10.0);
        let mut left = self.budget * self.recent * self.plan * (1.0 + CATCH_UP * behind);
        let mut at = STEPS;
        while at > 0 {
            let cost = 1.0 - (at as f64 - 0.5) / STEPS as f64;
            left -= cost * self.offers[at - 1];
            if left < 0.0 {
                break;
            }
            at -= 1;
        }
        self.threshold = (at as f32 / STEPS as f32).max(LEAST);
        self.offers.iter_mut().for_each(|offered| *offered *= STAY);
        self.recent *= STAY;
        self.saved = (self.saved + self.open) * REMEMBERED - self.open;
        self.until_choice = PERIOD;
    }
}

fn step(worth: f32) -> usize {
    ((worth * STEPS as f32) as usize).min(STEPS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_is_where_the_costs_fit() {
        let mut ledger = Ledger::new(0.1);
        for _ in 0..10_000 {
            ledger.baseline_load();
            ledger.demand_load();
            [0.95, 0.6, 0.2].iter().for_each(|&worth| ledger.offer(worth));
            ledger.saved = 0.0;
        }
        assert!((0.6..=0.95).contains(&ledger.threshold()), "{}", ledger.threshold());
        assert!(!ledger.allows(0.6));
    }

    #[test]
    fn nothing_is_spent_without_a_budget() {
        let mut ledger = Ledger::new(0.0);
        (0..1_000).for_each(|_| {
            ledger.baseline_load();
            ledger.demand_load();
            ledger.offer(0.9);
        });
        assert!(!ledger.allows(0.9));
    }

    #[test]
    fn what_goes_wrong_stops_it() {
        let mut ledger = Ledger::new(0.1);
        let mut made = 0;
        for _ in 0..2_000 {
            ledger.baseline_load();
            ledger.demand_load();
            ledger.offer(0.99);
            if ledger.allows(0.99) {
                ledger.spend(0.99);
                ledger.settle(0.99);
                made += 1;
            }
        }
        assert!((150..=260).contains(&made), "a tenth of the loads, and the credit: {made}");
    }
}
