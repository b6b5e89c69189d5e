//! Sizes in bytes as text: `64mb`, `1gb`, `100`.

/// Bytes from a text as redis.conf has it: `k` is 1,000 and `kb` 1,024, and so on; none where it is no
/// size.
///
/// ```
/// assert_eq!(Some(64 << 20), augury_server::config::size::bytes("64mb"));
/// ```
pub fn bytes(text: &str) -> Option<u64> {
    let text = text.to_ascii_lowercase();
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit: u64 = match &text[digits.len()..] {
        "" | "b" => 1,
        "k" => 1_000,
        "kb" => 1 << 10,
        "m" => 1_000_000,
        "mb" => 1 << 20,
        "g" => 1_000_000_000,
        "gb" => 1 << 30,
        _ => return None,
    };
    let is_plain = digits.bytes().all(|digit| digit.is_ascii_digit());
    digits.parse::<u64>().ok().filter(|_| is_plain)?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn what_is_no_size_is_none() {
        assert_eq!([Some(7), Some(2_000), Some(2 << 30)], ["7", "2K", "2gb"].map(bytes));
        assert_eq!([None; 5], ["", "mb", "-1", "+1", "99999999999gb"].map(bytes));
    }
}
