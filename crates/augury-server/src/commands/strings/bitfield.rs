//! Strings as whole numbers of any width, at any bit.

use super::bits::position;
use super::{READ, WRITE_SLOWLY};
use crate::commands::{Call, Command, Done, Refusal, number};

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "bitfield",
        arity: -2,
        since: "3.2.0",
        summary: "Reads, sets and adds to numbers within a key's string",
        run: bitfield,
        ..WRITE_SLOWLY
    },
    Command {
        name: "bitfield_ro",
        arity: -2,
        since: "6.0.0",
        summary: "Reads numbers within a key's string",
        run: bitfield,
        ..READ
    },
];

/// A number's width in bits, and whether it has a sign.
#[derive(Debug, Clone, Copy)]
struct Form {
    bits: u32,
    is_signed: bool,
}

/// What becomes of a number that does not fit.
#[derive(Clone, Copy)]
enum Overflow {
    Wrap,
    Saturate,
    Fail,
}

enum Act {
    Get,
    Set(i64),
    Add(i64),
}

/// One of the things that BITFIELD is to do.
struct Step {
    act: Act,
    form: Form,
    at: u64,
    overflow: Overflow,
}

impl Form {
    fn parse(text: &[u8]) -> Result<Form, Refusal> {
        const WRONG: Refusal = Refusal::new(
            "ERR Invalid bitfield type. Use something like i16 u8. \
             Note that u64 is not supported but i64 is.",
        );
        let (is_signed, digits) = match text {
            [b'i', digits @ ..] => (true, digits),
            [b'u', digits @ ..] => (false, digits),
            _ => return Err(WRONG),
        };
        let most = if is_signed { 64 } else { 63 };
        let bits = number::integer(digits).filter(|bits| (1..=most).contains(bits)).ok_or(WRONG)?;
        Ok(Form { bits: bits as u32, is_signed })
    }

    fn least(self) -> i128 {
        if self.is_signed { -(1 << (self.bits - 1)) } else { 0 }
    }

    fn most(self) -> i128 {
        let bits = if self.is_signed { self.bits - 1 } else { self.bits };
        (1 << bits) - 1
    }

    /// The number that the lowest bits are.
    fn wrapped(self, number: i128) -> i128 {
        let number = number & ((1 << self.bits) - 1);
        if number > self.most() { number - (1 << self.bits) } else { number }
    }

    /// A number that has this form; none where it does not fit and that is to fail.
    fn fitted(self, number: i128, overflow: Overflow) -> Option<i128> {
        if (self.least()..=self.most()).contains(&number) {
            return Some(number);
        }
        match overflow {
            Overflow::Wrap => Some(self.wrapped(number)),
            Overflow::Saturate => Some(number.clamp(self.least(), self.most())),
            Overflow::Fail => None,
        }
    }

    fn read(self, bytes: &[u8], at: u64) -> i128 {
        let bit = |at: u64| {
            let byte = bytes.get((at / 8) as usize).copied().unwrap_or(0);
            i128::from(byte >> (7 - at % 8) & 1)
        };
        self.wrapped((at..at + u64::from(self.bits)).fold(0, |sum, at| sum << 1 | bit(at)))
    }

    /// Writes a number into bytes that reach far enough.
    fn write(self, bytes: &mut [u8], at: u64, number: i128) {
        for bit in 0..self.bits {
            let position = at + u64::from(bit);
            let mask = 0x80 >> (position % 8);
            let byte = &mut bytes[(position / 8) as usize];
            let is_set = number >> (self.bits - 1 - bit) & 1 == 1;
            *byte = if is_set { *byte | mask } else { *byte & !mask };
        }
    }
}

/// A number's position: a bit, or with `#` how many of its width come before it.
fn place(call: &Call<'_, '_>, text: &[u8], form: Form) -> Result<u64, Refusal> {
    const WRONG: Refusal = Refusal::new("ERR bit offset is not an integer or out of range");
    let at = match text {
        [b'#', count @ ..] => {
            let count = number::integer(count).ok_or(WRONG)?;
            let at = count.checked_mul(form.bits.into()).ok_or(WRONG)?;
            position(call, itoa::Buffer::new().format(at).as_bytes())?
        }
        text => position(call, text)?,
    };
    position(call, itoa::Buffer::new().format(at + u64::from(form.bits) - 1).as_bytes())?;
    Ok(at)
}

fn parse(call: &Call<'_, '_>) -> Result<Vec<Step>, Refusal> {
    let (mut steps, mut overflow, mut at) = (Vec::new(), Overflow::Wrap, 2);
    while let Some(option) = call.arguments.get(at) {
        let is = |name: &str| option.eq_ignore_ascii_case(name.as_bytes());
        let left = call.arguments.len() - at - 1;
        if is("OVERFLOW") && left >= 1 {
            let how = call.argument(at + 1);
            let is = |name: &str| how.eq_ignore_ascii_case(name.as_bytes());
            overflow = if is("WRAP") {
                Overflow::Wrap
            } else if is("SAT") {
                Overflow::Saturate
            } else if is("FAIL") {
                Overflow::Fail
            } else {
                return Err(Refusal::new("ERR Invalid OVERFLOW type specified"));
            };
            at += 2;
            continue;
        }
        let has_value = is("SET") || is("INCRBY");
        if !(is("GET") && left >= 2 || has_value && left >= 3) {
            return Err(Refusal::SYNTAX);
        }
        let form = Form::parse(call.argument(at + 1))?;
        let place = place(call, call.argument(at + 2), form)?;
        let act = if is("GET") {
            Act::Get
        } else {
            let number = number::whole(call.argument(at + 3))?;
            if is("SET") { Act::Set(number) } else { Act::Add(number) }
        };
        steps.push(Step { act, form, at: place, overflow });
        at += if has_value { 4 } else { 3 };
    }
    Ok(steps)
}

fn bitfield(call: &mut Call<'_, '_>) -> Done {
    let steps = parse(call)?;
    let ends = steps.iter().filter(|step| !matches!(step.act, Act::Get));
    let end = ends.map(|step| (step.at + u64::from(step.form.bits)).div_ceil(8)).max();
    if end.is_some() && call.command.name == "bitfield_ro" {
        return Err(Refusal::new("ERR BITFIELD_RO only supports the GET subcommand").into());
    }
    let asked = call.asked(1);
    let found = call.find_text(asked)?;
    let mut bytes = call.text_in(found).to_vec();
    // Setting what is set already is no change; adding is one, whatever is added.
    let mut is_changed = found.is_none() && end.is_some();
    if let Some(end) = end {
        let end = call.grow(end as usize, 0)?;
        is_changed |= end > bytes.len();
        bytes.resize(bytes.len().max(end), 0);
    }
    call.reply.array(steps.len());
    for Step { act, form, at, overflow } in &steps {
        let before = form.read(&bytes, *at);
        let (after, answer) = match act {
            Act::Get => (None, Some(before)),
            Act::Set(number) => {
                let after = form.fitted(i128::from(*number), *overflow);
                (after, after.map(|_| before))
            }
            Act::Add(more) => {
                let after = form.fitted(before + i128::from(*more), *overflow);
                (after, after)
            }
        };
        if let Some(after) = after {
            is_changed |= after != before || matches!(act, Act::Add(_));
            form.write(&mut bytes, *at, after);
        }
        match answer {
            Some(answer) => call.reply.integer(answer as i64),
            None => call.reply.null(),
        }
    }
    if is_changed {
        call.overwrite(asked, found, 0, &bytes)?;
    }
    Ok(())
}
