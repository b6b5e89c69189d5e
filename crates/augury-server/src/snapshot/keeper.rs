//! When snapshots are written: on request, by the schedule, at the end.
//!
//! A thread of its own writes them. Commands leave a request in [`Snapshots`], under the lock of the
//! server, and wake the thread; who waits for the outcome is woken by it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, Thread};
use std::time::{Duration, Instant};

use augury_core::clock::Millis;
use tracing::{error, info};

use super::section::SnapshotError;
use super::writer::{Order, Written, write};
use crate::client::{ClientId, Place};
use crate::config::Settings;
use crate::net::Post;
use crate::server::{Server, Shared};

/// How often the schedule is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// A client that waits for a snapshot.
#[derive(Debug, Clone, Copy)]
struct Waiter {
    client: ClientId,
    place: Place,
    /// The number of the snapshot.
    number: u64,
}

/// What is known of snapshots, under the lock of the server.
#[derive(Debug, Default)]
pub struct Snapshots {
    /// Whether one is being written.
    pub is_running: bool,
    /// Whether one is asked for.
    is_asked: bool,
    /// Snapshots that have ended, well or not.
    ended: u64,
    /// When the latest good one was written, or the server began, in Unix time.
    pub latest: Millis,
    /// Whether the latest one was written.
    pub is_good: bool,
    /// How long the latest one took, in seconds; none was written yet where none.
    pub seconds: Option<u64>,
    /// What the keyspace had counted as changed when the latest good one began.
    pub dirty_before: u64,
    /// When the latest one was tried.
    tried: Millis,
    waiters: Vec<Waiter>,
    thread: Option<Thread>,
}

impl Snapshots {
    /// None yet.
    pub fn new(now: Millis) -> Snapshots {
        Snapshots { latest: now, tried: now, is_good: true, ..Snapshots::default() }
    }

    /// Whether one is being written, or about to be.
    pub fn is_busy(&self) -> bool {
        self.is_running || self.is_asked
    }

    /// Asks for one; where one is being written, for another behind it.
    pub fn ask(&mut self) {
        self.is_asked = true;
        if let Some(thread) = &self.thread {
            thread.unpark();
        }
    }

    /// Lets a client wait for the next one.
    pub fn wait(&mut self, client: ClientId, place: Place) {
        let ended = self.ended;
        self.waiters.retain(|waiter| waiter.client != client && waiter.number >= ended);
        self.waiters.push(Waiter { client, place, number: ended + 1 });
    }

    /// What has become of the snapshot that a client waits for: none where it waits for none,
    /// `Some(None)` while it goes on, and whether it is good.
    pub fn outcome(&mut self, client: ClientId) -> Option<Option<bool>> {
        let at = self.waiters.iter().position(|waiter| waiter.client == client)?;
        if self.waiters[at].number > self.ended {
            return Some(None);
        }
        self.waiters.swap_remove(at);
        Some(Some(self.is_good))
    }

    /// Whether the schedule, or a command, wants one now.
    fn is_due(&self, settings: &Settings, dirty: u64, now: Millis) -> bool {
        let elapsed = now.saturating_sub(self.tried) / 1000;
        let interval = settings.snapshot_interval;
        let changes = dirty - self.dirty_before;
        self.is_asked
            || interval > 0 && elapsed >= interval
            || settings.save.iter().any(|it| elapsed >= it.seconds && changes >= it.changes.max(1))
    }
}

/// The thread that writes snapshots.
pub struct Keeper {
    thread: JoinHandle<()>,
    shared: Arc<Shared>,
    is_ending: Arc<AtomicBool>,
}

impl Keeper {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn start(shared: Arc<Shared>, post: Post) -> std::io::Result<Keeper> {
        let is_ending = Arc::new(AtomicBool::new(false));
        let (ending, kept) = (is_ending.clone(), shared.clone());
        let thread = std::thread::Builder::new().name("augury-snapshot".to_owned());
        let thread = thread.spawn(move || keep(&kept, &post, &ending))?;
        shared.lock().snapshots.thread = Some(thread.thread().clone());
        Ok(Keeper { thread, shared, is_ending })
    }

    /// Gives up what is being written, and ends the thread.
    pub fn end(self) {
        self.is_ending.store(true, Ordering::Relaxed);
        self.thread.thread().unpark();
        if self.thread.join().is_err() {
            error!("the thread of snapshots has panicked");
        }
        self.shared.lock().snapshots.is_running = false;
    }
}

fn keep(shared: &Shared, post: &Post, is_ending: &AtomicBool) {
    while !is_ending.load(Ordering::Relaxed) {
        let path = {
            let mut server = shared.lock();
            let (now, dirty) = (server.now, server.keyspace.dirty());
            let Server { snapshots, settings, .. } = &mut *server;
            snapshots.is_due(settings, dirty, now).then(|| {
                snapshots.is_running = true;
                snapshots.is_asked = false;
                snapshots.tried = now;
                settings.snapshot_path()
            })
        };
        let Some(path) = path else {
            std::thread::park_timeout(LOOK);
            continue;
        };
        let begin = Instant::now();
        let dirty = shared.lock().keyspace.dirty();
        let written = write(shared, &path, Order::Short, || is_ending.load(Ordering::Relaxed));
        report(&written, &path, begin);
        {
            let mut server = shared.lock();
            server.snapshots_ended(written.is_ok(), dirty, begin.elapsed());
        }
        post.deliver(shared);
    }
}

/// Tells the log what has become of a snapshot.
pub fn report(written: &Result<Written, SnapshotError>, path: &std::path::Path, begin: Instant) {
    let (path, millis) = (path.display(), begin.elapsed().as_millis() as u64);
    match written {
        Ok(Written { entries, bytes }) => {
            info!(%path, entries, bytes, millis, "a snapshot is written")
        }
        Err(SnapshotError::Cancelled) => {
            info!(%path, "a snapshot was given up, as the server ends")
        }
        Err(error) => error!(%path, %error, "a snapshot could not be written"),
    }
}

impl Server {
    /// Takes down what has become of a snapshot, and wakes who waits for it.
    fn snapshots_ended(&mut self, is_good: bool, dirty: u64, took: Duration) {
        let now = self.now;
        let snapshots = &mut self.snapshots;
        snapshots.is_running = false;
        snapshots.is_good = is_good;
        snapshots.ended += 1;
        snapshots.seconds = Some(took.as_secs());
        if is_good {
            snapshots.latest = now;
            snapshots.dirty_before = dirty;
        }
        let ended = snapshots.ended;
        let woken: Vec<Place> = snapshots
            .waiters
            .iter()
            .filter(|waiter| waiter.number <= ended)
            .map(|waiter| waiter.place)
            .collect();
        for place in woken {
            self.wake(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SaveRule;

    #[test]
    fn the_schedule_is_by_time_and_by_changes() {
        let mut settings = Settings::default();
        let mut snapshots = Snapshots::new(0);
        assert!(!snapshots.is_due(&settings, 100, 1_000_000));
        settings.snapshot_interval = 10;
        assert!(!snapshots.is_due(&settings, 0, 9_999) && snapshots.is_due(&settings, 0, 10_000));
        settings.snapshot_interval = 0;
        settings.save = vec![SaveRule { seconds: 60, changes: 5 }];
        assert!(!snapshots.is_due(&settings, 5, 59_999) && !snapshots.is_due(&settings, 4, 60_000));
        assert!(snapshots.is_due(&settings, 5, 60_000));
        settings.save.clear();
        snapshots.ask();
        assert!(snapshots.is_due(&settings, 0, 0) && snapshots.is_busy());
    }

    #[test]
    fn who_waits_is_told_once() {
        let mut snapshots = Snapshots::new(0);
        let place = Place { worker: 0, connection: 0 };
        assert_eq!(None, snapshots.outcome(7));
        snapshots.wait(7, place);
        assert_eq!(Some(None), snapshots.outcome(7));
        snapshots.ended += 1;
        assert_eq!((Some(Some(true)), None), (snapshots.outcome(7), snapshots.outcome(7)));
    }
}
