//! Keys, values and the policy factory are the caller's code too: they run unlocked. And a panic
//! under a lock, which only a faulty policy can raise, costs one shard's entries and no more.

use augury_core::cache::{Cache, Gone, Newcomer, Outcome, Pure, When};
use augury_core::clock::{ManualClock, Millis};
use augury_core::metrics::RemovalCause;
use augury_core::policy::eviction::lru::Lru;
use augury_core::policy::{Policy, Verdict};
use augury_core::request::{Access, Tick};
use augury_core::slots::{SlotId, Slots};
use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Weak};

/// LRU that panics when told to, in each of its verbs.
struct Faulty {
    lru: Lru,
    armed: Arc<[AtomicBool; 4]>,
}

const HIT: usize = 0;
const VICTIM: usize = 1;
const INSERT: usize = 2;
const REMOVE: usize = 3;

impl Faulty {
    fn trip(&self, verb: usize) {
        assert!(!self.armed[verb].swap(false, Ordering::Relaxed), "a faulty policy");
    }
}

impl Policy for Faulty {
    type Record = <Lru as Policy>::Record;

    fn set_capacity(&mut self, _: u64) {}

    fn on_hit(&mut self, slots: &mut Slots<Self::Record>, id: SlotId, access: &Access) {
        self.trip(HIT);
        self.lru.on_hit(slots, id, access);
    }

    fn victim(
        &mut self,
        slots: &mut Slots<Self::Record>,
        incoming: Option<&Access>,
        now: Tick,
    ) -> Verdict {
        self.trip(VICTIM);
        self.lru.victim(slots, incoming, now)
    }

    fn on_insert(&mut self, slots: &mut Slots<Self::Record>, id: SlotId, access: &Access) {
        self.trip(INSERT);
        self.lru.on_insert(slots, id, access);
    }

    fn on_remove(
        &mut self,
        slots: &mut Slots<Self::Record>,
        id: SlotId,
        cause: RemovalCause,
        now: Tick,
    ) {
        self.trip(REMOVE);
        self.lru.on_remove(slots, id, cause, now);
    }

    fn memory_bytes(&self) -> usize {
        0
    }
}

type LoudCache = Cache<Arc<Loud>, Arc<Loud>, Faulty, ManualClock>;

/// Calls the cache when dropped, and says so.
struct Loud {
    id: u64,
    cache: Weak<LoudCache>,
    dropped: Sender<u64>,
}

impl Drop for Loud {
    fn drop(&mut self) {
        if let Some(cache) = self.cache.upgrade() {
            let probe = Pure(|k: &Arc<Loud>| k.id == self.id);
            cache.get(0, probe, &mut Gone::new()).unwrap();
            cache.expire(1, &mut Gone::new());
            assert!(cache.len() < 100);
        }
        self.dropped.send(self.id).unwrap();
    }
}

struct Setup {
    cache: Arc<LoudCache>,
    armed: Arc<[AtomicBool; 4]>,
    dropped: Sender<u64>,
}

impl Setup {
    fn new(dropped: Sender<u64>) -> Setup {
        let armed = Arc::new([const { AtomicBool::new(false) }; 4]);
        let arms = armed.clone();
        let policy = move |_| Faulty { lru: Lru::default(), armed: arms.clone() };
        let cache = Arc::new(Cache::new(2, 1, ManualClock::default(), policy));
        Setup { cache, armed, dropped }
    }

    fn loud(&self, id: u64) -> Arc<Loud> {
        let (cache, dropped) = (Arc::downgrade(&self.cache), self.dropped.clone());
        Arc::new(Loud { id, cache, dropped })
    }

    fn insert(&self, id: u64, size: u32, deadline: Option<Millis>) -> Outcome {
        let (key, value) = (self.loud(id), self.loud(id));
        let newcomer = Newcomer {
            hash: 0,
            key,
            value,
            size,
            deadline,
            is_forced: false,
            namespace: 0,
            heard: 0,
        };
        let probe = |k: &Arc<Loud>| -> Result<bool, Infallible> { Ok(k.id == id) };
        self.cache.insert(newcomer, When::Always, probe, &mut Gone::new()).unwrap()
    }

    fn get(&self, id: u64) -> bool {
        let probe = Pure(|k: &Arc<Loud>| k.id == id);
        self.cache.get(0, probe, &mut Gone::new()).unwrap().is_some()
    }

    fn remove(&self, id: u64) -> bool {
        let probe = Pure(|k: &Arc<Loud>| k.id == id);
        self.cache.remove(0, probe, &mut Gone::new()).unwrap().is_some()
    }
}

/// Keys and values are dropped after unlock, whatever the cause, each once.
#[test]
fn drops_may_call_the_cache() {
    let (dropped, drops) = channel();
    let setup = Setup::new(dropped);
    let mut expected = Vec::new();
    for id in 0..8 {
        assert_eq!(Outcome::Added, setup.insert(id, 1, None));
        assert_eq!(Outcome::Replaced, setup.insert(id, 1, None));
        assert_eq!(Outcome::Added, setup.insert(100 + id, 2, Some(11 + id)));
        assert_eq!(Outcome::Oversized, setup.insert(200 + id, 3, None));
        assert_eq!(Outcome::Expired, setup.insert(300 + id, 1, Some(0)));
        setup.cache.clock().advance_to(11 + id);
        assert_eq!(Outcome::Added, setup.insert(400 + id, 1, None));
        assert!(setup.remove(400 + id));
        for (base, count) in [(0, 4), (100, 2), (200, 2), (300, 2), (400, 2)] {
            expected.extend(std::iter::repeat_n(base + id, count));
        }
    }
    setup.insert(998, 1, None);
    setup.cache.clear(&mut Gone::new());
    setup.insert(999, 1, None);
    expected.extend([998, 998, 999, 999]);
    let stats = setup.cache.stats();
    assert_eq!((8, 8, 9), (stats.evicted, stats.expired, stats.explicit));
    drop(setup);
    let mut ids: Vec<_> = drops.try_iter().collect();
    ids.sort_unstable();
    expected.sort_unstable();
    assert_eq!(expected, ids);
}

/// A policy's panic reaches the caller; the next operation finds an empty, working shard; what
/// was lost is counted and dropped once, and nothing is dropped under the lock on the way.
#[test]
fn a_panicking_policy_does_not_wedge_the_cache() {
    for verb in [HIT, VICTIM, INSERT, REMOVE] {
        let (dropped, drops) = channel();
        let setup = Setup::new(dropped);
        setup.insert(1, 1, None);
        if verb != INSERT {
            setup.insert(2, 1, None);
        }
        setup.armed[verb].store(true, Ordering::Relaxed);
        let panicked = catch_unwind(AssertUnwindSafe(|| match verb {
            HIT => setup.get(1),
            REMOVE => setup.remove(1),
            _ => setup.insert(3, 1, None) == Outcome::Added,
        }));
        assert!(panicked.is_err());
        assert!(!setup.get(1));
        assert_eq!(1, setup.cache.rebuilt());
        assert_eq!(0, setup.cache.len());
        setup.insert(4, 1, None);
        assert!(setup.get(4));
        let stats = setup.cache.stats();
        assert_eq!(1, stats.insertions - stats.evicted - stats.explicit - stats.expired);
        drop(setup);
        let mut ids: Vec<_> = drops.try_iter().collect();
        ids.sort_unstable();
        let expected: &[u64] = match verb {
            HIT | REMOVE => &[1, 1, 2, 2, 4, 4],
            VICTIM => &[1, 1, 2, 2, 3, 3, 4, 4],
            _ => &[1, 1, 3, 3, 4, 4],
        };
        assert_eq!(expected, ids);
    }
}

/// An answer given before a shard was started anew does not count after it, although slots and
/// versions begin again at the same numbers.
#[test]
fn answers_do_not_outlive_a_rebuilt_shard() {
    let (dropped, _drops) = channel();
    let setup = Setup::new(dropped);
    setup.insert(1, 1, None);
    let probe = |k: &Arc<Loud>| -> Result<bool, Infallible> {
        if setup.cache.rebuilt() == 0 {
            setup.armed[HIT].store(true, Ordering::Relaxed);
            assert!(catch_unwind(AssertUnwindSafe(|| setup.get(1))).is_err());
            setup.insert(2, 1, None);
        }
        Ok(k.id == 1)
    };
    let found = setup.cache.get(0, probe, &mut Gone::new()).unwrap();
    assert_eq!(None, found.map(|value| value.id));
}
