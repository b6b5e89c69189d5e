//! Numbers as Redis reads and writes them.

use crate::commands::Refusal;
use crate::object::DATABASES;
pub use crate::resp::parser::number as integer;

/// A whole number, or the refusal that Redis has for none.
#[inline]
pub fn whole(text: &[u8]) -> Result<i64, Refusal> {
    integer(text).ok_or(Refusal::NOT_INTEGER)
}

/// A whole number within bounds, or the refusals that Redis has for none and for one outside.
pub fn within(text: &[u8], least: i64, most: i64) -> Result<i64, Refusal> {
    let number = whole(text)?;
    if (least..=most).contains(&number) {
        return Ok(number);
    }
    let text = format!("ERR value is out of range, value must between {least} and {most}");
    Err(Refusal::of(text))
}

/// The number of a database.
pub fn database(text: &[u8]) -> Result<u8, Refusal> {
    let number = within(text, i32::MIN.into(), i32::MAX.into())?;
    let db = u8::try_from(number).ok().filter(|&db| db < DATABASES);
    db.ok_or(Refusal::new("ERR DB index is out of range"))
}
