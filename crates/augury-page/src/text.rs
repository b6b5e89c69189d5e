//! Foreign bytes, numbers and times as text for people.

use std::fmt::Write as _;

use crate::seen::Unit;

/// Characters of a key that are shown.
const SHOWN_MAX: usize = 96;

/// A key as text: what is no visible character is written as its code, and what is long is cut. What is
/// invisible, or changes the direction of what follows, could make one key look like another.
///
/// The result is not safe in HTML, and whoever writes HTML escapes it.
pub fn shown(key: &[u8]) -> String {
    let (mut text, mut count) = (String::new(), 0);
    for chunk in key.utf8_chunks() {
        for character in chunk.valid().chars() {
            if count == SHOWN_MAX {
                return cut(text, key.len());
            }
            count += 1;
            match character {
                '\\' => text.push_str("\\\\"),
                '\u{0}'..='\u{1f}' | '\u{7f}' => coded(&mut text, character as u8),
                _ if is_visible(character) => text.push(character),
                _ => text.extend(character.escape_unicode()),
            }
        }
        for &byte in chunk.invalid() {
            if count == SHOWN_MAX {
                return cut(text, key.len());
            }
            count += 1;
            coded(&mut text, byte);
        }
    }
    text
}

fn coded(text: &mut String, byte: u8) {
    // Writing to a string cannot fail.
    let _ = write!(text, "\\x{byte:02x}");
}

fn cut(mut text: String, bytes: usize) -> String {
    let _ = write!(text, "… ({bytes} bytes)");
    text
}

/// Whether a character leaves a mark and nothing but a mark.
fn is_visible(character: char) -> bool {
    // Format characters, other spaces, private use and what is no character.
    let hidden = matches!(character,
        '\u{80}'..='\u{a0}' | '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}'
        | '\u{70f}' | '\u{115f}' | '\u{1160}' | '\u{1680}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}'
        | '\u{205f}'..='\u{206f}' | '\u{3000}' | '\u{3164}' | '\u{e000}'..='\u{f8ff}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{10ffff}');
    !hidden
}

/// A whole number with commas.
pub fn whole(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with three significant digits, or none behind the point where it is large.
pub fn short(number: f64) -> String {
    match number.abs() {
        size if size >= 100.0 => whole_signed(number),
        size if size >= 10.0 => format!("{number:.1}"),
        size if size >= 0.01 || size == 0.0 => format!("{number:.2}"),
        _ => format!("{number:.1e}"),
    }
}

fn whole_signed(number: f64) -> String {
    let sign = if number < 0.0 { "-" } else { "" };
    format!("{sign}{}", whole(number.abs().round() as u64))
}

/// A share as per cent.
pub fn percent(share: f64) -> String {
    format!("{:.1}%", 100.0 * share)
}

/// A difference of shares, in points, with its sign.
pub fn points(difference: f64) -> String {
    format!("{:+.1} points", 100.0 * difference)
}

/// A size in the cache's unit.
pub fn size(amount: u64, unit: Unit) -> String {
    match unit {
        Unit::Bytes => bytes(amount),
        Unit::Entries if amount == 1 => "1 entry".to_owned(),
        Unit::Entries => format!("{} entries", whole(amount)),
        Unit::Units => whole(amount),
    }
}

fn bytes(amount: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if amount < 1 << 10 {
        return format!("{amount} B");
    }
    let mut scaled = amount as f64 / 1024.0;
    let mut unit = 0;
    while scaled >= 999.5 && unit + 1 < UNITS.len() {
        scaled /= 1024.0;
        unit += 1;
    }
    let digits = if scaled < 10.0 { 2 } else { usize::from(scaled < 100.0) };
    format!("{scaled:.digits$} {}", UNITS[unit])
}

/// Milliseconds as a time span: its two largest units.
pub fn span(millis: u64) -> String {
    let seconds = millis / 1000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_written_as_its_code() {
        for (key, expected) in [
            (&b"user:42"[..], "user:42"),
            ("käse 猫".as_bytes(), "käse 猫"),
            (b"a\nb\0c\x7f", "a\\x0ab\\x00c\\x7f"),
            (b"\xff<b>\xfe", "\\xff<b>\\xfe"),
            ("a\u{202e}b".as_bytes(), "a\\u{202e}b"),
            ("a\u{200b}\u{feff}".as_bytes(), "a\\u{200b}\\u{feff}"),
            (b"\\x00", "\\\\x00"),
            (b"", ""),
        ] {
            assert_eq!(expected, shown(key));
        }
    }

    #[test]
    fn a_long_key_is_cut_and_says_how_long_it_is() {
        let text = shown(&b"k".repeat(1_000));
        assert_eq!(format!("{}… (1000 bytes)", "k".repeat(SHOWN_MAX)), text);
        assert_eq!("k".repeat(SHOWN_MAX), shown(&b"k".repeat(SHOWN_MAX)));
        assert!(shown(&[0xff; 1 << 20]).len() < 500);
    }

    #[test]
    fn numbers_are_told_as_people_write_them() {
        assert_eq!(
            ["0", "999", "1,000", "12,345,678"].map(str::to_owned),
            [whole(0), whole(999), whole(1_000), whole(12_345_678)]
        );
        assert_eq!(
            ["12.5%", "+1.5 points", "-0.4 points"].map(str::to_owned),
            [percent(0.125), points(0.015), points(-0.004)]
        );
        assert_eq!("512 B", size(512, Unit::Bytes));
        assert_eq!("64.0 MiB", size(64 << 20, Unit::Bytes));
        assert_eq!("1.00 GiB", size(1 << 30, Unit::Bytes));
        assert_eq!("1 entry", size(1, Unit::Entries));
        assert_eq!("59 s", span(59_999));
        assert_eq!("1 h 1 min", span(3_660_000));
        assert_eq!("2 d 0 h", span(2 * 86_400_000));
        assert_eq!("1,235", short(1234.6));
        assert_eq!("0.05", short(0.05));
    }
}
