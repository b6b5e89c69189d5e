//! Space-saving: the most frequent keys of a stream, with weights.
//!
//! Metwally, Agrawal and El Abbadi, "Efficient computation of frequent and top-k elements in data
//! streams", 2005. A key that is not held takes the place, and the count, of the least one. So a
//! count is never too low, and too high by at most F / m; every key above F / m is held.
//!
//! A binary heap by count with the place of each key: an update moves one entry down.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher};

#[derive(Debug, Clone)]
struct Entry<K> {
    hash: u64,
    key: K,
    count: f64,
}

#[derive(Debug, Clone)]
pub(super) struct SpaceSaving<K> {
    limit: usize,
    /// No entry has a count above those of its children, at twice its place and 1 or 2.
    heap: Vec<Entry<K>>,
    places: HashMap<u64, usize, BuildHasherDefault<DefaultHasher>>,
}

impl<K: Clone> SpaceSaving<K> {
    pub(super) fn new(limit: usize) -> Self {
        SpaceSaving { limit: limit.max(1), heap: Vec::new(), places: HashMap::default() }
    }

    pub(super) fn add(&mut self, hash: u64, key: &K, weight: f64) {
        if let Some(&place) = self.places.get(&hash) {
            self.heap[place].count += weight;
            self.sink(place);
        } else if self.heap.len() < self.limit {
            self.places.insert(hash, self.heap.len());
            self.heap.push(Entry { hash, key: key.clone(), count: weight });
            self.rise(self.heap.len() - 1);
        } else {
            let least = &mut self.heap[0];
            self.places.remove(&least.hash);
            *least = Entry { hash, key: key.clone(), count: least.count + weight };
            self.places.insert(hash, 0);
            self.sink(0);
        }
    }

    /// The count of a key, or more.
    pub(super) fn upper(&self, hash: u64) -> f64 {
        match self.places.get(&hash) {
            Some(&place) => self.heap[place].count,
            None if self.heap.len() < self.limit => 0.0,
            None => self.heap[0].count,
        }
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = (u64, &K)> {
        self.heap.iter().map(|entry| (entry.hash, &entry.key))
    }

    /// Multiplies every count; their order stays.
    pub(super) fn scale(&mut self, factor: f64) {
        self.heap.iter_mut().for_each(|entry| entry.count *= factor);
    }

    pub(super) fn clear(&mut self) {
        self.heap.clear();
        self.places.clear();
    }

    /// At most: the table of places doubles once when removals have worn it.
    pub(super) fn memory_bytes(&self) -> usize {
        let buckets = (2 * self.limit * 8 / 7).next_power_of_two();
        self.heap.capacity() * size_of::<Entry<K>>() + buckets * (size_of::<(u64, usize)>() + 1)
    }

    fn rise(&mut self, mut place: usize) {
        while place > 0 {
            let parent = (place - 1) / 2;
            if self.heap[parent].count <= self.heap[place].count {
                return;
            }
            self.exchange(place, parent);
            place = parent;
        }
    }

    fn sink(&mut self, mut place: usize) {
        loop {
            let children = (2 * place + 1)..(2 * place + 3).min(self.heap.len());
            let count = |place: &usize| self.heap[*place].count;
            let least = children.min_by(|one, other| count(one).total_cmp(&count(other)));
            let Some(child) = least.filter(|child| count(child) < count(&place)) else { return };
            self.exchange(place, child);
            place = child;
        }
    }

    fn exchange(&mut self, one: usize, other: usize) {
        self.heap.swap(one, other);
        self.places.insert(self.heap[one].hash, one);
        self.places.insert(self.heap[other].hash, other);
    }
}
