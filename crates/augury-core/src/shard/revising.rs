//! Changes to a resident's value where it stands.

use super::{Shard, Sink};
use crate::policy::Policy;
use crate::request::Access;
use crate::slots::SlotId;

impl<K, V, P: Policy> Shard<K, V, P> {
    /// The resident's value, to change where it stands; none where the slot is vacant. No access.
    /// The caller tells [`Shard::set_size`] what the change has made of its size.
    #[inline]
    pub fn value_mut(&mut self, id: SlotId) -> Option<&mut V> {
        self.store.entry_mut(id).map(|entry| &mut entry.1)
    }

    /// A write has changed the resident where it stands: the policy is told as of a hit, as
    /// [`Shard::replace`] tells it. Nothing is counted. The caller guarantees that the slot is
    /// live, and that the access is of its key and size.
    #[inline]
    pub fn revised(&mut self, id: SlotId, access: &Access) {
        self.arrived(access);
        self.policy.on_hit(self.store.slots_mut(), id, access);
    }

    /// Takes over a resident's size and makes room for it. The caller guarantees that the slot is
    /// live and the size within the capacity; the entry itself may be the victim.
    pub fn set_size(&mut self, id: SlotId, size: u32, sink: &mut impl Sink<K, V>) {
        if self.store.slots().size(id) != size {
            self.resize_entry(id, size, self.tick, sink);
        }
    }
}
