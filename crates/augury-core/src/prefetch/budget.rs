//! How much may be fetched in vain, and for which chances that is best spent.
//!
//! Without prefetch every object fetched on demand or used after a prefetch would be one request
//! to the origin. Within every window of [`WINDOW`] requests, and at every moment of it, demand
//! misses and prefetches stay within 1 + budget times that. A prefetch that is used costs
//! nothing; so what the budget buys are failures, and the threshold is the lowest chance at which
//! the failures expected of all better predictions fit into it.

/// Requests in which the budget is kept.
pub const WINDOW: u64 = 10_000;
/// Steps of chance that are told apart.
const STEPS: usize = 64;
/// Demands after which the threshold is chosen anew.
const PERIOD: u32 = 256;
/// How much of the evidence stays at each choice.
const STAY: f32 = 0.9;
/// Share of the budget that is planned for; the rest is for what was not expected.
const PLANNED: f32 = 0.85;
/// No prediction below this chance is worth acting on.
const LEAST: f32 = 0.1;

/// See the module's head.
#[derive(Debug)]
pub(super) struct Budget {
    budget: f64,
    window: u64,
    /// Within the window: what would have been fetched without prefetch, and what was used and
    /// issued.
    demands: u64,
    used: u64,
    issued: u64,
    /// Predictions by chance, and demands, recent ones weighing more.
    offers: [f32; STEPS],
    recent: f32,
    until_choice: u32,
    threshold: f32,
}

impl Budget {
    /// `budget` is a share of the requests to the origin, 0 or more.
    pub(super) fn new(budget: f64) -> Self {
        Budget {
            budget,
            window: 0,
            demands: 0,
            used: 0,
            issued: 0,
            offers: [0.0; STEPS],
            recent: 0.0,
            until_choice: PERIOD,
            threshold: 1.0,
        }
    }

    /// Something was asked for that would not be there without prefetch; `was_used` where a
    /// prefetch had brought it.
    #[inline]
    pub(super) fn demand(&mut self, now: u64, was_used: bool) {
        let window = now / WINDOW;
        if window != self.window {
            (self.window, self.demands, self.used, self.issued) = (window, 0, 0, 0);
        }
        self.demands += 1;
        self.used += u64::from(was_used);
        self.recent += 1.0;
        self.until_choice -= 1;
        if self.until_choice == 0 {
            self.choose();
        }
    }

    /// The lowest chance that may be acted on.
    #[inline]
    pub(super) fn threshold(&self) -> f32 {
        self.threshold
    }

    /// A prediction of this chance was made, standing for `weight` of its like.
    #[inline]
    pub(super) fn offer(&mut self, chance: f32, weight: f32) {
        self.offers[(chance * STEPS as f32) as usize % STEPS] += weight;
    }

    /// Whether the budget has a prefetch left.
    #[inline]
    pub(super) fn allows(&self) -> bool {
        (self.issued + 1) as f64 <= self.used as f64 + self.budget * self.demands as f64
    }

    /// Takes one prefetch from the budget.
    #[inline]
    pub(super) fn spend(&mut self) {
        self.issued += 1;
    }

    /// Gives back one that was taken and never fetched.
    pub(super) fn give_back(&mut self) {
        // It may have been taken in the window before.
        self.issued = self.issued.saturating_sub(1);
    }

    #[cold]
    fn choose(&mut self) {
        let mut left = PLANNED * self.budget as f32 * self.recent;
        let mut step = STEPS;
        while step > 0 {
            let failing = 1.0 - (step as f32 - 0.5) / STEPS as f32;
            left -= failing * self.offers[step - 1];
            if left < 0.0 {
                break;
            }
            step -= 1;
        }
        self.threshold = (step as f32 / STEPS as f32).max(LEAST);
        self.offers.iter_mut().for_each(|offered| *offered *= STAY);
        self.recent *= STAY;
        self.until_choice = PERIOD;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_bought_and_uses_are_free() {
        let mut budget = Budget::new(0.1);
        (0..100).for_each(|now| budget.demand(now, false));
        let mut issued = 0;
        while budget.allows() {
            budget.spend();
            issued += 1;
        }
        assert_eq!(10, issued);
        (100..105).for_each(|now| budget.demand(now, true));
        (0..5).for_each(|_| {
            assert!(budget.allows());
            budget.spend();
        });
        assert!(!budget.allows());
        budget.give_back();
        assert!(budget.allows(), "what was not fetched has cost nothing");
        budget.spend();
        budget.demand(WINDOW, false);
        assert!(!budget.allows(), "a window begins with nothing");
    }

    #[test]
    fn the_threshold_is_where_the_failures_fit() {
        let mut budget = Budget::new(0.1);
        for now in 0..10_000 {
            budget.demand(now, false);
            budget.offer(0.97, 1.0);
            budget.offer(0.5, 1.0);
        }
        assert!((0.5..0.97).contains(&budget.threshold()), "{}", budget.threshold());
    }
}
