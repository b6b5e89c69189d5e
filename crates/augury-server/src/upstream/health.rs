//! Whether the upstream answers: after failures in a row it is left alone for a time that doubles, and
//! then asked by one load, whose answer says whether it is back.

use augury_core::clock::Millis;

/// Failures in a row after which it is left alone.
const FAILURES: u32 = 3;
/// The first time that it is left alone, and the longest, in milliseconds.
const PAUSE: Millis = 100;
const PAUSE_MAX: Millis = 5_000;

/// See the module's head.
#[derive(Debug, Default)]
pub struct Health {
    /// In a row.
    failures: u32,
    /// Until when it is left alone.
    until: Millis,
    /// Whether a load is out to see whether it is back.
    is_probed: bool,
}

impl Health {
    /// Whether it is taken to be down.
    pub fn is_down(&self) -> bool {
        self.failures >= FAILURES
    }

    /// Whether a load may begin. Where it is taken to be down one may, when its pause is over: the
    /// answer is then the probe's.
    pub fn admits(&mut self, now: Millis) -> bool {
        if !self.is_down() {
            return true;
        }
        let is_probe = now >= self.until && !self.is_probed;
        self.is_probed |= is_probe;
        is_probe
    }

    /// How long it is left alone yet.
    pub fn pause(&self, now: Millis) -> Millis {
        self.until.saturating_sub(now)
    }

    /// It has answered.
    pub fn answered(&mut self) {
        *self = Health::default();
    }

    /// It has not answered. `chance`, uniform in 0..1, spreads the attempts of several servers.
    pub fn failed(&mut self, now: Millis, chance: f64) {
        if self.is_down() && now < self.until {
            // It was begun before, as those that have said so already.
            return;
        }
        self.failures = self.failures.saturating_add(1);
        self.is_probed = false;
        if let Some(more) = self.failures.checked_sub(FAILURES) {
            let pause = PAUSE.saturating_mul(1 << more.min(20)).min(PAUSE_MAX);
            self.until = now + pause - (pause as f64 * 0.25 * chance) as Millis;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_down_is_asked_by_one_after_pauses_that_double() {
        let mut health = Health::default();
        let mut now = 0;
        for _ in 0..FAILURES {
            assert!(health.admits(now) && !health.is_down());
            health.failed(now, 0.0);
        }
        for pause in [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000] {
            assert_eq!((true, pause), (health.is_down(), health.pause(now)));
            assert!(!health.admits(now + pause - 1));
            now += pause;
            assert!(health.admits(now) && !health.admits(now));
            health.failed(now, 0.0);
        }
        now += 5_000;
        assert!(health.admits(now));
        health.answered();
        assert!(health.admits(now) && health.admits(now));
    }
}
