//! What a caller could not fetch: taken back without a trace.

use augury_core::hash::mix;
use augury_core::prefetch::Prefetcher;
use augury_core::prefetch::successor::Successor;
use augury_core::request::Access;

const OBJECTS: u64 = 500;
const CAPACITY: u64 = 1_000;

/// Rounds of a loop; how many prefetches were wished for, of which all are recalled or all used.
fn wished(prefetcher: &mut Prefetcher<Successor>, is_recalled: bool) -> u64 {
    let (mut wishes, mut staged) = (0, std::collections::HashSet::new());
    for now in 0..20 * OBJECTS {
        let hash = mix(mix(now % OBJECTS) ^ 1);
        let was_staged = staged.remove(&hash);
        prefetcher.demand(&Access::new(hash, hash, 1, now), was_staged, |_| false);
        for hash in prefetcher.to_drop() {
            staged.remove(hash);
        }
        for candidate in prefetcher.to_issue().to_vec() {
            wishes += 1;
            if is_recalled {
                prefetcher.recalled(candidate.hash);
                assert!(!prefetcher.is_waiting(candidate.hash));
            } else {
                staged.insert(candidate.hash);
            }
        }
    }
    wishes
}

#[test]
fn what_is_recalled_was_never_issued() {
    let mut prefetcher = Prefetcher::new(CAPACITY, 0.1, Successor::default());
    assert!(wished(&mut prefetcher, true) > 0);
    assert_eq!(0, prefetcher.stats().issued);
    assert_eq!(0, prefetcher.stats().used);
}

#[test]
fn a_recall_spends_nothing_and_teaches_no_distrust() {
    let mut often = Prefetcher::new(CAPACITY, 0.1, Successor::default());
    let before = wished(&mut often, true);
    let after = wished(&mut often, true);
    assert!(after >= before, "{after} wishes after {before}");
    let issued = wished(&mut often, false);
    assert_eq!(issued, often.stats().issued);
    assert!(often.stats().used > issued * 9 / 10);
}

#[test]
fn the_stage_follows_the_capacity() {
    let mut prefetcher = Prefetcher::new(CAPACITY, 0.1, Successor::default());
    let stage = prefetcher.stage();
    prefetcher.resize(2 * CAPACITY);
    assert_eq!(2 * stage, prefetcher.stage());
    prefetcher.resize(0);
    assert_eq!(0, prefetcher.stage());
    wished(&mut prefetcher, false);
    assert_eq!(0, prefetcher.stats().issued);
}
