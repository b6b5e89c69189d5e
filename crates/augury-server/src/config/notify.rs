//! Which changes are published to subscribers: Redis's `notify-keyspace-events`.

use bitflags::bitflags;

bitflags! {
    /// Classes of events, and how they are told. Those of types that are not here are kept to be
    /// shown.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    pub struct Notified: u16 {
        /// Under the key's channel.
        const KEYSPACE = 1 << 0;
        /// Under the event's channel.
        const KEYEVENT = 1 << 1;
        /// Of commands on keys of any type.
        const GENERIC = 1 << 2;
        /// Of commands on strings.
        const STRING = 1 << 3;
        #[allow(missing_docs)]
        const LIST = 1 << 4;
        #[allow(missing_docs)]
        const SET = 1 << 5;
        /// Of commands on hashes.
        const HASH = 1 << 6;
        #[allow(missing_docs)]
        const ZSET = 1 << 7;
        /// A key's deadline has passed.
        const EXPIRED = 1 << 8;
        /// A key has left for room.
        const EVICTED = 1 << 9;
        #[allow(missing_docs)]
        const STREAM = 1 << 10;
        /// A read has found no key. Not among `A`.
        const MISS = 1 << 11;
        #[allow(missing_docs)]
        const MODULE = 1 << 12;
        /// A key is there that was not. Not among `A`.
        const NEW = 1 << 13;
    }
}

/// What `A` stands for.
const ALL: Notified = Notified::GENERIC
    .union(Notified::STRING)
    .union(Notified::LIST)
    .union(Notified::SET)
    .union(Notified::HASH)
    .union(Notified::ZSET)
    .union(Notified::EXPIRED)
    .union(Notified::EVICTED)
    .union(Notified::STREAM)
    .union(Notified::MODULE);

/// Letters of the classes that `A` stands for or not, in the order in which they are shown.
const CLASSES: &[(char, Notified)] = &[
    ('g', Notified::GENERIC),
    ('$', Notified::STRING),
    ('l', Notified::LIST),
    ('s', Notified::SET),
    ('h', Notified::HASH),
    ('z', Notified::ZSET),
    ('x', Notified::EXPIRED),
    ('e', Notified::EVICTED),
    ('t', Notified::STREAM),
    ('d', Notified::MODULE),
    ('n', Notified::NEW),
];
/// Letters that are shown behind them.
const OTHERS: &[(char, Notified)] =
    &[('K', Notified::KEYSPACE), ('E', Notified::KEYEVENT), ('m', Notified::MISS)];

impl Notified {
    /// Whether anything is published.
    pub fn is_on(self) -> bool {
        self.intersects(Notified::KEYSPACE | Notified::KEYEVENT)
    }

    /// As letters, as Redis shows them: beside `A` no class is.
    pub fn show(self) -> String {
        let is_all = self.contains(ALL);
        let classes = CLASSES.iter().filter(|_| !is_all).chain(OTHERS);
        let letters = classes.filter(|(_, class)| self.contains(*class)).map(|(letter, _)| *letter);
        is_all.then_some('A').into_iter().chain(letters).collect()
    }

    /// From letters.
    ///
    /// # Errors
    /// One is no class's.
    pub fn read(text: &str) -> Result<Notified, String> {
        let mut read = Notified::empty();
        for letter in text.chars() {
            let found = CLASSES.iter().chain(OTHERS).find(|(own, _)| *own == letter);
            read |= match found {
                Some((_, class)) => *class,
                None if letter == 'A' => ALL,
                None => {
                    return Err("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.".to_owned());
                }
            };
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_shown_as_redis_shows_them() {
        for (given, shown) in [
            ("", ""),
            ("KEA", "AKE"),
            ("K$lshzxeg", "g$lshzxeK"),
            ("Ex", "xE"),
            ("AKEmn", "AKEm"),
            ("mEn", "nEm"),
            ("gg", "g"),
        ] {
            let read = Notified::read(given).expect("these are classes");
            assert_eq!(shown, read.show());
        }
        assert!(Notified::read("KEy").is_err_and(|error| error.contains("Ag$lshzxeKEtmdn")));
        assert!(!Notified::read("A").expect("a class").is_on());
    }
}
