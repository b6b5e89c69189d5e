//! The clients by their seats, and how one is reached from another's command.
//!
//! A client whose commands are running is taken from its seat: functions that reach anybody take it
//! as an argument beside the seats.

use slab::Slab;

use crate::client::{Client, ClientId, Handle, Place};
use crate::resp::Reply;

/// See the module's head.
#[derive(Default)]
pub struct Clients {
    /// An empty seat is that of a client whose commands are running.
    seats: Slab<Option<Box<Client>>>,
    newest: ClientId,
    /// Connections that have something to write.
    wakes: Vec<Place>,
}

impl Clients {
    /// Seats a client that `make` makes for its handle.
    pub fn seat(&mut self, make: impl FnOnce(Handle) -> Client) -> usize {
        self.newest += 1;
        let entry = self.seats.vacant_entry();
        let handle = Handle { seat: entry.key(), id: self.newest };
        entry.insert(Some(Box::new(make(handle))));
        handle.seat
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.seats.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.seats.is_empty()
    }

    /// The client in a seat, unless its commands are running.
    pub fn get(&self, seat: usize) -> Option<&Client> {
        self.seats.get(seat)?.as_deref()
    }

    /// The client in a seat, to change, unless its commands are running.
    pub fn get_mut(&mut self, seat: usize) -> Option<&mut Client> {
        self.seats.get_mut(seat)?.as_deref_mut()
    }

    /// All that are in their seats.
    pub fn seated(&self) -> impl Iterator<Item = &Client> {
        self.seats.iter().filter_map(|(_, client)| client.as_deref())
    }

    /// All that are in their seats, to change.
    pub fn seated_mut(&mut self) -> impl Iterator<Item = &mut Client> {
        self.seats.iter_mut().filter_map(|(_, client)| client.as_deref_mut())
    }

    /// Takes a client from its seat.
    #[inline]
    pub fn take(&mut self, seat: usize) -> Option<Box<Client>> {
        self.seats.get_mut(seat)?.take()
    }

    /// Puts a client back into its seat.
    #[inline]
    pub fn put(&mut self, seat: usize, client: Box<Client>) {
        if let Some(place) = self.seats.get_mut(seat) {
            *place = Some(client);
        }
    }

    /// Frees a seat; the client who sat there.
    pub fn unseat(&mut self, seat: usize) -> Option<Box<Client>> {
        self.seats.try_remove(seat).flatten()
    }

    /// The client of this handle, in its seat or running.
    pub fn reach<'a>(
        &'a mut self,
        running: Option<&'a mut Client>,
        handle: Handle,
    ) -> Option<&'a mut Client> {
        if let Some(client) = running
            && client.id == handle.id
        {
            return Some(client);
        }
        let client = self.seats.get_mut(handle.seat)?.as_deref_mut()?;
        (client.id == handle.id).then_some(client)
    }

    /// Writes a push for a client, behind its own answers, and has its connection looked at; whether
    /// there is such a client.
    pub fn deliver(
        &mut self,
        running: Option<&mut Client>,
        handle: Handle,
        write: impl FnOnce(&mut Reply<'_>),
    ) -> bool {
        // What the running client gets is written behind its answer: nobody need look.
        let is_running = running.as_ref().is_some_and(|client| client.id == handle.id);
        let Some(client) = self.reach(running, handle) else { return false };
        let (place, is_first) = (client.place, client.outbox.is_empty());
        write(&mut Reply::new(&mut client.outbox, client.protocol));
        if is_first && !is_running {
            self.wake(place);
        }
        true
    }

    /// A connection has something to write, or is to be closed: its worker is to look.
    pub fn wake(&mut self, place: Place) {
        self.wakes.push(place);
    }

    /// The connections to look at since the last call.
    pub fn take_wakes(&mut self) -> Vec<Place> {
        std::mem::take(&mut self.wakes)
    }

    /// Whether there are connections to look at.
    #[inline]
    pub fn has_wakes(&self) -> bool {
        !self.wakes.is_empty()
    }
}
