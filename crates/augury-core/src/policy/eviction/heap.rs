//! An indexed heap of slots: the smallest key first, and every slot's key can be changed.
//!
//! Four children per node, because a level costs about one cache line whatever its width. Each
//! slot's record holds its place in the heap, so no search is ever needed. Ties go whichever way
//! the heap lies (deterministic); a policy that minds puts the tie-break into the key.

use crate::slots::{SlotId, Slots};

const CHILDREN: usize = 4;

/// A record that knows its slot's place in the heap.
pub(crate) trait Placed: Copy + Default {
    fn place(&self) -> u32;
    fn set_place(&mut self, place: u32);
}

#[derive(Debug, Clone, Copy)]
struct Item<K> {
    key: K,
    id: SlotId,
}

/// See the module's head.
#[derive(Debug, Clone)]
pub(crate) struct Heap<K> {
    items: Vec<Item<K>>,
}

impl<K> Default for Heap<K> {
    fn default() -> Self {
        Heap { items: Vec::new() }
    }
}

impl<K: Copy + Ord> Heap<K> {
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// The smallest key and its slot.
    #[inline]
    pub(crate) fn first(&self) -> Option<(K, SlotId)> {
        self.items.first().map(|item| (item.key, item.id))
    }

    /// All slots, by their keys.
    pub(crate) fn sorted(&self) -> Vec<SlotId> {
        let mut items = self.items.clone();
        items.sort_by_key(|item| item.key);
        items.into_iter().map(|item| item.id).collect()
    }

    /// Adds a slot that is not in the heap.
    #[inline]
    pub(crate) fn push<R: Placed>(&mut self, slots: &mut Slots<R>, id: SlotId, key: K) {
        let item = Item { key, id };
        self.items.push(item);
        self.rise(slots, self.items.len() - 1, item);
    }

    /// Changes the key of a slot in the heap.
    #[inline]
    pub(crate) fn update<R: Placed>(&mut self, slots: &mut Slots<R>, id: SlotId, key: K) {
        let at = slots.record(id).place() as usize;
        self.settle(slots, at, Item { key, id });
    }

    /// Takes a slot out of the heap and returns its key.
    #[inline]
    pub(crate) fn remove<R: Placed>(&mut self, slots: &mut Slots<R>, id: SlotId) -> K {
        let at = slots.record(id).place() as usize;
        let key = self.items[at].key;
        let last = self.items.pop().expect("the slot is in the heap");
        if last.id != id {
            self.settle(slots, at, last);
        }
        key
    }

    /// Bytes held beyond the records.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.items.capacity() * size_of::<Item<K>>()
    }

    /// Puts `item` where it belongs, given that place `at` is free.
    #[inline]
    fn settle<R: Placed>(&mut self, slots: &mut Slots<R>, at: usize, item: Item<K>) {
        if at > 0 && item.key < self.items[(at - 1) / CHILDREN].key {
            self.rise(slots, at, item);
        } else {
            self.sink(slots, at, item);
        }
    }

    fn rise<R: Placed>(&mut self, slots: &mut Slots<R>, mut at: usize, item: Item<K>) {
        while at > 0 {
            let above = (at - 1) / CHILDREN;
            if self.items[above].key <= item.key {
                break;
            }
            self.put(slots, at, self.items[above]);
            at = above;
        }
        self.put(slots, at, item);
    }

    fn sink<R: Placed>(&mut self, slots: &mut Slots<R>, mut at: usize, item: Item<K>) {
        while let Some(child) = self.least_child(at) {
            let below = self.items[child];
            if item.key <= below.key {
                break;
            }
            self.put(slots, at, below);
            at = child;
        }
        self.put(slots, at, item);
    }

    /// Place of the child with the smallest key.
    #[inline]
    fn least_child(&self, at: usize) -> Option<usize> {
        let first = CHILDREN * at + 1;
        let end = (first + CHILDREN).min(self.items.len());
        let mut least = (first < end).then_some(first)?;
        for child in first + 1..end {
            if self.items[child].key < self.items[least].key {
                least = child;
            }
        }
        Some(least)
    }

    #[inline]
    fn put<R: Placed>(&mut self, slots: &mut Slots<R>, at: usize, item: Item<K>) {
        self.items[at] = item;
        slots.record_mut(item.id).set_place(at as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[derive(Debug, Clone, Copy, Default)]
    struct Place(u32);

    impl Placed for Place {
        fn place(&self) -> u32 {
            self.0
        }

        fn set_place(&mut self, place: u32) {
            self.0 = place;
        }
    }

    #[test]
    fn the_first_is_the_smallest_through_every_change() {
        let mut slots = Slots::<Place>::default();
        let mut heap = Heap::default();
        let mut plain = std::collections::BTreeMap::new();
        let mut random = Random::new(3);
        for step in 0..5_000_u32 {
            // Keys are unique, so that there is one right answer.
            let key = random.next_u32() as u64 * 8_192 + step as u64;
            match random.below(4) {
                0 | 1 if plain.len() < 200 => {
                    let id = slots.occupy(0, 1);
                    heap.push(&mut slots, id, key);
                    plain.insert(id, key);
                }
                2 if !plain.is_empty() => {
                    let id = *plain.keys().nth(random.below(plain.len() as u32) as usize).unwrap();
                    heap.update(&mut slots, id, key);
                    plain.insert(id, key);
                }
                _ => {
                    let Some(id) = plain.keys().next().copied() else { continue };
                    assert_eq!(plain.remove(&id), Some(heap.remove(&mut slots, id)));
                    slots.vacate(id);
                }
            }
            let expected = plain.iter().map(|(&id, &key)| (key, id)).min();
            assert_eq!(expected, heap.first());
            assert_eq!(plain.len(), heap.len());
        }
    }
}
