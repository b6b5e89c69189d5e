//! Patterns as KEYS, SCAN, PSUBSCRIBE and ACLs have them: `*`, `?`, `[a-z]`, `[^a]`, `\`.
//!
//! One star is remembered at a time, to which the matcher returns: the time is at most the product of
//! the lengths, whatever the pattern (CVE-2022-36021, CVE-2024-31228).

/// Whether the whole of a text matches a pattern.
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut seen) = (0, 0);
    // Where to go on when what follows the latest star does not match: behind the star, and one byte
    // further in the text.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if pattern.get(at) == Some(&b'*') {
            while pattern.get(at) == Some(&b'*') {
                at += 1;
            }
            if at == pattern.len() {
                return true;
            }
            retry = Some((at, seen));
            continue;
        }
        let step = match text.get(seen) {
            None if at == pattern.len() => return true,
            // The text has ended before the pattern: no later start can help.
            None => return false,
            Some(&byte) => one(&pattern[at..], byte),
        };
        if let Some(len) = step {
            at += len;
            seen += 1;
        } else {
            let Some((star, from)) = retry else { return false };
            (at, seen) = (star, from + 1);
            retry = Some((star, from + 1));
        }
    }
}

/// How long the first element of a pattern is, if it matches a byte; no star.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match *pattern {
        [] => None,
        [b'?', ..] => Some(1),
        [b'\\', escaped, ..] => (escaped == byte).then_some(2),
        [b'[', ..] => {
            let (is_in, len) = class(pattern, byte);
            is_in.then_some(len)
        }
        [plain, ..] => (plain == byte).then_some(1),
    }
}

/// Whether a byte is in the class that begins the pattern, and how long the class is. A class that
/// is not closed ends with the pattern.
fn class(pattern: &[u8], byte: u8) -> (bool, usize) {
    let mut at = 1;
    let is_inverted = pattern.get(at) == Some(&b'^');
    at += usize::from(is_inverted);
    let mut is_in = false;
    loop {
        match pattern[at..] {
            [] => return (is_in != is_inverted, at),
            [b']', ..] => return (is_in != is_inverted, at + 1),
            [b'\\', escaped, ..] => {
                is_in |= escaped == byte;
                at += 2;
            }
            [from, b'-', to, ..] => {
                is_in |= (from.min(to)..=from.max(to)).contains(&byte);
                at += 3;
            }
            [plain, ..] => {
                is_in |= plain == byte;
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_mean_what_they_mean_to_redis() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abbcd", false),
            ("a?c", "ac", false),
            ("h[ae]llo", "hallo", true),
            ("h[^e]llo", "hello", false),
            ("h[a-c]llo", "hbllo", true),
            ("h[c-a]llo", "hbllo", true),
            (r"h\*llo", "h*llo", true),
            (r"h\*llo", "hello", false),
            (r"[\]]", "]", true),
            ("[ab", "b", true),
            ("*foo*bar", "xfooyfoobarbar", true),
            ("a*", "", false),
            ("**a**", "bab", true),
            (r"a\", r"a\", true),
        ] {
            assert_eq!(expected, matches(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
        }
    }

    #[test]
    fn a_hostile_pattern_costs_no_more_than_the_product_of_the_lengths() {
        let (pattern, text) = ("a*".repeat(2_000) + "b", "a".repeat(4_000));
        assert!(!matches(pattern.as_bytes(), text.as_bytes()));
    }
}
