//! Loads and writes of one key: nobody is shown a value older than an acknowledged write.

use super::super::Permit;
use super::*;
use crate::cache::sync::Mutex;
use shuttle::thread;

/// A source of values, a cache in front of it, and the loads that are under way.
struct Fronted {
    source: AtomicU64,
    cache: Arc<Tested<u64>>,
    flights: Mutex<Vec<Arc<Permit>>>,
    /// How a load stores what it has found.
    store: fn(&Tested<u64>, u64, &Permit),
}

impl Fronted {
    fn new(store: fn(&Tested<u64>, u64, &Permit)) -> Arc<Self> {
        let (source, cache, flights) = (AtomicU64::new(0), cache(8, 1), Mutex::default());
        Arc::new(Fronted { source, cache, flights, store })
    }

    fn load(&self) {
        let permit = Arc::new(Permit::default());
        self.flights.lock().unwrap().push(permit.clone());
        let value = self.source.load(Ordering::SeqCst);
        (self.store)(&self.cache, value, &permit);
        self.flights.lock().unwrap().retain(|flight| !Arc::ptr_eq(flight, &permit));
    }

    /// Writes the source, then the cache, or removes what is there.
    fn write(&self, value: u64, is_removal: bool) {
        self.source.store(value, Ordering::SeqCst);
        let flights = std::mem::take(&mut *self.flights.lock().unwrap());
        flights.iter().for_each(|permit| permit.revoke());
        if is_removal {
            take(&self.cache, 0);
        } else {
            set(&self.cache, 0, value, When::Always);
        }
    }
}

/// Two loads and two writes; after each write, nothing older is read.
fn program(store: fn(&Tested<u64>, u64, &Permit), is_removal: bool) {
    let fronted = Fronted::new(store);
    let loads = [0, 1].map(|_| {
        let fronted = fronted.clone();
        thread::spawn(move || fronted.load())
    });
    for value in [1, 2] {
        fronted.write(value, is_removal);
        let seen = get(&fronted.cache, 0);
        assert!(seen.is_none_or(|seen| seen >= value), "{seen:?} after {value} was written");
    }
    loads.into_iter().for_each(|load| load.join().unwrap());
    assert!(matches!(get(&fronted.cache, 0), None | Some(2)));
}

fn store_permitted(cache: &Tested<u64>, value: u64, permit: &Permit) {
    set(cache, 0, value, When::Permitted(permit));
}

/// Looks before the lock, and again after it: enough only where no thread runs in between.
fn store_and_look_again(cache: &Tested<u64>, value: u64, permit: &Permit) {
    if !permit.is_revoked() {
        set(cache, 0, value, When::Always);
        if permit.is_revoked() {
            take(cache, 0);
        }
    }
}

#[test]
fn no_read_is_older_than_an_acknowledged_write() {
    explore(|| program(store_permitted, false));
    explore(|| program(store_permitted, true));
}

#[test]
fn a_look_outside_the_lock_is_found_out() {
    assert!(finds(|| program(store_and_look_again, false)));
    assert!(finds(|| program(store_and_look_again, true)));
}
