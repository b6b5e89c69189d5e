//! How a caller recognises its key: equality that may fail, block or call the cache.

/// The caller's side of a look-up: tells whether a resident key is the one asked for.
///
/// The cache has already compared the 64-bit hashes, so nearly every key shown is the right one.
/// Equality must be an equivalence; where it is not, the cache stays sound and answers for some
/// key that was claimed equal.
///
/// A closure `FnMut(&K) -> Result<bool, E>` is a probe that always asks, outside the lock;
/// [`Pure`] is one that never needs to.
pub trait Probe<K> {
    /// Why the question could not be answered.
    type Error;

    /// The answer where it takes no foreign code, or `None`. **Called under a shard's lock**:
    /// must neither call the cache, nor block, nor panic; comparing addresses, numbers or bytes.
    #[inline]
    fn quick(&self, _key: &K) -> Option<bool> {
        None
    }

    /// The answer where `quick` had none. Called under no lock: may fail, block, and call the
    /// cache. Called once per resident key of the same hash, again only for keys that arrived
    /// meanwhile.
    fn matches(&mut self, key: &K) -> Result<bool, Self::Error>;

    /// The key itself where it is an integer: policies learn from neighbouring keys.
    #[inline]
    fn number(&self) -> Option<u64> {
        None
    }
}

impl<K, E, F: FnMut(&K) -> Result<bool, E>> Probe<K> for F {
    type Error = E;

    fn matches(&mut self, key: &K) -> Result<bool, E> {
        self(key)
    }
}

/// A probe whose equality runs no foreign code: decided under the lock, in one locking.
pub struct Pure<F>(pub F);

impl<K, F: Fn(&K) -> bool> Probe<K> for Pure<F> {
    type Error = std::convert::Infallible;

    #[inline]
    fn quick(&self, key: &K) -> Option<bool> {
        Some((self.0)(key))
    }

    #[inline]
    fn matches(&mut self, key: &K) -> Result<bool, Self::Error> {
        Ok((self.0)(key))
    }
}
