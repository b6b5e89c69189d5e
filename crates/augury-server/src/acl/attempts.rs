//! Failed attempts to authenticate, by address: who fails often waits.
//!
//! The first failures of an address cost nothing: people mistype. From then on every attempt from it,
//! right or wrong, is answered after a delay that doubles up to a second, and only few may wait at a
//! time, so that guessing is slow over many connections too. An address is forgotten when it has been
//! quiet. The table is bounded: where it is full the addresses that have been quiet longest give way.
//! No attempt is refused for good, as that would let a stranger lock out those behind its address.

use std::collections::HashMap;
use std::net::IpAddr;

use augury_core::clock::Millis;

/// Failures of an address that cost nothing.
const FREE: u32 = 16;
/// The first delay.
const DELAY_MIN: Millis = 50;
/// The longest delay.
const DELAY_MAX: Millis = 1_000;
/// How long an address is remembered after its latest failure.
const MEMORY: Millis = 60_000;
/// Addresses that are remembered.
const ADDRESSES_MAX: usize = 4_096;
/// Attempts of an address that may wait at a time.
const WAITING_MAX: usize = 8;

/// What is known of an address.
#[derive(Debug, Default)]
struct Record {
    failures: u32,
    latest: Millis,
    /// Until when its attempts wait.
    waiting: Vec<Millis>,
}

/// See the module's head. IPv6 addresses count by their network of 64 bits, which one host may own.
#[derive(Debug, Default)]
pub struct Attempts {
    records: HashMap<IpAddr, Record>,
}

/// What an attempt may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It is answered at once.
    Now,
    /// It is answered at this time.
    At(Millis),
    /// Too many wait: it is not looked at, and may be made again after this time.
    Later(Millis),
}

impl Attempts {
    /// What an attempt from this address may do now.
    pub fn turn(&mut self, address: IpAddr, now: Millis) -> Turn {
        let Some(record) = self.records.get_mut(&network(address)) else { return Turn::Now };
        if now.saturating_sub(record.latest) > MEMORY {
            self.records.remove(&network(address));
            return Turn::Now;
        }
        let Some(excess) = record.failures.checked_sub(FREE) else { return Turn::Now };
        let delay = DELAY_MIN.checked_shl(excess.min(16)).unwrap_or(DELAY_MAX).min(DELAY_MAX);
        record.waiting.retain(|&until| until > now);
        if record.waiting.len() >= WAITING_MAX {
            return Turn::Later(delay);
        }
        record.waiting.push(now + delay);
        Turn::At(now + delay)
    }

    /// An attempt from this address has failed.
    pub fn failed(&mut self, address: IpAddr, now: Millis) {
        let address = network(address);
        if self.records.len() >= ADDRESSES_MAX && !self.records.contains_key(&address) {
            self.make_room(now);
        }
        let record = self.records.entry(address).or_default();
        record.failures = record.failures.saturating_add(1);
        record.latest = now;
    }

    /// Forgets who has been quiet, and at least the half that has been so longest.
    fn make_room(&mut self, now: Millis) {
        let mut times: Vec<Millis> = self.records.values().map(|record| record.latest).collect();
        let half = times.len() / 2;
        let (_, &mut median, _) = times.select_nth_unstable(half);
        let quiet = median.max(now.saturating_sub(MEMORY));
        self.records.retain(|_, record| record.latest > quiet);
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => v4.into(),
            None => {
                let [a, b, c, d, ..] = v6.segments();
                IpAddr::from([a, b, c, d, 0, 0, 0, 0])
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn after(failures: u32) -> Attempts {
        let mut attempts = Attempts::default();
        (0..failures).for_each(|_| attempts.failed(HOME, 1_000));
        attempts
    }

    #[test]
    fn delays_grow_and_end() {
        assert_eq!(Turn::Now, after(FREE - 1).turn(HOME, 1_000));
        assert_eq!(Turn::At(1_050), after(FREE).turn(HOME, 1_000));
        assert_eq!(Turn::At(1_100), after(FREE + 1).turn(HOME, 1_000));
        assert_eq!(Turn::At(2_000), after(FREE + 900).turn(HOME, 1_000));
        assert_eq!(Turn::Now, after(FREE + 900).turn(HOME, 1_001 + MEMORY));
    }

    #[test]
    fn few_wait_at_a_time() {
        let mut attempts = after(FREE + 900);
        for _ in 0..WAITING_MAX {
            assert_eq!(Turn::At(2_000), attempts.turn(HOME, 1_000));
        }
        assert_eq!(Turn::Later(DELAY_MAX), attempts.turn(HOME, 1_999));
        assert_eq!(Turn::At(3_000), attempts.turn(HOME, 2_000));
    }

    #[test]
    fn the_table_is_bounded() {
        let mut attempts = after(FREE + 1);
        for number in 0..3 * ADDRESSES_MAX as u32 {
            attempts.failed(IpAddr::from(number.to_be_bytes()), 2_000 + u64::from(number));
            assert!(attempts.records.len() <= ADDRESSES_MAX);
        }
    }

    #[test]
    fn neighbours_in_a_network_of_ipv6_are_one() {
        let mut attempts = Attempts::default();
        for number in 0..=FREE as u16 {
            attempts.failed(IpAddr::from([1, 2, 3, 4, 0, 0, 0, number]), 1_000);
        }
        let neighbour = IpAddr::from([1, 2, 3, 4, 9, 9, 9, 9]);
        assert_eq!(Turn::At(1_100), attempts.turn(neighbour, 1_000));
    }
}
