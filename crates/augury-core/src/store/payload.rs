//! Keys and values, in an array parallel to the slots.
//!
//! A payload is initialised exactly while its slot is live; the store, its only user, keeps that.
//! Replay uses `K = V = ()`: the array then has no memory and no cost, which an `Option` per slot
//! would have.

use crate::lines;
use crate::slots::SlotId;
use std::mem::MaybeUninit;

/// See the module's head.
pub(crate) struct Payloads<K, V>(Vec<MaybeUninit<(K, V)>>);

impl<K, V> Default for Payloads<K, V> {
    fn default() -> Self {
        Payloads(Vec::new())
    }
}

impl<K, V> Payloads<K, V> {
    /// Puts the payload of a slot that has just become live (or whose payload was just taken).
    #[inline]
    pub(crate) fn put(&mut self, id: SlotId, key: K, value: V) {
        let at = id as usize;
        if at == self.0.len() {
            self.0.push(MaybeUninit::new((key, value)));
        } else {
            self.0[at] = MaybeUninit::new((key, value));
        }
    }

    /// Asks for the memory of a payload.
    #[inline]
    pub(crate) fn fetch(&self, id: SlotId) {
        if let Some(payload) = self.0.get(id as usize) {
            lines::fetch(payload);
        }
    }

    /// The payload of a live slot.
    ///
    /// # Safety
    /// `id` must be live: put, and not taken since.
    #[inline]
    pub(crate) unsafe fn get(&self, id: SlotId) -> &(K, V) {
        // SAFETY: the caller guarantees that the payload is initialised.
        unsafe { self.0[id as usize].assume_init_ref() }
    }

    /// The payload of a live slot, to change.
    ///
    /// # Safety
    /// As for [`Payloads::get`].
    #[inline]
    pub(crate) unsafe fn get_mut(&mut self, id: SlotId) -> &mut (K, V) {
        // SAFETY: the caller guarantees that the payload is initialised.
        unsafe { self.0[id as usize].assume_init_mut() }
    }

    /// Moves the payload out; the slot must be vacated or put again before the next look.
    ///
    /// # Safety
    /// As for [`Payloads::get`]; the payload counts as taken afterwards.
    #[inline]
    pub(crate) unsafe fn take(&mut self, id: SlotId) -> (K, V) {
        // SAFETY: the caller guarantees that the payload is initialised, and will not look at it
        // again, so it is moved out once.
        unsafe { self.0[id as usize].assume_init_read() }
    }

    /// Bytes held by the array itself.
    pub(crate) fn memory_bytes(&self) -> usize {
        if size_of::<(K, V)>() == 0 { 0 } else { self.0.capacity() * size_of::<(K, V)>() }
    }
}
