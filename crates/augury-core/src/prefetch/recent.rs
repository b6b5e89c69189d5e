//! Who asked for what last: the predecessors of the next access, per session.
//!
//! Sessions share a table by hash, so an old session is overwritten by a new one and memory is
//! bounded. Accesses without a session follow on each other.

use super::objects::Name;

/// Sessions remembered.
const SESSIONS: usize = 4_096;
/// Accesses remembered of each.
pub(super) const LAGS: usize = 2;

/// The latest accesses of one session, latest first.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Trail {
    session: u32,
    pub(super) names: [Name; LAGS],
    /// Integer key of the latest.
    pub(super) key: u64,
}

/// See the module's head.
#[derive(Debug, Default)]
pub(super) struct Trails {
    nobody: Trail,
    /// Empty until somebody has a session.
    sessions: Vec<Trail>,
}

impl Trails {
    /// The session's trail before this access, which is added to it.
    #[inline]
    pub(super) fn step(&mut self, session: u32, name: Name, key: u64) -> Trail {
        let trail = if session == 0 {
            &mut self.nobody
        } else {
            if self.sessions.is_empty() {
                self.sessions.resize(SESSIONS, Trail::default());
            }
            let at = session.wrapping_mul(0x9E37_79B1) >> (32 - SESSIONS.ilog2());
            &mut self.sessions[at as usize]
        };
        let before = if trail.session == session { *trail } else { Trail::default() };
        let mut names = before.names;
        names.rotate_right(1);
        names[0] = name;
        *trail = Trail { session, names, key };
        before
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.sessions.capacity() * size_of::<Trail>()
    }
}
