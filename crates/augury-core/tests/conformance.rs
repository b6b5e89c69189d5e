//! Laws that every structural policy keeps, checked by one suite over random operations.
//!
//! A policy under test is wrapped in [`Checked`], which sees every call that the shard makes and
//! asserts the laws of `augury_core::policy::Policy` on the spot. To add a policy, add a line to
//! `every_policy!`.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::{HashMap, HashSet};

use augury_core::guard::{Auto, Guard};
use augury_core::hash::mix;
use augury_core::metrics::RemovalCause;
use augury_core::policy::eviction::belady::Belady;
use augury_core::policy::eviction::belady_size::BeladySize;
use augury_core::policy::eviction::fifo::Fifo;
use augury_core::policy::eviction::gdsf::Gdsf;
use augury_core::policy::eviction::hyperbolic::Hyperbolic;
use augury_core::policy::eviction::lfu::Lfu;
use augury_core::policy::eviction::lru::Lru;
use augury_core::policy::eviction::s3fifo::S3Fifo;
use augury_core::policy::eviction::sieve::Sieve;
use augury_core::policy::eviction::wtinylfu::WTinyLfu;
use augury_core::policy::ranking::RankingId;
use augury_core::policy::sampled::{Expert, Fixed, Sampled};
use augury_core::policy::{Policy, Verdict};
use augury_core::request::{Access, NEVER, Tick};
use augury_core::shard::{Inserted, Shard, Sink};
use augury_core::slots::{SlotId, Slots};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// Counts this thread's allocations.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged; the counter is a plain cell that
// neither allocates nor needs dropping.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise is the system allocator's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations() -> u64 {
    ALLOCATIONS.with(Cell::get)
}

/// A policy whose every call is checked against what the shard has told it before.
struct Checked<P> {
    inner: P,
    residents: HashSet<SlotId>,
    victims: Vec<(Tick, SlotId)>,
}

impl<P: Policy> Checked<P> {
    fn new(inner: P) -> Self {
        Checked { inner, residents: HashSet::new(), victims: Vec::new() }
    }

    fn check_count(&self) {
        if let Some(tracked) = self.inner.tracked() {
            assert_eq!(self.residents.len(), tracked, "the policy's count");
        }
    }
}

impl<P: Policy> Policy for Checked<P> {
    type Record = P::Record;

    fn set_capacity(&mut self, capacity: u64) {
        self.inner.set_capacity(capacity);
    }

    fn on_hit(&mut self, slots: &mut Slots<P::Record>, id: SlotId, access: &Access) {
        assert!(self.residents.contains(&id), "a hit on slot {id}, which is vacant");
        let before = allocations();
        self.inner.on_hit(slots, id, access);
        // A new size may move an entry to another group (belady_size), which may have to grow.
        if slots.size(id) == access.size {
            assert_eq!(before, allocations(), "a hit allocates");
        }
        self.check_count();
    }

    fn on_miss(&mut self, slots: &Slots<P::Record>, access: &Access) {
        self.inner.on_miss(slots, access);
    }

    fn approach(&self, hash: u64) {
        self.inner.approach(hash);
    }

    fn likely_next(&self) -> Option<SlotId> {
        self.inner.likely_next()
    }

    fn victim(
        &mut self,
        slots: &mut Slots<P::Record>,
        incoming: Option<&Access>,
        now: Tick,
    ) -> Verdict {
        let verdict = self.inner.victim(slots, incoming, now);
        match verdict {
            Verdict::Evict(id) => {
                assert!(self.residents.contains(&id), "the victim, slot {id}, is not resident");
                self.victims.push((now, id));
            }
            Verdict::Reject => assert!(incoming.is_some(), "rejected without a newcomer"),
        }
        self.check_count();
        verdict
    }

    fn on_insert(&mut self, slots: &mut Slots<P::Record>, id: SlotId, access: &Access) {
        assert!(self.residents.insert(id), "slot {id} is filled twice");
        self.inner.on_insert(slots, id, access);
        self.check_count();
    }

    fn on_reject(&mut self, access: &Access) {
        self.inner.on_reject(access);
    }

    fn on_remove(
        &mut self,
        slots: &mut Slots<P::Record>,
        id: SlotId,
        cause: RemovalCause,
        now: Tick,
    ) {
        assert!(self.residents.remove(&id), "slot {id} leaves twice");
        self.inner.on_remove(slots, id, cause, now);
        self.check_count();
    }

    fn on_resize(&mut self, slots: &Slots<P::Record>, id: SlotId, old: u32) {
        self.inner.on_resize(slots, id, old);
    }

    fn tracked(&self) -> Option<usize> {
        self.inner.tracked()
    }

    fn memory_bytes(&self) -> usize {
        self.inner.memory_bytes()
    }
}

#[derive(Debug, Clone)]
enum Op {
    /// A read; a miss inserts, with a deadline some milliseconds ahead where one is given.
    Get {
        key: u64,
        size: u32,
        ttl: Option<u64>,
    },
    /// A write to a resident; nothing where there is none.
    Replace {
        key: u64,
        size: u32,
    },
    Delete {
        key: u64,
    },
    /// Time passes and what is due leaves.
    Pass {
        millis: u64,
    },
    Resize {
        capacity: u64,
    },
}

const MAX_CAPACITY: u64 = 400;

fn op() -> impl Strategy<Value = Op> {
    let key = 0..60_u64;
    // Some objects are larger than the cache ever is; some take no room.
    let size = prop_oneof![8 => 1..30_u32, 1 => 30..200_u32, 1 => Just(0), 1 => Just(1_000)];
    prop_oneof![
        40 => (key.clone(), size.clone(), prop::option::weighted(0.2, 1..500_u64))
            .prop_map(|(key, size, ttl)| Op::Get { key, size, ttl }),
        3 => (key.clone(), 0..200_u32).prop_map(|(key, size)| Op::Replace { key, size }),
        3 => key.prop_map(|key| Op::Delete { key }),
        3 => (1..100_u64).prop_map(|millis| Op::Pass { millis }),
        1 => (0..MAX_CAPACITY).prop_map(|capacity| Op::Resize { capacity }),
    ]
}

/// For every operation the tick of the next read of its key, as an oracle knows it.
fn next_reads(ops: &[Op]) -> Vec<Tick> {
    let reads = ops.iter().filter(|op| matches!(op, Op::Get { .. })).count() as Tick;
    let (mut upcoming, mut tick) = (HashMap::new(), reads);
    let mut next = vec![NEVER; ops.len()];
    for (at, op) in ops.iter().enumerate().rev() {
        match op {
            Op::Get { key, .. } => {
                tick -= 1;
                next[at] = upcoming.insert(*key, tick).unwrap_or(NEVER);
            }
            Op::Replace { key, .. } => next[at] = upcoming.get(key).copied().unwrap_or(NEVER),
            _ => {}
        }
    }
    next
}

/// What is resident by the sink's account, to be compared with the store's.
#[derive(Default)]
struct Account {
    resident: HashSet<u64>,
    turned_away: u64,
}

impl Sink<u64, ()> for Account {
    fn removed(&mut self, key: u64, (): (), cause: RemovalCause) {
        if cause != RemovalCause::Replaced && !self.resident.remove(&key) {
            self.turned_away += 1;
        }
    }
}

fn resident<P: Policy>(shard: &Shard<u64, (), P>, hash: u64) -> Option<SlotId> {
    shard.store().candidates(hash).next()
}

/// Runs the operations, checking after each, and returns the victims in order.
fn run<P: Policy>(policy: P, ops: &[Op]) -> Vec<(Tick, SlotId)> {
    let mut shard = Shard::<u64, (), _>::new(MAX_CAPACITY, Checked::new(policy));
    let mut account = Account::default();
    let (mut now, next) = (0, next_reads(ops));
    for (op, next_access) in ops.iter().zip(next) {
        match *op {
            Op::Get { key, size, ttl } => {
                let access = Access { next_access, ..shard.begin(mix(key), key, size) };
                match resident(&shard, access.hash) {
                    Some(id) => shard.hit(id, &access, &mut account),
                    None => {
                        shard.miss(&access);
                        let deadline = ttl.map(|ttl| now + ttl);
                        let inserted = shard.insert(&access, key, (), deadline, &mut account);
                        let fits = size as u64 <= shard.capacity();
                        assert_eq!(fits, inserted != Inserted::Oversized, "bypass of {size}");
                        if let Inserted::Stored(_) = inserted {
                            account.resident.insert(key);
                        }
                    }
                }
            }
            Op::Replace { key, size } => {
                let access = Access { next_access, ..shard.write(mix(key), key, size) };
                let found = resident(&shard, access.hash);
                if let Some(id) = found
                    && size as u64 <= shard.capacity()
                {
                    shard.replace(id, &access, key, (), None, &mut account);
                }
            }
            Op::Delete { key } => {
                if let Some(id) = resident(&shard, mix(key)) {
                    shard.remove(id, RemovalCause::Explicit, &mut account);
                }
            }
            Op::Pass { millis } => {
                now += millis;
                shard.expire(now, usize::MAX, &mut account);
            }
            Op::Resize { capacity } => shard.resize(capacity, &mut account),
        }
        assert!(shard.store().used() <= shard.capacity(), "more is used than there is");
        assert_eq!(account.resident.len(), shard.store().len(), "every entry leaves once");
    }
    let stats = shard.stats();
    assert_eq!(stats.rejections + stats.oversized, account.turned_away);
    let left = stats.expired + stats.explicit + stats.evicted;
    assert_eq!(stats.insertions, left + shard.store().len() as u64);
    shard.policy().victims.clone()
}

fn keeps_the_laws<P: Policy>(policy: impl Fn() -> P) {
    let config = Config { cases: 48, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&prop::collection::vec(op(), 1..600), |ops| {
            let victims = run(policy(), &ops);
            prop_assert_eq!(victims, run(policy(), &ops), "same seed, same victims");
            Ok(())
        })
        .unwrap();
}

/// A long run of size-1 reads: lists, heaps, ghosts and sketches grow past their first sizes.
fn stands_a_long_run<P: Policy>(policy: impl Fn() -> P) {
    let mut shard = Shard::<u64, (), _>::new(MAX_CAPACITY, Checked::new(policy()));
    let mut account = Account::default();
    let mut state = 1_u64;
    for _ in 0..30_000 {
        state = mix(state);
        // Skewed: the smaller of two draws.
        let key = (state % 2_000).min((state >> 32) % 2_000);
        let access = shard.begin(mix(key), key, 1);
        match resident(&shard, access.hash) {
            Some(id) => shard.hit(id, &access, &mut account),
            None => {
                shard.miss(&access);
                if let Inserted::Stored(_) = shard.insert(&access, key, (), None, &mut account) {
                    account.resident.insert(key);
                }
            }
        }
    }
    assert_eq!(account.resident.len(), shard.store().len());
    assert_eq!(MAX_CAPACITY, shard.store().used(), "a cache under pressure is full");
    assert!(shard.stats().hits > 3_000, "{:?}", shard.stats());
    shard.resize(0, &mut account);
    assert_eq!(0, shard.store().len());
}

fn is_send<P: Policy + Send>(_: impl Fn() -> P) {}

macro_rules! every_policy {
    ($($name:ident: $new:expr,)*) => {$(
        mod $name {
            use super::*;

            #[test]
            fn keeps_the_laws() {
                super::keeps_the_laws(|| $new);
            }

            #[test]
            fn stands_a_long_run() {
                super::stands_a_long_run(|| $new);
                is_send(|| $new);
            }
        }
    )*};
}

every_policy! {
    fifo: Fifo::default(),
    lru: Lru::default(),
    sieve: Sieve::default(),
    lfu: Lfu::default(),
    gdsf: Gdsf::default(),
    s3fifo: S3Fifo::default(),
    wtinylfu: WTinyLfu::default(),
    hyperbolic: Hyperbolic::new(7),
    belady: Belady::default(),
    belady_bypass: Belady::bypassing(),
    belady_size: BeladySize::default(),
    belady_size_bypass: BeladySize::bypassing(),
    survival: survival(),
    auto: Auto::with_chooser(7, Guard::default()),
}

/// Shadows of hundreds of objects have windows that outgrow their first room, and experts retire.
#[test]
fn hits_of_a_larger_auto_allocate_nothing() {
    let auto = Checked::new(Auto::with_chooser(7, Guard::default()));
    let mut shard = Shard::<u64, (), _>::new(1_000, auto);
    let mut account = Account::default();
    let mut state = 1_u64;
    for at in 0..300_000 {
        if at == 40_000 {
            shard.resize(1_500, &mut account);
        }
        state = mix(state);
        let key = (state % 3_000).min((state >> 32) % 3_000);
        let access = shard.begin(mix(key), key, 1);
        match resident(&shard, access.hash) {
            Some(id) => shard.hit(id, &access, &mut account),
            None => {
                shard.miss(&access);
                shard.insert(&access, key, (), None, &mut account);
            }
        }
    }
}

fn survival() -> Sampled<Fixed> {
    Sampled::with_chooser(7, Fixed(Expert { ranking: RankingId::Density, admission: true }))
}
