//! Keys of any bytes as fields of a CSV, so that names and namespaces stay readable.
//!
//! Last step of writing. A field that augury reads is text of one line, trimmed and not empty; a
//! recorded key may be anything. What does not fit is written as an escape that begins with a
//! backslash, and a backslash as two, so that two keys never become one. A key that is plain text
//! without a backslash stays as it is and reads back as the same object. This module must not
//! know requests.

/// The field of a key without bytes.
const EMPTY: &[u8] = b"\\empty";

/// Appends the key as one field of a CSV with commas.
pub(crate) fn append_key(key: &[u8], out: &mut Vec<u8>) {
    if is_plain(key) {
        out.extend_from_slice(key);
        return;
    }
    let text = key_text(key);
    if memchr::memchr2(b',', b'"', &text).is_none() {
        out.extend_from_slice(&text);
        return;
    }
    out.push(b'"');
    for byte in text {
        if byte == b'"' {
            out.push(byte);
        }
        out.push(byte);
    }
    out.push(b'"');
}

/// The key as text of one line: what a reader finds in the field.
pub(crate) fn key_text(key: &[u8]) -> Vec<u8> {
    if key.is_empty() {
        return EMPTY.to_vec();
    }
    let mut text = Vec::with_capacity(key.len() + 8);
    for chunk in key.utf8_chunks() {
        for byte in chunk.valid().bytes() {
            match byte {
                b'\\' => text.extend_from_slice(b"\\\\"),
                0..0x20 | 0x7f => append_escape(byte, &mut text),
                _ => text.push(byte),
            }
        }
        chunk.invalid().iter().for_each(|byte| append_escape(*byte, &mut text));
    }
    // Readers trim; of ASCII's blanks only the space is still there.
    let leading = text.iter().take_while(|byte| **byte == b' ').count();
    let trailing = text[leading..].iter().rev().take_while(|byte| **byte == b' ').count();
    if leading + trailing == 0 {
        return text;
    }
    let space = b"\\x20";
    [&space.repeat(leading), &text[leading..text.len() - trailing], &space.repeat(trailing)]
        .concat()
}

fn append_escape(byte: u8, text: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let (high, low) = (DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]);
    text.extend_from_slice(&[b'\\', b'x', high, low]);
}

fn is_plain(key: &[u8]) -> bool {
    let needs_nothing = |byte: &u8| matches!(byte, 0x21..0x7f) && !b"\\\",".contains(byte);
    !key.is_empty() && key.iter().all(needs_nothing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(key: &[u8]) -> String {
        let mut out = Vec::new();
        append_key(key, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn plain_text_stays_and_everything_else_has_its_own_escape() {
        for (key, expected) in [
            (&b"user:42"[..], "user:42"),
            ("grüße".as_bytes(), "grüße"),
            (b"a b", "a b"),
            (b" a ", "\\x20a\\x20"),
            (b"  ", "\\x20\\x20"),
            (b"a,b", "\"a,b\""),
            (b"say \"hi\"", "\"say \"\"hi\"\"\""),
            (b"a\\x20", "a\\\\x20"),
            (b"a\nb\0\x7f", "a\\x0ab\\x00\\x7f"),
            (b"\xff\xc3", "\\xff\\xc3"),
            (b"", "\\empty"),
            (b"\\empty", "\\\\empty"),
        ] {
            assert_eq!(expected, field(key));
        }
    }
}
