//! The feature row: what a trained model sees of an object, at a decision.
//!
//! One definition, here, for training and for serving: the data set builder, the running cache and
//! the shadows all call [`row`] on the same history, so a model is never asked about rows other
//! than it was trained on (training-serving skew). All features are logarithms of what history and
//! survival table hold: neither depends on the unit, and trees and networks both take them as
//! they are. Nothing is missing and nothing is NaN.
//!
//! This module must not know what a model does with a row, nor where histories are kept.

use crate::history::{History, NO_REUSE, bucket_start};
use crate::model::lens::Lens;

/// Version of the schema: grows with every change of a feature's meaning, order or number.
pub const SCHEMA_VERSION: u32 = 2;

/// Number of features.
pub const WIDTH: usize = 10;

/// One row, in the order of [`NAMES`].
pub type Row = [f32; WIDTH];

/// Names and meanings, in the order of a row. Base 2 throughout.
pub const NAMES: [(&str, &str); WIDTH] = [
    ("log_age", "log of 1 + requests since the latest access"),
    ("log_reuse", "log of the latest reuse time in requests; 32 where there is none"),
    ("log_count", "log of the accesses remembered"),
    ("log_heat", "log of the decayed count now, at least -24"),
    ("log_tenure", "log of 1 + requests since it became resident"),
    ("log_size", "log of the size"),
    ("relative_age", "log of age per half-life of the heat (32 requests per resident), -16 to 8"),
    ("log_density", "log of the survival table's reuses per 32 requests per resident, -24 to 24"),
    ("relative_reuse", "log of latest reuse time per half-life of the heat, -16 to 8; 9: none"),
    (
        "log_season",
        "log of its worth at this time of day over its usual one, -16 to 8; 0: no rhythm",
    ),
];

/// `log_reuse` and `relative_reuse` of an object never asked for again.
const NEVER_REUSED: (f32, f32) = (32.0, 9.0);

/// The row of an object of this history and size, as the lens sees it.
#[inline]
pub fn row(lens: &Lens<'_>, history: &History, size: u32) -> Row {
    let age = history.age(lens.now) as f32;
    let relative = |ticks: f32| (ticks * lens.cooling).max(1e-30).log2().clamp(-16.0, 8.0);
    let heat = lens.heat(history);
    let density = lens.model.density(history.class(), age as u32) / lens.cooling;
    let (log_reuse, relative_reuse) = match history.reuse() {
        NO_REUSE => NEVER_REUSED,
        bucket => {
            let reuse = bucket_start(bucket) as f32;
            ((reuse + 1.0).log2(), relative(reuse))
        }
    };
    [
        (age + 1.0).log2(),
        log_reuse,
        f32::from(history.count.max(1)).log2(),
        heat.max(1e-30).log2().max(-24.0),
        (lens.now.wrapping_sub(history.born) as f32 + 1.0).log2(),
        (size.max(1) as f32).log2(),
        relative(age),
        density.max(1e-30).log2().clamp(-24.0, 24.0),
        relative_reuse,
        lens.season(history).max(1e-30).log2().clamp(-16.0, 8.0),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::survival::Survival;
    use crate::random::Random;

    #[test]
    fn every_feature_is_finite_and_within_its_bounds() {
        let mut random = Random::new(3);
        let mut model = Survival::new(1_000, 64);
        for _ in 0..20_000 {
            let now = random.next_u32() >> (random.below(32));
            let mut history = History::first(random.next_u32(), random.next_u32());
            for _ in 0..random.below(5) {
                history.touch(random.next_u32() >> random.below(32), 0.001);
            }
            history.set_class(model.class_of(&history));
            let cooling = 1.0 / (32.0 * (1 + random.below(1 << 20)) as f32);
            let lens = Lens::new(now, &model, cooling);
            for (value, (name, _)) in row(&lens, &history, random.next_u32()).iter().zip(NAMES) {
                assert!(value.is_finite() && value.abs() <= 32.01, "{name} is {value}");
            }
        }
    }

    #[test]
    fn a_row_says_what_the_history_holds() {
        let mut model = Survival::new(1_000, 64);
        let mut history = History::first(100, 4);
        history.touch(163, 0.0);
        history.set_class(model.class_of(&history));
        let found = row(&Lens::new(163 + 127, &model, 1.0 / 1024.0), &history, 4);
        assert_eq!([7.0, 1.0, 2.0], [found[0], found[2], found[5]]);
        assert_eq!(((56.0f32 + 1.0).log2(), 5), (found[1], (found[1] as u32)));
        assert_eq!((191.0f32).log2(), found[4]);
        assert_eq!(0.0, found[9], "no rhythm");
    }
}
