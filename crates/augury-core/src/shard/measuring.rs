//! What the shard tells its miss ratio curve, where it measures one.

use super::Shard;
use crate::curve::MissRatioCurve;
use crate::policy::Policy;
use crate::request::Access;

impl<K, V, P: Policy> Shard<K, V, P> {
    /// One read, of a size that is not known where the object has to be loaded first.
    #[inline]
    pub(super) fn measure(&mut self, hash: u64, size: Option<u32>, is_hit: bool) {
        match (&mut self.curve, size) {
            (None, _) => {}
            (Some(curve), Some(size)) => curve.observe(hash, size, is_hit),
            (Some(curve), None) => curve.observe_missing(hash),
        }
    }

    /// An object was stored.
    #[inline]
    pub(super) fn arrived(&mut self, access: &Access) {
        if let Some(curve) = &mut self.curve {
            curve.arrived(access.hash, access.size);
        }
    }

    /// Measures from now on what other capacities would give, or no longer. What was measured
    /// before is forgotten.
    pub fn keep_curve(&mut self, is_kept: bool) {
        self.curve = is_kept.then(|| Box::new(MissRatioCurve::new(self.capacity.max(1))));
    }

    /// What other capacities would give.
    pub fn curve(&self) -> Option<&MissRatioCurve> {
        self.curve.as_deref()
    }
}
