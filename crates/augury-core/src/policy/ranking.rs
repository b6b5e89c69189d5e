//! Rankings: pure functions from an object's history to the worth of keeping it.
//!
//! All read the same [`History`], so they can be exchanged in a running cache at no cost. A
//! ranking is chosen once per decision ([`RankingId::with`]) and compiled into the loop over the
//! candidates.

use crate::history::{History, NO_REUSE, bucket_start};
use crate::model::features;
use crate::model::lens::Lens;
use crate::model::seasons::Expectation;

/// A pure ranking: higher scores are kept, the lowest is evicted.
pub trait Ranking {
    /// Worth of keeping an object of this history and size, in the ranking's own unit.
    fn score(lens: &Lens<'_>, history: &History, size: u32) -> f32;
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

/// Density times heat, or with seasons what is to be expected by both. The other rankings see no
/// seasons, so that the guard can turn away from them.
#[inline]
fn blend(lens: &Lens<'_>, history: &History) -> f32 {
    let density = || lens.model.density(history.class(), history.age(lens.now));
    match lens.expect(history) {
        None => density() * lens.heat(history),
        Some(Expectation { rate, factor, is_stale }) => {
            let of_class = if is_stale { rate } else { density() };
            of_class * rate * factor * factor
        }
    }
}

macro_rules! rankings {
    ($($(#[$doc:meta])* $id:ident $name:literal = |$lens:ident, $history:ident, $size:ident| $score:expr;)*) => {
        /// The rankings.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum RankingId { $($(#[$doc])* $id,)* }

        $($(#[$doc])* pub struct $id;

        impl Ranking for $id {
            #[inline]
            fn score($lens: &Lens<'_>, $history: &History, $size: u32) -> f32 {
                $score
            }
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
        per_byte(lens.model.density(history.class(), history.age(lens.now)), size);

    /// Recency: the order of LRU.
    Recency "recency" = |lens, history, _size|
        -(history.age(lens.now) as f32);

    /// Decayed count per byte: LFU with aging, GDSF's order where sizes differ.
    Heat "heat" = |lens, history, size|
        per_byte(lens.heat(history), size);

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
        let both = blend(lens, history);
        if size <= 1 { both } else { both / (size as f32 * size as f32) }
    };

    /// Undecayed count per byte, ties to the oldest: holds on to a part of a loop.
    Count "count" = |lens, history, size|
        per_byte(history.count as f32 * 4e9 + history.age(lens.now) as f32, size);

    /// What a trained model says, per byte; the density where none is loaded.
    Learned "learned" = |lens, history, size| match lens.predictor {
        Some(predictor) => per_byte(predictor.worth(&features::row(lens, history, size)), size),
        None => Density::score(lens, history, size),
    };
}
