//! Floating point numbers as Redis counts with them: 80 bits, the `long double` of x86-64.
//!
//! INCRBYFLOAT shows 17 digits behind the point, more than 64 bits can tell apart: 0.1 and 0.2 make
//! 0.3 here and 0.30000000000000004 there.

use std::ops::Add;

use rustc_apfloat::ieee::X87DoubleExtended;
use rustc_apfloat::{Float, Round};

/// Longest text of a number, in bytes.
const TEXT_MAX: usize = 5 << 10;
/// Digits behind the point.
const PLACES: usize = 17;
const SCALE: u128 = 10u128.pow(PLACES as u32);
/// What the exponent of a number is above that of its 64-bit significand.
const BIAS: i32 = 16_383 + 63;

/// See the module's head.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extended(X87DoubleExtended);

impl Extended {
    /// The number that the whole text is: no space before or behind, not NaN, not out of range.
    pub fn parse(text: &[u8]) -> Option<Extended> {
        if text.len() >= TEXT_MAX {
            return None;
        }
        let text = std::str::from_utf8(text).ok()?;
        let (is_negative, plain) = match text.as_bytes() {
            [b'-', ..] => (true, &text[1..]),
            [b'+', ..] => (false, &text[1..]),
            _ => (false, text),
        };
        let number = if plain.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
            // What a decimal number is, the standard library decides: the other takes more.
            plain.parse::<f64>().ok()?;
            let number = X87DoubleExtended::from_str_r(plain, Round::NearestTiesToEven).ok()?.value;
            let digits = plain.split(['e', 'E']).next().unwrap_or(plain);
            let is_given_as_zero = digits.bytes().all(|byte| byte == b'0' || byte == b'.');
            if number.is_infinite() || number.is_zero() != is_given_as_zero {
                return None;
            }
            number
        } else if ["inf", "infinity"].iter().any(|name| plain.eq_ignore_ascii_case(name)) {
            X87DoubleExtended::INFINITY
        } else {
            return None;
        };
        Some(Extended(if is_negative { -number } else { number }))
    }

    /// Whether it is a number, not infinite.
    pub fn is_finite(self) -> bool {
        self.0.is_finite()
    }

    /// With 17 digits behind the point, but no zeros at the end.
    pub fn human(self) -> String {
        let bits = self.0.to_bits();
        let significand = u128::from(bits as u64);
        let exponent = ((bits >> 64) & 0x7fff) as i32 - BIAS;
        let (whole, fraction) = if exponent >= 0 {
            (shifted(significand as u64, exponent as u32), 0)
        } else {
            let scaled = rounded(significand * SCALE, exponent.unsigned_abs());
            ((scaled / SCALE).to_string(), scaled % SCALE)
        };
        let mut text = if self.0.is_negative() { "-".to_owned() } else { String::new() };
        text.push_str(&whole);
        if fraction > 0 {
            let digits = format!("{fraction:0PLACES$}");
            text.push('.');
            text.push_str(digits.trim_end_matches('0'));
        }
        if text == "-0" { "0".to_owned() } else { text }
    }
}

impl Add for Extended {
    type Output = Extended;

    fn add(self, other: Extended) -> Extended {
        Extended((self.0 + other.0).value)
    }
}

/// `number` over 2 to the power of `places`, ties to even.
fn rounded(number: u128, places: u32) -> u128 {
    if places >= u128::BITS {
        return 0;
    }
    let (whole, rest) = (number >> places, number & ((1 << places) - 1));
    let half = 1u128 << (places - 1);
    whole + u128::from(rest > half || (rest == half && whole % 2 == 1))
}

/// `number` times 2 to the power of `places`, in decimal.
fn shifted(number: u64, places: u32) -> String {
    const LIMB: u64 = 1_000_000_000;
    const STEP: u32 = 32;
    let mut limbs = vec![number % LIMB, number / LIMB % LIMB, number / LIMB / LIMB];
    let mut left = places;
    while left > 0 {
        let step = left.min(STEP);
        left -= step;
        let mut carry = 0;
        for limb in &mut limbs {
            let sum = (*limb << step) + carry;
            *limb = sum % LIMB;
            carry = sum / LIMB;
        }
        while carry > 0 {
            limbs.push(carry % LIMB);
            carry /= LIMB;
        }
    }
    let digits: String = limbs.iter().rev().map(|limb| format!("{limb:09}")).collect();
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() { "0".to_owned() } else { digits.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(one: &str, other: &str) -> String {
        let [one, other] = [one, other].map(|text| Extended::parse(text.as_bytes()));
        (one.expect("a number") + other.expect("a number")).human()
    }

    #[test]
    fn sums_are_those_of_redis() {
        for (one, other, expected) in [
            ("0.1", "0.2", "0.3"),
            ("10.50", "0.1", "10.6"),
            ("5.0e3", "2.0e2", "5200"),
            ("1000.1", "0", "1000.09999999999999998"),
            ("-1", "1", "0"),
            ("-0.0", "-0.0", "0"),
            ("1e-18", "0", "0"),
            ("1e30", "1", "1000000000000000000024696061952"),
            ("18446744073709551615", "1", "18446744073709551616"),
            ("3", "-0.25", "2.75"),
        ] {
            assert_eq!(expected, sum(one, other), "{one} + {other}");
        }
        assert!(sum("1e4932", "0").len() == 4933);
    }

    #[test]
    fn what_is_no_number_is_told() {
        for text in
            ["0x10", "", " 1", "1 ", "abc", "1e", "nan", "--1", "1e5000", "1e-5000", ".", "1.2.3"]
        {
            assert_eq!(None, Extended::parse(text.as_bytes()), "{text:?}");
        }
        assert!(!Extended::parse(b"-inf").expect("a number").is_finite());
    }

    #[test]
    fn any_text_is_read_or_refused() {
        let mut random = fastrand::Rng::with_seed(3);
        let alphabet = b"0123456789.eE+-xXpPinfa_ ";
        for _ in 0..200_000 {
            let len = random.usize(0..7);
            let text: Vec<u8> =
                (0..len).map(|_| alphabet[random.usize(0..alphabet.len())]).collect();
            let plain = std::str::from_utf8(&text).expect("letters of the alphabet");
            if let Some(number) = Extended::parse(&text).filter(|number| number.is_finite()) {
                let (human, expected) = (number.human(), plain.parse::<f64>().expect("a number"));
                let read: f64 = human.parse().expect("a number");
                // A number of 64 bits may be infinite where one of 80 bits is not.
                let error = if expected.is_finite() { (read - expected).abs() } else { 0.0 };
                assert!(error <= expected.abs() * 1e-9 + 1e-17, "{plain}: {human}");
            }
        }
    }
}
