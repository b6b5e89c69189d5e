//! When something expires, as commands say it: in so many seconds, at so many milliseconds of Unix
//! time, only if it had no deadline.

use augury_core::clock::Millis;

use super::{Refusal, number};

/// How a time is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    /// In seconds, not milliseconds.
    pub is_seconds: bool,
    /// From 1970 on, not from now on.
    pub is_absolute: bool,
}

impl Unit {
    /// EX.
    pub const SECONDS: Unit = Unit { is_seconds: true, is_absolute: false };
    /// PX.
    pub const MILLIS: Unit = Unit { is_seconds: false, is_absolute: false };
    /// EXAT.
    pub const UNIX_SECONDS: Unit = Unit { is_seconds: true, is_absolute: true };
    /// PXAT.
    pub const UNIX_MILLIS: Unit = Unit { is_seconds: false, is_absolute: true };

    /// Of an option's name.
    pub fn of(option: &[u8]) -> Option<Unit> {
        let names: [(&[u8], Unit); 4] = [
            (b"EX", Unit::SECONDS),
            (b"PX", Unit::MILLIS),
            (b"EXAT", Unit::UNIX_SECONDS),
            (b"PXAT", Unit::UNIX_MILLIS),
        ];
        names.into_iter().find(|(name, _)| option.eq_ignore_ascii_case(name)).map(|(_, unit)| unit)
    }

    /// Milliseconds of Unix time, if they have 63 bits.
    pub fn moment(self, time: i64, now: Millis) -> Option<i64> {
        let millis = if self.is_seconds { time.checked_mul(1000)? } else { time };
        if self.is_absolute { Some(millis) } else { millis.checked_add(i64::try_from(now).ok()?) }
    }

    /// The moment that is left of a deadline: what TTL and EXPIRETIME answer. `is_up`: begun
    /// seconds count; else they are rounded.
    pub fn told(self, deadline: Millis, now: Millis, is_up: bool) -> i64 {
        let millis = if self.is_absolute { deadline } else { deadline.saturating_sub(now) };
        let told = match (self.is_seconds, is_up) {
            (false, _) => millis,
            (true, true) => millis.div_ceil(1000),
            (true, false) => millis.saturating_add(500) / 1000,
        };
        i64::try_from(told).unwrap_or(i64::MAX)
    }
}

/// The moment that a text says, in milliseconds of Unix time: later than never, as SET wants it.
/// `command` is named by the refusal.
pub fn positive(text: &[u8], unit: Unit, now: Millis, command: &str) -> Result<Millis, Refusal> {
    let time = number::whole(text)?;
    let moment = if time > 0 { unit.moment(time, now) } else { None };
    moment.and_then(|at| Millis::try_from(at).ok()).ok_or_else(|| Refusal::expire(command))
}

/// When a deadline may be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Where there is none.
    Nx,
    /// Where there is one.
    Xx,
    /// Where the new one is later; none is the latest.
    Gt,
    /// Where the new one is earlier; none is the latest.
    Lt,
    /// Where there is one, and the new one is earlier.
    XxLt,
}

impl Condition {
    /// Of an option's name.
    pub fn of(option: &[u8]) -> Option<Condition> {
        let names: [(&[u8], Condition); 4] = [
            (b"NX", Condition::Nx),
            (b"XX", Condition::Xx),
            (b"GT", Condition::Gt),
            (b"LT", Condition::Lt),
        ];
        names.into_iter().find(|(name, _)| option.eq_ignore_ascii_case(name)).map(|(_, it)| it)
    }

    /// Of all the options of EXPIRE.
    pub fn of_all<'a>(
        options: impl Iterator<Item = &'a [u8]>,
    ) -> Result<Option<Condition>, Refusal> {
        let [mut nx, mut xx, mut gt, mut lt] = [false; 4];
        for option in options {
            match Condition::of(option) {
                Some(Condition::Nx) => nx = true,
                Some(Condition::Xx) => xx = true,
                Some(Condition::Gt) => gt = true,
                Some(Condition::Lt) => lt = true,
                _ => {
                    let shown = option.split(|&byte| byte == 0).next().unwrap_or_default();
                    let text = [b"ERR Unsupported option ", shown].concat();
                    return Err(Refusal::of(text));
                }
            }
        }
        if nx && (xx || gt || lt) {
            return Err(Refusal::new(
                "ERR NX and XX, GT or LT options at the same time are not compatible",
            ));
        }
        Ok(match (nx, xx, gt, lt) {
            (_, _, true, true) => {
                return Err(Refusal::new(
                    "ERR GT and LT options at the same time are not compatible",
                ));
            }
            (true, ..) => Some(Condition::Nx),
            (_, _, true, _) => Some(Condition::Gt),
            (_, true, _, true) => Some(Condition::XxLt),
            (_, _, _, true) => Some(Condition::Lt),
            (_, true, ..) => Some(Condition::Xx),
            _ => None,
        })
    }

    /// Whether a deadline may become another, in milliseconds of Unix time.
    pub fn allows(self, before: Option<Millis>, after: i64) -> bool {
        let is_earlier = |at: Millis| i64::try_from(at).map_or(true, |at| after < at);
        let is_later = |at: Millis| i64::try_from(at).is_ok_and(|at| after > at);
        match self {
            Condition::Nx => before.is_none(),
            Condition::Xx => before.is_some(),
            Condition::Gt => before.is_some_and(is_later),
            Condition::Lt => before.is_none_or(is_earlier),
            Condition::XxLt => before.is_some_and(is_earlier),
        }
    }
}
