//! The options of SET and GETEX.

use crate::commands::moment::Unit;
use crate::commands::{Call, Refusal};
use crate::resp::Arguments;

/// When SET sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When<'a> {
    /// Where there is no such key.
    Absent,
    /// Where there is one.
    Present,
    /// Where its string is this.
    Equal(&'a [u8]),
    /// Where there is none, or its string is not this.
    Unequal(&'a [u8]),
}

/// What becomes of the deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until<'a> {
    /// It is this.
    At(Unit, &'a [u8]),
    /// It stays what it was.
    Kept,
    /// There is none.
    Never,
}

/// What SET was asked for, beside key and value.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'a> {
    /// When to set.
    pub when: Option<When<'a>>,
    /// What to do about the deadline, if it is said.
    pub until: Option<Until<'a>>,
    /// Whether the answer is the value that was there.
    pub gets: bool,
}

/// The options behind a command's first `from` arguments.
///
/// `is_set`: those of SET, else those of GETEX.
pub fn parse(arguments: Arguments<'_>, from: usize, is_set: bool) -> Result<Options<'_>, Refusal> {
    let mut options = Options::default();
    let mut at = from;
    while let Some(option) = arguments.get(at) {
        let is = |name: &str| option.eq_ignore_ascii_case(name.as_bytes());
        let next = arguments.get(at + 1);
        at += 1;
        if let Some(unit) = Unit::of(option) {
            let is_free = match options.until {
                None => true,
                Some(Until::At(before, _)) => before == unit,
                Some(_) => false,
            };
            let time = next.filter(|_| is_free).ok_or(Refusal::SYNTAX)?;
            options.until = Some(Until::At(unit, time));
            at += 1;
            continue;
        }
        if !is_set {
            let is_free = matches!(options.until, None | Some(Until::Never));
            if !(is("PERSIST") && is_free) {
                return Err(Refusal::SYNTAX);
            }
            options.until = Some(Until::Never);
            continue;
        }
        let when = if is("NX") {
            Some(When::Absent)
        } else if is("XX") {
            Some(When::Present)
        } else if is("IFEQ") || is("IFNE") {
            at += 1;
            let value = next.ok_or(Refusal::SYNTAX)?;
            Some(if is("IFEQ") { When::Equal(value) } else { When::Unequal(value) })
        } else {
            None
        };
        match when {
            Some(when) => {
                let may_repeat = matches!(when, When::Absent | When::Present);
                if options.when.is_some_and(|before| !(may_repeat && before == when)) {
                    return Err(Refusal::SYNTAX);
                }
                options.when = Some(when);
            }
            None if is("GET") => options.gets = true,
            None if is("KEEPTTL") && matches!(options.until, None | Some(Until::Kept)) => {
                options.until = Some(Until::Kept);
            }
            None => return Err(Refusal::SYNTAX),
        }
    }
    Ok(options)
}

impl Call<'_, '_> {
    /// The moment that an option says, in milliseconds of Unix time.
    pub(super) fn moment(&self, until: Option<Until<'_>>) -> Result<Option<u64>, Refusal> {
        let Some(Until::At(unit, text)) = until else { return Ok(None) };
        let now = self.server.now;
        crate::commands::moment::positive(text, unit, now, self.command.name).map(Some)
    }
}
