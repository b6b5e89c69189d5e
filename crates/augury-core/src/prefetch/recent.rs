//! What each session did last: the past of the next access.
//!
//! Sessions share a table by hash, so an old session is overwritten by a new one and memory is
//! bounded. Accesses without a session follow on each other.

/// Sessions remembered.
const SESSIONS: usize = 4_096;

/// The latest of every session, as `T` remembers it.
#[derive(Debug, Default)]
pub(super) struct Trails<T> {
    nobody: T,
    /// With the session each belongs to; empty until somebody has a session.
    sessions: Vec<(u32, T)>,
}

impl<T: Copy + Default> Trails<T> {
    /// What is remembered of the session: nothing, where it is new or was overwritten.
    #[inline]
    pub(super) fn of(&mut self, session: u32) -> &mut T {
        if session == 0 {
            return &mut self.nobody;
        }
        if self.sessions.is_empty() {
            self.sessions.resize(SESSIONS, (0, T::default()));
        }
        let at = session.wrapping_mul(0x9E37_79B1) >> (32 - SESSIONS.ilog2());
        let (whose, trail) = &mut self.sessions[at as usize];
        if *whose != session {
            (*whose, *trail) = (session, T::default());
        }
        trail
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.sessions.capacity() * size_of::<(u32, T)>()
    }
}
