//! Rankings: pure functions from an object's history to the worth of keeping it.
//!
//! All read the same [`History`], so they can be exchanged in a running cache at no cost. A
//! ranking is chosen once per decision ([`RankingId::with`]) and compiled into the loop over the
//! candidates.

use crate::history::{History, NO_REUSE, bucket_start};
use crate::model::features;
use crate::model::lens::{LANES, Lens};
use crate::model::seasons::{Expectation, Seasons};

/// A pure ranking: higher scores are kept, the lowest is evicted.
pub trait Ranking {
    /// Worth of keeping an object of this history and size, in the ranking's own unit.
    fn score(lens: &Lens<'_>, history: &History, size: u32) -> f32;

    /// The scores of several.
    #[inline(always)]
    fn scores(lens: &Lens<'_>, histories: &[History; LANES], sizes: &[u32; LANES]) -> [f32; LANES] {
        let mut scores = [0.0; LANES];
        for at in 0..LANES {
            scores[at] = Self::score(lens, &histories[at], sizes[at]);
        }
        scores
    }
}

/// Something to be done under a ranking.
pub trait WithRanking {
    /// What comes out.
    type Output;
    /// Does it.
    fn with<R: Ranking>(self) -> Self::Output;
}

/// Spares a division where entries are counted. A size of 0 takes the room of 1.
#[inline]
fn per_byte(worth: f32, size: u32) -> f32 {
    if size <= 1 { worth } else { worth / size as f32 }
}

/// For a worth that is the product of two.
#[inline]
fn per_byte_squared(worth: f32, size: u32) -> f32 {
    if size <= 1 { worth } else { worth / (size as f32 * size as f32) }
}

/// Density times heat, or with seasons what is to be expected by both. The other rankings see no
/// seasons, so that the guard can turn away from them.
#[inline(always)]
fn blend(lens: &Lens<'_>, history: &History) -> f32 {
    match lens.seasons {
        None => density(lens, history) * lens.heat(history),
        Some(seasons) => seasonal(lens, seasons, history),
    }
}

#[inline(always)]
fn density(lens: &Lens<'_>, history: &History) -> f32 {
    lens.model.density(history.class(), history.age(lens.now))
}

/// Apart, so that the loops over candidates stay small where there is no rhythm: as a rule.
#[inline(never)]
fn seasonal(lens: &Lens<'_>, seasons: &Seasons, history: &History) -> f32 {
    let Expectation { rate, factor, is_stale } = seasons.expect(history, lens.heat(history));
    let of_class = if is_stale { rate } else { density(lens, history) };
    of_class * rate * factor * factor
}

/// As [`blend`], of several.
#[inline(always)]
fn blends(lens: &Lens<'_>, histories: &[History; LANES]) -> [f32; LANES] {
    if let Some(seasons) = lens.seasons {
        return std::array::from_fn(|at| seasonal(lens, seasons, &histories[at]));
    }
    let (mut both, heats) = lens.densities_and_heats(histories);
    for (both, heat) in both.iter_mut().zip(heats) {
        *both *= heat;
    }
    both
}

#[inline(always)]
fn each(
    mut worths: [f32; LANES],
    sizes: &[u32; LANES],
    of: impl Fn(f32, u32) -> f32,
) -> [f32; LANES] {
    for (worth, &size) in worths.iter_mut().zip(sizes) {
        *worth = of(*worth, size);
    }
    worths
}

macro_rules! rankings {
    ($($(#[$doc:meta])* $id:ident $name:literal = |$lens:ident, $history:ident, $size:ident| $score:expr
        $(, several |$several:ident, $histories:ident, $sizes:ident| $scores:expr)?;)*) => {
        /// The rankings.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum RankingId { $($(#[$doc])* $id,)* }

        $($(#[$doc])* pub struct $id;

        impl Ranking for $id {
            #[inline(always)]
            fn score($lens: &Lens<'_>, $history: &History, $size: u32) -> f32 {
                $score
            }

            $(#[inline(always)]
            fn scores(
                $several: &Lens<'_>,
                $histories: &[History; LANES],
                $sizes: &[u32; LANES],
            ) -> [f32; LANES] {
                $scores
            })?
        })*

        impl RankingId {
            /// All rankings.
            pub const ALL: &'static [RankingId] = &[$(RankingId::$id,)*];

            /// The ranking's name.
            pub const fn name(self) -> &'static str {
                match self { $(RankingId::$id => $name,)* }
            }

            /// The ranking's name where newcomers have to prove themselves.
            pub const fn name_with_admission(self) -> &'static str {
                match self { $(RankingId::$id => concat!($name, "+"),)* }
            }

            /// Does something under this ranking.
            #[inline]
            pub fn with<W: WithRanking>(self, what: W) -> W::Output {
                match self { $(RankingId::$id => what.with::<$id>(),)* }
            }
        }
    };
}

rankings! {
    /// Reuses per byte and tick of residence: Gittins' index of the survival table.
    Density "density" = |lens, history, size|
        per_byte(density(lens, history), size),
        several |lens, histories, sizes| {
            let (densities, _) = lens.densities_and_heats(histories);
            each(densities, sizes, per_byte)
        };

    /// Recency: the order of LRU.
    Recency "recency" = |lens, history, _size|
        -(history.age(lens.now) as f32);

    /// Decayed count per byte: LFU with aging, GDSF's order where sizes differ.
    Heat "heat" = |lens, history, size|
        per_byte(lens.heat(history), size),
        several |lens, histories, sizes| each(lens.heats(histories), sizes, per_byte);

    /// The larger of age and latest reuse time: the order of LIRS (Jiang and Zhang, SIGMETRICS
    /// 2002). Objects never asked for again come first.
    Reuse "reuse" = |lens, history, _size| {
        let age = history.age(lens.now);
        if history.reuse() == NO_REUSE { -(age as f32) - 1e12 }
        else { -(age.max(bucket_start(history.reuse()) as u32) as f32) }
    };

    /// Density times heat: the geometric mean of two estimates of the same rate, squared. One is
    /// of the object's class, the other its own.
    Blend "blend" = |lens, history, size| {
        per_byte_squared(blend(lens, history), size)
    }, several |lens, histories, sizes| each(blends(lens, histories), sizes, per_byte_squared);

    /// Undecayed count per byte, ties to the oldest: holds on to a part of a loop.
    Count "count" = |lens, history, size|
        per_byte(history.count as f32 * 4e9 + history.age(lens.now) as f32, size);

    /// What a trained model says, per byte; the density where none is loaded.
    Learned "learned" = |lens, history, size| match lens.predictor {
        Some(predictor) => per_byte(predictor.worth(&features::row(lens, history, size)), size),
        None => Density::score(lens, history, size),
    };
}
