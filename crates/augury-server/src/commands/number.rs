//! Numbers as Redis reads and writes them.

use crate::commands::Refusal;
pub use crate::resp::parser::number as integer;

/// A whole number, or the refusal that Redis has for none.
#[inline]
pub fn whole(text: &[u8]) -> Result<i64, Refusal> {
    integer(text).ok_or(Refusal::NOT_INTEGER)
}

/// A floating point number as `strtold` reads the whole of a text: no space before or behind, not NaN.
pub fn float(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    let plain = text.strip_prefix(['+', '-']).unwrap_or(text);
    let infinite = ["inf", "infinity"].iter().any(|name| plain.eq_ignore_ascii_case(name));
    if plain.starts_with(|first: char| first.is_ascii_digit() || first == '.') || infinite {
        return text.parse().ok().filter(|number: &f64| !number.is_nan());
    }
    None
}

/// A floating point number for people: at most 17 digits behind the point, no zeros at the end, as
/// INCRBYFLOAT writes it.
pub fn human(number: f64) -> String {
    let text = format!("{number:.17}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}
