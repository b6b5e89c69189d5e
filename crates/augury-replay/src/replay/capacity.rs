//! Capacities as users write them: `1%` of the footprint, `1000`, `64MB`.

use std::fmt;
use std::str::FromStr;

use super::error::ReplayError;
use crate::trace::Footprint;

/// A cache's capacity, absolute or relative to a trace.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Capacity {
    /// Share of the footprint, above 0 and at most 1.
    Fraction(f64),
    /// Entries for size-1 traces, else bytes.
    Absolute(u64),
}

const UNITS: [(&str, u64); 8] = [
    ("KIB", 1 << 10),
    ("MIB", 1 << 20),
    ("GIB", 1 << 30),
    ("TIB", 1 << 40),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
];

impl Capacity {
    /// The capacity in the unit of the trace's sizes, rounded down.
    pub fn resolve(self, footprint: Footprint) -> Result<u64, ReplayError> {
        let resolved = match self {
            Capacity::Fraction(share) => (footprint.bytes as f64 * share).floor() as u64,
            Capacity::Absolute(value) => value,
        };
        if resolved == 0 {
            return Err(ReplayError::Capacity {
                given: self.to_string(),
                reason: format!("comes to less than 1 of a footprint of {}", footprint.bytes),
            });
        }
        Ok(resolved)
    }
}

impl FromStr for Capacity {
    type Err = ReplayError;

    fn from_str(given: &str) -> Result<Self, ReplayError> {
        let error = |reason: &str| ReplayError::Capacity {
            given: given.to_owned(),
            reason: reason.to_owned(),
        };
        let text = given.trim().to_ascii_uppercase();
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|value| value.is_finite());
        if let Some(percent) = text.strip_suffix('%') {
            let percent = number(percent).ok_or_else(|| error("is not a number before %"))?;
            if percent <= 0.0 || percent > 100.0 {
                return Err(error("must be above 0% and at most 100%"));
            }
            return Ok(Capacity::Fraction(percent / 100.0));
        }
        let unit = UNITS.iter().find_map(|&(unit, by)| Some((text.strip_suffix(unit)?, by)));
        let (digits, by) = unit.unwrap_or((text.strip_suffix('B').unwrap_or(&text), 1));
        let value = match digits.trim().parse::<u64>() {
            Ok(value) => value.checked_mul(by).ok_or_else(|| error("is too large"))?,
            Err(_) if by > 1 => {
                let value = number(digits).ok_or_else(|| error("is not a number"))?;
                (value * by as f64) as u64
            }
            Err(_) => return Err(error("is not a capacity")),
        };
        if value == 0 {
            return Err(error("must be at least 1"));
        }
        Ok(Capacity::Absolute(value))
    }
}

impl fmt::Display for Capacity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Capacity::Fraction(share) => {
                // Percent with the digits that were given: 0.1% is not 0.10000000000000001%.
                let percent = format!("{:.6}", share * 100.0);
                write!(out, "{}%", percent.trim_end_matches('0').trim_end_matches('.'))
            }
            Capacity::Absolute(value) => write!(out, "{value}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_written_form_is_read() {
        for (given, expected) in [
            ("1%", Capacity::Fraction(0.01)),
            ("1000", Capacity::Absolute(1000)),
            ("64MB", Capacity::Absolute(64_000_000)),
            ("64 mib", Capacity::Absolute(64 << 20)),
            ("1.5GB", Capacity::Absolute(1_500_000_000)),
            ("12b", Capacity::Absolute(12)),
        ] {
            assert_eq!(expected, given.parse().unwrap(), "{given}");
        }
        assert_eq!("0.1%", Capacity::Fraction(0.001).to_string());
    }

    #[test]
    fn nonsense_is_named() {
        for given in
            ["", "%", "0", "0%", "101%", "-5", "1.5", "64XB", "nan%", "99999999TB", "infGB"]
        {
            let error = given.parse::<Capacity>().unwrap_err().to_string();
            assert!(error.contains(&format!("{given:?}")), "{error}");
        }
    }
}
