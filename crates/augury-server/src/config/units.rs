//! Bytes as people write them, with Redis's units: `1k` is 1,000, `1kb` is 1,024.

/// Bytes of a text such as `64mb`, `1gb`, `500k` or `1048576`.
///
/// ```
/// assert_eq!(Ok(64 << 20), augury_server::config::bytes("64mb"));
/// assert!(augury_server::config::bytes("50%").is_err());
/// ```
///
/// # Errors
/// It is none: the text says what is expected.
pub fn bytes(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" => 1_000,
        "kb" | "kib" => 1 << 10,
        "m" => 1_000_000,
        "mb" | "mib" => 1 << 20,
        "g" => 1_000_000_000,
        "gb" | "gib" => 1 << 30,
        "t" => 1_000_000_000_000,
        "tb" | "tib" => 1 << 40,
        "%" => {
            return Err(format!(
                "{text:?} is a share, and of what is not said: give bytes, as 64mb or 1gb"
            ));
        }
        _ => {
            return Err(format!("{text:?} is no number of bytes: give it as 64mb, 1gb or 1048576"));
        }
    };
    let number: u64 = digits
        .parse()
        .map_err(|_| format!("{text:?} is no number of bytes: give it as 64mb, 1gb or 1048576"))?;
    number.checked_mul(factor).ok_or_else(|| format!("{text:?} is beyond 16 EiB"))
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn units_are_those_of_redis() {
        for (text, expected) in [
            ("0", 0),
            ("100", 100),
            ("1k", 1_000),
            ("1KB", 1_024),
            ("3m", 3_000_000),
            ("64mb", 64 << 20),
            ("2g", 2_000_000_000),
            (" 1 gb ", 1 << 30),
            ("1GiB", 1 << 30),
        ] {
            assert_eq!(Ok(expected), bytes(text), "{text}");
        }
        for text in ["", "mb", "1.5gb", "-1", "5x", "50%", "99999999999999999999", "99999999999gb"]
        {
            assert!(bytes(text).is_err(), "{text}");
        }
    }
}
