//! What several caches tell, made one.

use super::heats::Heats;
use super::message::{Content, Message};

/// What several caches agree on: of each object the mean of its heats, the hottest so many; and what
/// the one of them knows of objects in general that has seen the most.
///
/// Traffic that is split at random gives every cache the same heats but for noise, whatever its share,
/// once it has seen enough: a heat is counted in its own reads. A cache that has just begun has seen
/// some of that, its *saturation*; so heats are summed, and their scale is that of the most saturated.
pub fn merge(told: &[Message], most: usize) -> Message {
    let pairs = told.iter().flat_map(|one| one.heats.pairs().iter().copied()).collect();
    let mut heats = Heats::summed(pairs, most);
    let saturations = || told.iter().map(|one| one.content.saturation);
    let (total, highest) = (saturations().sum::<f32>(), saturations().fold(0.0, f32::max));
    if total > 0.0 {
        heats.scale(highest / total);
    }
    let eldest = told.iter().max_by_key(|one| one.content.requests);
    let content = Content {
        saturation: highest,
        requests: told.iter().fold(0, |sum: u64, one| sum.saturating_add(one.content.requests)),
        members: told.len() as u32,
        ..Content::default()
    };
    let learned = eldest.map(|one| one.learned.clone()).unwrap_or_default();
    Message { content, heats, learned }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(saturation: f32, pairs: &[(u64, f32)], requests: u64) -> Message {
        let content = Content { saturation, requests, ..Content::default() };
        Message { content, heats: Heats::summed(pairs.to_vec(), 99), learned: vec![requests as u8] }
    }

    #[test]
    fn heats_are_means_and_the_eldest_has_learned_most() {
        let all = [told(0.5, &[(1, 4.0), (2, 1.0)], 7), told(0.5, &[(1, 2.0)], 9)];
        let merged = merge(&all, 99);
        assert_eq!(&[(1, 3.0), (2, 0.5)], merged.heats.pairs());
        assert_eq!(
            (2, 16, vec![9]),
            (merged.content.members, merged.content.requests, merged.learned)
        );
    }

    #[test]
    fn who_has_just_begun_does_not_cool_the_others() {
        let all = [told(0.8, &[(1, 4.0)], 7), told(0.0, &[(1, 1.0)], 1)];
        assert_eq!(&[(1, 5.0)], merge(&all, 99).heats.pairs());
    }

    #[test]
    fn nothing_merges_to_nothing() {
        assert!(merge(&[], 9).heats.is_empty());
    }
}
