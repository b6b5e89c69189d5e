//! A history as it is kept in a file: ages instead of ticks, and nothing that only this process
//! understands (class and namespace).

use super::AGE_BUCKETS;
use super::record::{History, NO_REUSE};
use crate::saved::{Reader, Writer};

/// Bytes of a saved history.
pub const SAVED_BYTES: usize = 13;

/// See the module's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SavedHistory {
    /// Requests since the latest access.
    age: u32,
    /// Requests from the object's coming to its latest access.
    stay: u32,
    count: u16,
    heat: u16,
    reuse: u8,
}

impl SavedHistory {
    /// Of a history at this tick.
    pub fn of(history: &History, now: u32) -> Self {
        SavedHistory {
            age: history.age(now),
            stay: history.last.wrapping_sub(history.born),
            count: history.count,
            heat: history.heat_code(),
            reuse: history.reuse(),
        }
    }

    /// Of an object of which nothing but its uses is known, at least one.
    pub fn counted(uses: u32) -> Self {
        let first = History::first(0, 1);
        SavedHistory { count: uses.clamp(1, u32::from(u16::MAX)) as u16, ..Self::of(&first, 0) }
    }

    /// Accesses, at least one.
    pub fn uses(self) -> u16 {
        self.count.max(1)
    }

    /// The history at this tick, of an object of this size. Its class is that of nothing: whoever
    /// has the classes sets it.
    pub fn history(self, now: u32, size: u32) -> History {
        let last = now.wrapping_sub(self.age);
        let reuse = if usize::from(self.reuse) < AGE_BUCKETS { self.reuse } else { NO_REUSE };
        let mut history = History::restored(last, self.uses(), self.heat, reuse, 0);
        history.born = last.wrapping_sub(self.stay);
        history.set_size(size);
        history
    }

    /// As bytes.
    pub fn to_bytes(self) -> [u8; SAVED_BYTES] {
        let mut writer = Writer::default();
        writer.u32(self.age);
        writer.u32(self.stay);
        writer.u16(self.count);
        writer.u16(self.heat);
        writer.u8(self.reuse);
        let mut bytes = [0; SAVED_BYTES];
        bytes.copy_from_slice(&writer.finish());
        bytes
    }

    /// From bytes: any will do.
    pub fn from_bytes(bytes: &[u8; SAVED_BYTES]) -> Self {
        let mut reader = Reader::new(bytes);
        SavedHistory {
            age: reader.u32(),
            stay: reader.u32(),
            count: reader.u16(),
            heat: reader.u16(),
            reuse: reader.u8(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_comes_back_at_another_tick_with_its_ages() {
        let mut history = History::first(100, 5_000);
        history.touch(130, 0.001);
        history.touch(190, 0.001);
        let bytes = SavedHistory::of(&history, 200).to_bytes();
        let back = SavedHistory::from_bytes(&bytes).history(7, 5_000);
        assert_eq!(10, back.age(7));
        assert_eq!(90, back.last.wrapping_sub(back.born));
        assert_eq!((history.count, history.reuse()), (back.count, back.reuse()));
        assert_eq!((history.heat(), history.size()), (back.heat(), back.size()));
    }

    #[test]
    fn any_bytes_are_a_history() {
        for fill in [0, 0x7b, 0x7c, 0xff] {
            let history = SavedHistory::from_bytes(&[fill; SAVED_BYTES]).history(3, 1);
            assert!(history.count > 0 && history.heat().is_finite());
            let reuse = history.reuse();
            assert!(reuse == NO_REUSE || usize::from(reuse) < AGE_BUCKETS, "{reuse}");
        }
    }
}
