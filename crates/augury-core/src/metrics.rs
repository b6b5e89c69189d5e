//! Outcomes and removal causes, each counted once.

/// Why an entry left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RemovalCause {
    /// Its deadline passed.
    Expired,
    /// The user removed it.
    Explicit,
    /// The user replaced its value.
    Replaced,
    /// Room was needed.
    Evicted,
}

/// Counters of one cache. Sums of shards by [`Stats::add`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Accesses answered from memory.
    pub hits: u64,
    /// Accesses that found nothing, or something expired.
    pub misses: u64,
    /// Size of all objects asked for.
    pub requested_bytes: u64,
    /// Size of the objects missed.
    pub missed_bytes: u64,
    /// Entries added.
    pub insertions: u64,
    /// Newcomers turned away by the policy.
    pub rejections: u64,
    /// Newcomers larger than the whole cache.
    pub oversized: u64,
    /// Removals because a deadline passed.
    pub expired: u64,
    /// Removals by the user.
    pub explicit: u64,
    /// Values replaced by the user.
    pub replaced: u64,
    /// Removals for room.
    pub evicted: u64,
}

impl Stats {
    /// Counts one removal.
    #[inline]
    pub fn removed(&mut self, cause: RemovalCause) {
        match cause {
            RemovalCause::Expired => self.expired += 1,
            RemovalCause::Explicit => self.explicit += 1,
            RemovalCause::Replaced => self.replaced += 1,
            RemovalCause::Evicted => self.evicted += 1,
        }
    }

    /// Accesses: hits and misses.
    pub fn requests(&self) -> u64 {
        self.hits + self.misses
    }

    /// Adds another cache's counters to these.
    pub fn add(&mut self, other: &Stats) {
        self.hits += other.hits;
        self.misses += other.misses;
        self.requested_bytes += other.requested_bytes;
        self.missed_bytes += other.missed_bytes;
        self.insertions += other.insertions;
        self.rejections += other.rejections;
        self.oversized += other.oversized;
        self.expired += other.expired;
        self.explicit += other.explicit;
        self.replaced += other.replaced;
        self.evicted += other.evicted;
    }

    /// What has been counted since `earlier`, an earlier state of the same counters.
    pub fn since(&self, earlier: &Stats) -> Stats {
        Stats {
            hits: self.hits - earlier.hits,
            misses: self.misses - earlier.misses,
            requested_bytes: self.requested_bytes - earlier.requested_bytes,
            missed_bytes: self.missed_bytes - earlier.missed_bytes,
            insertions: self.insertions - earlier.insertions,
            rejections: self.rejections - earlier.rejections,
            oversized: self.oversized - earlier.oversized,
            expired: self.expired - earlier.expired,
            explicit: self.explicit - earlier.explicit,
            replaced: self.replaced - earlier.replaced,
            evicted: self.evicted - earlier.evicted,
        }
    }
}
