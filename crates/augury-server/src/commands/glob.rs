//! Patterns of keys: `*`, `?`, `[a-z]`, `[^a]`, and `\\` before what is meant literally.
//!
//! Only the latest star is ever taken up again: whatever an earlier one could still take, the later
//! one can take too. So the time is at most the product of both lengths, whatever the pattern; the
//! recursive matcher of Redis takes exponential time (CVE-2022-36021).

/// Whether the whole text matches the pattern.
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut rest, mut at) = (pattern, 0);
    // Behind the latest star, and how much of the text it has taken.
    let mut star: Option<(&[u8], usize)> = None;
    loop {
        if let [b'*', behind @ ..] = rest {
            if behind.is_empty() {
                return true;
            }
            star = Some((behind, at));
            rest = behind;
            continue;
        }
        let next = match text.get(at) {
            Some(&byte) => one(rest, byte),
            None if rest.is_empty() => return true,
            // A star that takes more leaves less to match.
            None => return false,
        };
        if let Some(behind) = next {
            (rest, at) = (behind, at + 1);
        } else if let Some((behind, taken)) = star {
            star = Some((behind, taken + 1));
            (rest, at) = (behind, taken + 1);
        } else {
            return false;
        }
    }
}

/// The pattern behind its first element, if that matches the byte.
fn one(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    match pattern {
        [] => None,
        [b'?', rest @ ..] => Some(rest),
        [b'[', rest @ ..] => class(rest, byte),
        [b'\\', literal, rest @ ..] | [literal, rest @ ..] => (*literal == byte).then_some(rest),
    }
}

/// As [`one`], behind an opening bracket. A class that is not closed goes to the end.
fn class(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    let (is_negated, mut rest) = match pattern {
        [b'^', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let mut is_in = false;
    loop {
        let (low, high);
        (low, high, rest) = match rest {
            [] => break,
            [b']', behind @ ..] => {
                rest = behind;
                break;
            }
            [b'\\', literal, behind @ ..] => (*literal, *literal, behind),
            [low, b'-', high, behind @ ..] => (*low.min(high), *low.max(high), behind),
            [literal, behind @ ..] => (*literal, *literal, behind),
        };
        is_in |= (low..=high).contains(&byte);
    }
    (is_in != is_negated).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn are_matched(pattern: &str, texts: &[&str]) {
        for text in texts {
            assert!(matches(pattern.as_bytes(), text.as_bytes()), "{pattern} and {text}");
        }
    }

    fn are_not(pattern: &str, texts: &[&str]) {
        for text in texts {
            assert!(!matches(pattern.as_bytes(), text.as_bytes()), "{pattern} and {text}");
        }
    }

    #[test]
    fn patterns_mean_what_they_mean_to_redis() {
        are_matched("*", &["", "a", "*"]);
        are_matched("a*b*c", &["abc", "aXbYc", "abcbc", "abbcc"]);
        are_not("a*b*c", &["ab", "acb", "abcd", ""]);
        are_matched("h?llo", &["hello", "h?llo"]);
        are_not("h?llo", &["hllo", "heello"]);
        are_matched("h[a-c^]llo", &["hallo", "hcllo", "h^llo"]);
        are_matched("h[^a-c]llo", &["hdllo"]);
        are_not("h[^a-c]llo", &["hbllo", "hllo"]);
        are_matched("[c-a]", &["b"]);
        are_matched("[\\]]", &["]"]);
        are_matched("a\\*", &["a*"]);
        are_not("a\\*", &["ab"]);
        are_matched("a\\", &["a\\"]);
        are_matched("[abc", &["b"]);
        are_not("[abc", &["d"]);
        are_not("", &["a"]);
        are_matched("**a**", &["a", "xax"]);
    }

    /// As the definition says: a star takes any number of bytes, tried one after the other.
    fn by_definition(pattern: &[u8], text: &[u8]) -> bool {
        match pattern {
            [] => text.is_empty(),
            [b'*', rest @ ..] => (0..=text.len()).any(|at| by_definition(rest, &text[at..])),
            _ => text
                .split_first()
                .and_then(|(&byte, text)| Some((one(pattern, byte)?, text)))
                .is_some_and(|(rest, text)| by_definition(rest, text)),
        }
    }

    #[test]
    fn taking_up_the_latest_star_is_enough() {
        let mut random = fastrand::Rng::with_seed(7);
        let mut some = |alphabet: &[u8], most: usize| -> Vec<u8> {
            let len = random.usize(0..=most);
            (0..len).map(|_| alphabet[random.usize(0..alphabet.len())]).collect()
        };
        let mut count = 0;
        for _ in 0..200_000 {
            let (pattern, text) = (some(b"ab*?[]^-\\", 8), some(b"ab", 8));
            let expected = by_definition(&pattern, &text);
            count += usize::from(expected);
            let shown = (pattern.escape_ascii(), text.escape_ascii());
            assert_eq!(expected, matches(&pattern, &text), "{} and {}", shown.0, shown.1);
        }
        assert!(count > 5_000, "{count} of the pairs match");
    }

    #[test]
    fn no_pattern_takes_exponential_time() {
        let (pattern, text) = ("a*".repeat(5_000) + "b", "a".repeat(50_000));
        assert!(!matches(pattern.as_bytes(), text.as_bytes()));
    }
}
