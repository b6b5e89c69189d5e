//! The bound of memory: what the process takes beyond what entries count for is left to it.
//!
//! Entries are charged what the allocator sets aside for them, and a share of the index. The rest
//! (history and ghosts, pages that fragmentation keeps from being given back, the program itself)
//! cannot be foretold, so it is measured: ten times a second, and more often the more comes in, a
//! thread compares the resident set with what is counted, and reserves of the bound what the difference
//! exceeds its allowance by. The promise is a resident set of at most 1.05 times `--memory` and 32 MiB
//! and clients' buffers; what is aimed at is less, so that what happens between two looks has room. Holes in pages that hold
//! something else are not counted towards the aim: to evict for them makes more of them and gives no page
//! back, and what comes next fills them. They are where the promise itself is near. Evictions hold
//! the lock in short steps; where they do not keep up, clients that bring more make room first.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tikv_jemalloc_ctl::{epoch, stats};
use tracing::{error, warn};

use crate::server::{Server, Shared};

/// How often memory is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// How often while more is reserved than before, and at most.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// Bytes that come from clients and upstream between two looks, as far as that can be foreseen.
const VOLUME: u64 = 1 << 20;
/// Bytes evicted in one hold of the lock.
pub(crate) const STEP: u64 = 128 << 10;
/// Bytes that a client evicts for each that it brings, while room is to be made.
const HELP: u64 = 8;
/// Time that one look may spend on evictions; the rest waits for the next.
const BUDGET: Duration = Duration::from_millis(50);
/// Aimed at beyond the bound, for what does not grow with it: the program and its threads.
const ALLOWANCE: u64 = 16 << 20;
/// Aimed at beyond the bound, as a part of it.
const ALLOWANCE_PART: u64 = 50;
/// The same where holes are counted too: what is left of the promise beyond it is for what happens
/// between two looks.
const LIMIT: u64 = 26 << 20;
const LIMIT_PART: u64 = 25;
/// How many times what is beyond the limit is evicted: a run of pages comes back when all in it have gone, so of
/// small entries scattered over many pages few bytes come back at first.
const LIMIT_GAIN: u64 = 4;
/// The part of the bound that is evicted ahead so at most.
const AHEAD_PART: u64 = 8;
/// Free pages that the allocator may keep before it is asked to give them back.
const DIRTY_MAX: u64 = 4 << 20;
/// Most of the bound that is left to others, in tenths.
const RESERVE_TENTHS: u64 = 9;

/// What the process takes, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Measured {
    /// The resident set.
    pub rss: u64,
    /// The largest resident set that was seen.
    pub rss_peak: u64,
    /// Asked of the allocator and not given back.
    pub allocated: u64,
    /// Pages of the allocator with something in them.
    pub active: u64,
    /// What the allocator may have resident: active pages, its own books, free pages.
    pub resident: u64,
    /// The allocator's own books.
    pub metadata: u64,
    /// Clients' buffers.
    pub buffers: u64,
    /// The most that was in use at a look.
    pub peak: u64,
    /// What was allocated at the first look.
    pub startup: u64,
}

/// What is in use, and by what, in bytes.
pub struct Books {
    /// All that is in use.
    pub used: u64,
    /// The most that was.
    pub peak: u64,
    /// Index, history, and what there was at the start.
    pub overhead: u64,
    /// Keys and values.
    pub dataset: u64,
    /// Beyond the start.
    pub net: u64,
}

impl Measured {
    /// The books, where the entries count for so much, of which so much is not theirs. Where an
    /// interpreter runs the server the index and what hashes are made of come from the system's allocator, which
    /// is not asked: what the entries count for is in use at least.
    pub fn books(&self, counted: u64, overhead: u64) -> Books {
        let used = self.allocated.max(counted.max(overhead) + self.startup);
        let overhead = overhead + self.startup;
        Books {
            used,
            peak: self.peak.max(used),
            overhead,
            dataset: used.saturating_sub(overhead),
            net: used.saturating_sub(self.startup),
        }
    }

    /// With the extremes of what was measured before; the entries count for so much now.
    pub fn after(self, before: &Measured, counted: u64) -> Measured {
        let startup = if before.startup == 0 { self.allocated } else { before.startup };
        Measured {
            rss_peak: self.rss.max(before.rss_peak),
            peak: self.allocated.max(counted + startup).max(before.peak),
            startup,
            ..self
        }
    }

    /// Free pages that the allocator keeps.
    pub fn dirty(&self) -> u64 {
        self.resident.saturating_sub(self.active + self.metadata)
    }

    /// What would be resident if all free pages were given back, without clients' buffers.
    fn held(&self) -> u64 {
        self.rss.saturating_sub(self.dirty()).saturating_sub(self.buffers)
    }

    /// What of a bound is to be left to others while the entries count for so much, and so much of it
    /// is left to them already.
    fn reserve(&self, counted: u64, reserved: u64, memory: u64) -> u64 {
        let overhead = self.held().saturating_sub(counted);
        let holes = self.active.saturating_sub(self.allocated);
        let allowed = ALLOWANCE + memory / ALLOWANCE_PART;
        let above_aim = overhead.saturating_sub(holes).saturating_sub(allowed);
        let above_limit = overhead.saturating_sub(LIMIT + memory / LIMIT_PART);
        let more = above_limit.saturating_sub(reserved.max(above_aim));
        let ahead = ((LIMIT_GAIN - 1) * more).min(memory / AHEAD_PART);
        above_aim.max(above_limit + ahead).min(memory / 10 * RESERVE_TENTHS)
    }

    /// Whether free pages are to be given back.
    fn is_to_purge(&self, memory: u64) -> bool {
        let aim = memory + memory / ALLOWANCE_PART + ALLOWANCE + DIRTY_MAX;
        self.rss > aim + self.buffers && self.dirty() > DIRTY_MAX
    }
}

/// Measures the process.
///
/// # Errors
/// The system, or the allocator, does not tell.
pub fn measure(buffers: u64) -> io::Result<Measured> {
    let told = |error: tikv_jemalloc_ctl::Error| io::Error::other(error.to_string());
    epoch::advance().map_err(told)?;
    Ok(Measured {
        rss: resident_set()?,
        allocated: stats::allocated::read().map_err(told)? as u64,
        active: stats::active::read().map_err(told)? as u64,
        resident: stats::resident::read().map_err(told)? as u64,
        metadata: stats::metadata::read().map_err(told)? as u64,
        buffers,
        ..Measured::default()
    })
}

/// proc_pid_statm(5): the second number counts resident pages.
fn resident_set() -> io::Result<u64> {
    let text = std::fs::read_to_string("/proc/self/statm")?;
    let pages: Option<u64> = text.split(' ').nth(1).and_then(|it| it.parse().ok());
    let pages = pages.ok_or_else(|| io::Error::other("/proc/self/statm is not as expected"))?;
    Ok(pages * rustix::param::page_size() as u64)
}

/// Gives free pages of all arenas back to the system.
fn purge() {
    // All arenas: MALLCTL_ARENAS_ALL of jemalloc(3).
    let name = c"arena.4096.purge";
    let nothing = std::ptr::null_mut();
    // SAFETY: the name is a C string, and this control takes no value and answers none, which null
    // pointers and a length of zero say.
    let code = unsafe {
        tikv_jemalloc_sys::mallctl(name.as_ptr(), nothing, std::ptr::null_mut(), nothing, 0)
    };
    if code != 0 {
        warn!(code, "free memory was not given back");
    }
}

/// The thread that keeps the bound.
pub struct Control {
    thread: JoinHandle<()>,
    is_ending: Arc<AtomicBool>,
}

impl Control {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system has no thread left, or does not tell what the process takes.
    pub fn start(shared: Arc<Shared>) -> io::Result<Control> {
        let measured = measure(0)?;
        let mut server = shared.lock();
        server.measured = measured.after(&server.measured, server.keyspace.counted());
        drop(server);
        let is_ending = Arc::new(AtomicBool::new(false));
        let ending = is_ending.clone();
        let thread = std::thread::Builder::new().name("augury-memory".to_owned());
        let thread = thread.spawn(move || {
            let (mut wait, mut brought) = (LOOK, 0);
            while !ending.load(Ordering::Relaxed) {
                let begin = Instant::now();
                std::thread::park_timeout(wait);
                let waited = begin.elapsed();
                let is_tight = look(&shared);
                let now = shared.lock().brought;
                let volume = now - std::mem::replace(&mut brought, now);
                wait = if is_tight { LOOK_AGAIN } else { until_next(volume, waited) };
            }
        })?;
        Ok(Control { thread, is_ending })
    }

    /// Ends the thread.
    pub fn end(self) {
        self.is_ending.store(true, Ordering::Relaxed);
        self.thread.thread().unpark();
        if self.thread.join().is_err() {
            error!("the thread that bounds memory has panicked");
        }
    }
}

/// The time until the next look, after so many bytes have come within the last one.
fn until_next(volume: u64, waited: Duration) -> Duration {
    let share = VOLUME as f64 / volume.max(1) as f64;
    waited.mul_f64(share.min(LOOK.as_secs_f64() / waited.as_secs_f64().max(1e-9))).max(LOOK_AGAIN)
}

/// Measures, and evicts what is over the bound; whether there was something to evict.
fn look(shared: &Shared) -> bool {
    let buffers = shared.buffers.load(Ordering::Relaxed) as u64;
    let measured = match measure(buffers) {
        Ok(measured) => measured,
        Err(error) => {
            warn!(%error, "memory was not measured");
            return false;
        }
    };
    let (wanted, memory, is_tight) = {
        let mut server = shared.lock();
        server.measured = measured.after(&server.measured, server.keyspace.counted());
        let (memory, reserved) = (server.settings.memory, server.keyspace.reserved());
        let wanted = measured.reserve(server.keyspace.counted(), reserved, memory);
        server.reserve_wanted = wanted;
        (wanted, memory, wanted > reserved)
    };
    let begin = Instant::now();
    while !approach(&mut shared.lock(), wanted) && begin.elapsed() < BUDGET {
        std::thread::yield_now();
    }
    if measured.is_to_purge(memory) {
        purge();
    }
    is_tight
}

/// Evicts on behalf of who brings so many bytes, as far as more is to be left to others: who brings faster
/// than the thread evicts is slowed down by it.
pub(crate) fn help(server: &mut Server, brought: u64) {
    server.owed += brought * HELP;
    while server.owed >= STEP {
        server.owed -= STEP;
        if approach(server, server.reserve_wanted) {
            server.owed = 0;
        }
    }
}

/// One step to where so much is reserved within the bound that is set; whether it is there.
fn approach(server: &mut Server, wanted: u64) -> bool {
    let memory = server.settings.memory;
    let keyspace = &mut server.keyspace;
    // A bound that was lowered: what is above it is left to others first, step by step.
    let surplus = keyspace.capacity().saturating_sub(memory);
    // What was wanted of a bound that has been lowered since is not wanted of this one.
    let wanted = wanted.min(memory / 10 * RESERVE_TENTHS);
    let (now, goal) = (keyspace.reserved(), wanted + surplus);
    // Room is given back slowly: what was measured just now may come again.
    let next = if goal > now { goal.min(now + STEP) } else { goal.max(now - now.div_ceil(16)) };
    // What is not in use is no step.
    let unused = keyspace.capacity().saturating_sub(keyspace.used());
    let next = if goal > now { goal.min(next.max(now + unused)) } else { next };
    if next != now {
        keyspace.reserve(next);
    }
    if next < goal {
        return false;
    }
    if keyspace.capacity() != memory {
        keyspace.reserve(next - surplus.min(next));
        keyspace.resize(memory);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;
    use crate::object::Object;

    const MIB: u64 = 1 << 20;

    #[test]
    fn what_exceeds_the_allowance_is_left_to_others() {
        let quiet = Measured { rss: 110 * MIB, ..Measured::default() };
        assert_eq!(0, quiet.reserve(100 * MIB, 0, 100 * MIB));
        let fragmented = Measured { rss: 190 * MIB, ..Measured::default() };
        assert_eq!(72 * MIB, fragmented.reserve(100 * MIB, 72 * MIB, 100 * MIB));
        let free = Measured { resident: 80 * MIB, ..fragmented };
        assert_eq!((0, true), (free.reserve(100 * MIB, 0, 100 * MIB), free.is_to_purge(100 * MIB)));
        let buffered = Measured { buffers: 60 * MIB, ..fragmented };
        assert_eq!(12 * MIB, buffered.reserve(100 * MIB, 0, 100 * MIB));
    }

    #[test]
    fn holes_that_evictions_make_are_no_reason_for_more_evictions() {
        let measured = |allocated| Measured {
            rss: 120 * MIB,
            active: 105 * MIB,
            allocated,
            ..Measured::default()
        };
        let reserves = [100, 90, 60]
            .map(|counted| measured(counted * MIB).reserve(counted * MIB, 30 * MIB, 100 * MIB));
        assert_eq!([0, 0, 30 * MIB], reserves, "the last is beyond the limit");
        // While less is left to others pages are not given back as fast as entries leave.
        assert_eq!(
            30 * MIB + 100 * MIB / AHEAD_PART,
            measured(60 * MIB).reserve(60 * MIB, 20 * MIB, 100 * MIB)
        );
    }

    #[test]
    fn what_another_allocator_gave_is_in_the_books() {
        let measured =
            Measured { allocated: 3 * MIB, peak: 4 * MIB, startup: MIB, ..Measured::default() };
        let books = measured.books(20 * MIB, 8 * MIB);
        assert_eq!((21 * MIB, 21 * MIB, 20 * MIB), (books.used, books.peak, books.net));
        assert_eq!(books.used, books.overhead + books.dataset);
        let books = measured.books(MIB, 0);
        assert_eq!((3 * MIB, 4 * MIB, MIB), (books.used, books.peak, books.overhead));
        let books = measured.books(0, 8 * MIB);
        assert_eq!((9 * MIB, 0), (books.used, books.dataset));
        let later = Measured { allocated: MIB, ..Measured::default() }.after(&measured, 30 * MIB);
        assert_eq!((31 * MIB, MIB), (later.peak, later.startup));
    }

    #[test]
    fn a_lower_bound_is_reached_in_steps() {
        let mut server = Server::new(Settings { memory: 8 * MIB, ..Settings::default() });
        for number in 0..60_000u32 {
            let key = number.to_le_bytes();
            let hash = server.keyspace.asked(0, &key).hash;
            server.keyspace.put(hash, Object::text(0, &key, &[0; 100]), None, None);
        }
        server.settings.memory = 3 * MIB;
        server.bound_memory();
        assert_eq!(8 * MIB, server.keyspace.capacity());
        let mut steps = 0;
        while !approach(&mut server, MIB) {
            steps += 1;
        }
        assert!(steps > 20, "{steps}");
        assert_eq!((3 * MIB, MIB), (server.keyspace.capacity(), server.keyspace.reserved()));
        assert!(server.keyspace.counted() <= 2 * MIB);
        assert!(server.keyspace.counted() > MIB);
    }

    #[test]
    fn the_more_comes_the_sooner_memory_is_looked_at_again() {
        assert_eq!(LOOK, until_next(0, LOOK));
        assert_eq!(LOOK, until_next(VOLUME / 2, LOOK / 2));
        assert_eq!(LOOK / 4, until_next(VOLUME * 4, LOOK));
        assert_eq!(LOOK_AGAIN, until_next(VOLUME * 400, LOOK));
        assert_eq!(LOOK, until_next(VOLUME, Duration::from_secs(3)));
        assert!(until_next(0, Duration::ZERO) <= LOOK);
    }

    #[test]
    fn the_process_is_measured() {
        let measured = measure(0).expect("Linux tells");
        assert!(measured.rss > MIB && measured.active >= measured.allocated);
    }
}
