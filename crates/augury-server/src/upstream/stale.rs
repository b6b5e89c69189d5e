//! Values that have ended, kept to be served where a load fails.
//!
//! Only what an upstream brought comes here, when it expires; a write of its key removes it. Bounded in
//! bytes: what has ended first goes first.

use std::collections::VecDeque;
use std::sync::Arc;

use augury_core::clock::Millis;
use rustc_hash::FxHashMap;

use crate::keyspace::Keyspace;
use crate::object::Object;

struct Kept {
    object: Arc<Object>,
    until: Millis,
    number: u64,
}

/// See the module's head.
pub struct Stale {
    kept: FxHashMap<u64, Kept>,
    order: VecDeque<(u64, u64)>,
    latest: u64,
    bytes: u64,
    bytes_max: u64,
}

impl Stale {
    /// Room for so many bytes.
    pub fn new(bytes_max: u64) -> Stale {
        let (kept, order) = (FxHashMap::default(), VecDeque::new());
        Stale { kept, order, latest: 0, bytes: 0, bytes_max }
    }

    /// Keeps an object until a moment.
    pub fn keep(&mut self, hash: u64, object: Object, until: Millis) {
        self.remove(hash);
        self.latest += 1;
        self.bytes += Keyspace::weight(&object);
        self.kept.insert(hash, Kept { object: Arc::new(object), until, number: self.latest });
        self.order.push_back((hash, self.latest));
        while self.bytes > self.bytes_max {
            let Some((hash, number)) = self.order.pop_front() else { break };
            if self.kept.get(&hash).is_some_and(|it| it.number == number) {
                self.remove(hash);
            }
        }
        if self.order.len() > 2 * self.kept.len() + 64 {
            let kept = &self.kept;
            self.order
                .retain(|(hash, number)| kept.get(hash).is_some_and(|it| it.number == *number));
        }
    }

    /// What is kept under a key, if its time is not over.
    pub fn get(&self, hash: u64, key: &[u8], now: Millis) -> Option<Arc<Object>> {
        let kept = self.kept.get(&hash).filter(|kept| kept.until > now)?;
        kept.object.is_under(0, key).then(|| kept.object.clone())
    }

    /// The key was written, or loaded anew.
    pub fn remove(&mut self, hash: u64) {
        if let Some(kept) = self.kept.remove(&hash) {
            self.bytes -= Keyspace::weight(&kept.object);
        }
    }

    /// Removes up to `limit` of what is over, oldest first.
    pub fn expire(&mut self, now: Millis, limit: usize) {
        for _ in 0..limit {
            let Some(&(hash, number)) = self.order.front() else { break };
            match self.kept.get(&hash).filter(|it| it.number == number) {
                Some(kept) if kept.until > now => break,
                Some(_) => self.remove(hash),
                None => {}
            }
            self.order.pop_front();
        }
    }

    /// Removes all.
    pub fn clear(&mut self) {
        self.kept.clear();
        self.order.clear();
        self.bytes = 0;
    }

    /// How many are kept, and their bytes.
    pub fn size(&self) -> (usize, u64) {
        (self.kept.len(), self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(key: u64) -> Object {
        Object::text(0, &key.to_be_bytes(), &[0; 100])
    }

    #[test]
    fn what_is_kept_is_bounded_and_ends() {
        let each = Keyspace::weight(&object(0));
        let mut stale = Stale::new(10 * each);
        for key in 0..100 {
            stale.keep(key, object(key), 1_000 + key);
            stale.keep(key, object(key), 1_000 + key);
            stale.remove(key.wrapping_sub(3));
            assert!(stale.size().1 <= 10 * each && stale.order.len() <= 128);
        }
        assert_eq!(3, stale.size().0);
        assert!(stale.get(99, &99u64.to_be_bytes(), 1_098).is_some());
        assert!(stale.get(99, &98u64.to_be_bytes(), 1_098).is_none());
        assert!(stale.get(99, &99u64.to_be_bytes(), 1_099).is_none());
        stale.expire(1_098, 1_000);
        assert_eq!((1, each), stale.size());
        stale.expire(2_000, 1_000);
        assert_eq!((0, 0), stale.size());
    }
}
