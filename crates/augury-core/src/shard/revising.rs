//! Changes to a resident's value where it stands.

use super::{Shard, Sink};
use crate::policy::Policy;
use crate::slots::SlotId;

impl<K, V, P: Policy> Shard<K, V, P> {
    /// The resident's value, to change where it stands; none where the slot is vacant. No access.
    /// The caller tells [`Shard::set_size`] what the change has made of its size.
    #[inline]
    pub fn value_mut(&mut self, id: SlotId) -> Option<&mut V> {
        self.store.entry_mut(id).map(|entry| &mut entry.1)
    }

    /// Takes over a resident's size and makes room for it. The caller guarantees that the slot is
    /// live and the size within the capacity; the entry itself may be the victim.
    pub fn set_size(&mut self, id: SlotId, size: u32, sink: &mut impl Sink<K, V>) {
        if self.store.slots().size(id) != size {
            self.resize_entry(id, size, self.tick, sink);
        }
    }
}
