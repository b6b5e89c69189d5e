//! A load's right to store what it has found, which a write of the key takes away.
//!
//! A load reads its source and stores later; what it read may be older than a value that somebody
//! has written meanwhile. So a load has a permit, and who writes or removes a key first revokes
//! the permits of the key's loads, then does it. A load stores by
//! [`When::Permitted`](super::When::Permitted), which looks at the permit **under the lock under
//! which the value is placed**. Either the load comes first under that lock, and the write that
//! follows replaces what it has stored; or the write does, and then it was revoked before, which
//! the lock has made visible. A look before the lock, even with another after it, is not enough:
//! between the two a reader is shown the older value (`schedules/permits.rs` finds it).

use super::sync::atomic::{AtomicBool, Ordering};

/// See the module's head.
#[derive(Debug, Default)]
pub struct Permit {
    is_revoked: AtomicBool,
}

impl Permit {
    /// Takes it away, for good.
    pub fn revoke(&self) {
        self.is_revoked.store(true, Ordering::Release);
    }

    /// Whether it was taken away.
    pub fn is_revoked(&self) -> bool {
        self.is_revoked.load(Ordering::Acquire)
    }
}
