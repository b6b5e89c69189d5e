//! Numbers as memcached reads them: C's `strtoull` and its kin, up to the first space.

/// Sign and digits at the beginning of a text, space before them skipped; the digits must be followed
/// by space, a zero byte or nothing.
fn read(text: &[u8]) -> Option<(bool, u64)> {
    let is_space = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0x0b;
    let text = &text[text.iter().take_while(|byte| is_space(byte)).count()..];
    let (is_negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        all => (false, all),
    };
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count == 0 || digits.get(count).is_some_and(|byte| !is_space(byte) && *byte != 0) {
        return None;
    }
    let add = |value: u64, digit: &u8| value.checked_mul(10)?.checked_add(u64::from(digit - b'0'));
    Some((is_negative, digits[..count].iter().try_fold(0, add)?))
}

/// A number of 64 bits without a sign.
pub(super) fn unsigned(text: &[u8]) -> Option<u64> {
    let (is_negative, value) = read(text)?;
    (!is_negative || value == 0).then_some(value)
}

/// A number of 32 bits without a sign.
pub(super) fn unsigned32(text: &[u8]) -> Option<u32> {
    u32::try_from(unsigned(text)?).ok()
}

/// A number with a sign.
pub(super) fn signed(text: &[u8]) -> Option<i64> {
    let (is_negative, value) = read(text)?;
    if is_negative { 0i64.checked_sub_unsigned(value) } else { i64::try_from(value).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_end_at_a_space() {
        for (text, value) in
            [("12", 12), (" 5", 5), ("+7 ab", 7), ("5\tx", 5), ("-0", 0), ("08", 8)]
        {
            assert_eq!(Some(value), unsigned(text.as_bytes()), "{text:?}");
        }
        assert_eq!(Some(u64::MAX), unsigned(b"18446744073709551615"));
        for text in ["", "-", " ", "x", "5x", "-1", "18446744073709551616", "0x10"] {
            assert_eq!(None, unsigned(text.as_bytes()), "{text:?}");
        }
        assert_eq!((Some(-5), None), (signed(b"-5"), signed(b"--5")));
        assert_eq!((Some(i64::MIN), None), (signed(b"-9223372036854775808"), signed(b"9e9")));
        assert_eq!((None, Some(u32::MAX)), (unsigned32(b"4294967296"), unsigned32(b"4294967295")));
    }
}
