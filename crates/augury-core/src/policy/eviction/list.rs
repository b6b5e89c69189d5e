//! A doubly linked list of slots whose links live in the slots' records.
//!
//! Several lists may share the records as long as a slot is in one of them at a time.

use crate::slots::{NIL, SlotId, Slots};

/// Neighbours of a slot in its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Links {
    /// Towards the front.
    prev: SlotId,
    /// Towards the back.
    next: SlotId,
}

impl Default for Links {
    fn default() -> Self {
        Links { prev: NIL, next: NIL }
    }
}

/// A record that has links.
pub(crate) trait Linked: Copy + Default {
    fn links(&self) -> &Links;
    fn links_mut(&mut self) -> &mut Links;
}

impl Linked for Links {
    #[inline]
    fn links(&self) -> &Links {
        self
    }

    #[inline]
    fn links_mut(&mut self) -> &mut Links {
        self
    }
}

/// Ends and length of a list. The front is the newest, the back the next victim.
#[derive(Debug, Clone)]
pub(crate) struct List {
    front: SlotId,
    back: SlotId,
    len: usize,
}

impl Default for List {
    fn default() -> Self {
        List { front: NIL, back: NIL, len: 0 }
    }
}

impl List {
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn back(&self) -> Option<SlotId> {
        (self.back != NIL).then_some(self.back)
    }

    /// The neighbour of `id` towards the front.
    #[inline]
    pub(crate) fn before<R: Linked>(&self, slots: &Slots<R>, id: SlotId) -> Option<SlotId> {
        let prev = slots.record(id).links().prev;
        (prev != NIL).then_some(prev)
    }

    /// Appends all slots of the list, from the back to the front.
    pub(crate) fn append_to<R: Linked>(&self, slots: &Slots<R>, order: &mut Vec<SlotId>) {
        let mut at = self.back();
        while let Some(id) = at {
            order.push(id);
            at = self.before(slots, id);
        }
    }

    /// Adds a slot that is in no list.
    #[inline]
    pub(crate) fn push_front<R: Linked>(&mut self, slots: &mut Slots<R>, id: SlotId) {
        *slots.record_mut(id).links_mut() = Links { prev: NIL, next: self.front };
        match self.front {
            NIL => self.back = id,
            front => slots.record_mut(front).links_mut().prev = id,
        }
        self.front = id;
        self.len += 1;
    }

    /// Takes out a slot that is in this list.
    #[inline]
    pub(crate) fn remove<R: Linked>(&mut self, slots: &mut Slots<R>, id: SlotId) {
        let Links { prev, next } = *slots.record(id).links();
        match prev {
            NIL => self.front = next,
            prev => slots.record_mut(prev).links_mut().next = next,
        }
        match next {
            NIL => self.back = prev,
            next => slots.record_mut(next).links_mut().prev = prev,
        }
        self.len -= 1;
    }

    /// Makes a slot of this list its front; neighbours and ends change, the length does not.
    #[inline]
    pub(crate) fn move_to_front<R: Linked>(&mut self, slots: &mut Slots<R>, id: SlotId) {
        if self.front == id {
            return;
        }
        let Links { prev, next } = *slots.record(id).links();
        slots.record_mut(prev).links_mut().next = next;
        match next {
            NIL => self.back = prev,
            next => slots.record_mut(next).links_mut().prev = prev,
        }
        *slots.record_mut(id).links_mut() = Links { prev: NIL, next: self.front };
        slots.record_mut(self.front).links_mut().prev = id;
        self.front = id;
    }
}
