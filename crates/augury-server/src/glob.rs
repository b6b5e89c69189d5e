//! Glob patterns as Redis has them, matched in bounded time.
//!
//! `*`, `?`, `[a-z]`, `[^a]` and `\x`. Only the latest `*` is gone back to, so a match takes at most
//! the product of both lengths: patterns such as `*a*a*a*b` cost no more (CVE-2022-36021 and its kin).

/// Whether the whole text matches the pattern.
///
/// ```
/// use augury_server::glob::matches;
///
/// assert!(matches(b"user:[0-9]*", b"user:42"));
/// assert!(!matches(b"user:?", b"user:42"));
/// ```
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut read) = (0, 0);
    // Behind the latest star, and what it stands for so far.
    let mut star: Option<(usize, usize)> = None;
    while read < text.len() {
        if pattern.get(at) == Some(&b'*') {
            star = Some((at + 1, read));
            at += 1;
            if at == pattern.len() {
                return true;
            }
            continue;
        }
        if let Some(width) = step(&pattern[at..], text[read]) {
            at += width;
            read += 1;
            continue;
        }
        let Some((behind, taken)) = star else { return false };
        star = Some((behind, taken + 1));
        (at, read) = (behind, taken + 1);
    }
    pattern[at..].iter().all(|&byte| byte == b'*')
}

/// The length of the pattern's first element, if it stands for this byte.
fn step(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern {
        [] => None,
        [b'?', ..] => Some(1),
        [b'\\', escaped, ..] => (*escaped == byte).then_some(2),
        [b'[', rest @ ..] => class(rest, byte).map(|width| width + 1),
        [literal, ..] => (*literal == byte).then_some(1),
    }
}

/// The length of a class, behind its bracket, if the byte is in it. One that does not end ends with
/// the pattern.
fn class(pattern: &[u8], byte: u8) -> Option<usize> {
    let is_negated = pattern.first() == Some(&b'^');
    let mut at = usize::from(is_negated);
    let mut is_in = false;
    loop {
        match &pattern[at..] {
            [] => break,
            [b'\\', escaped, ..] => {
                is_in |= *escaped == byte;
                at += 2;
            }
            [b']', ..] => {
                at += 1;
                break;
            }
            [from, b'-', to, ..] => {
                is_in |= (*from.min(to)..=*from.max(to)).contains(&byte);
                at += 3;
            }
            [single, ..] => {
                is_in |= *single == byte;
                at += 1;
            }
        }
    }
    (is_in != is_negated).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_as_in_redis() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("**a", "bba", true),
            ("a*c*e", "abcde", true),
            ("a*c*e", "abcd", false),
            ("h?llo", "hello", true),
            ("h[^e]llo", "hello", false),
            ("h[^e]llo", "hallo", true),
            ("h[a-c]llo", "hbllo", true),
            ("h[c-a]llo", "hbllo", true),
            ("h[a-c]llo", "hdllo", false),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
            ("[\\]]", "]", true),
            ("[abc", "c", true),
            ("a", "a*", false),
        ] {
            assert_eq!(expected, matches(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_cost_no_more_than_the_product_of_lengths() {
        let pattern = b"*a".repeat(5_000);
        let text = b"a".repeat(4_999);
        let begin = std::time::Instant::now();
        assert!(!matches(&[&pattern[..], b"b"].concat(), &text));
        assert!(begin.elapsed().as_secs() < 5, "a match took {:?}", begin.elapsed());
    }
}
