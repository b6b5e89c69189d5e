//! Passwords: kept as SHA-256, compared in a time that tells nothing.
//!
//! SHA-256 without salt is what ACL files of Redis hold. It protects strong passwords only: ACL
//! GENPASS makes such.

use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

/// SHA-256 of a password.
pub type Digest = [u8; 32];

/// The digest of a password.
pub fn digest(password: &[u8]) -> Digest {
    Sha256::digest(password).into()
}

/// Whether a digest is one of those: all are compared, whichever is right.
pub fn is_one_of(digest: &Digest, digests: &[Digest]) -> bool {
    let found = digests.iter().fold(Choice::from(0), |found, it| found | it[..].ct_eq(&digest[..]));
    found.into()
}

/// Bytes in lower case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// A digest from 64 digits of lower case hexadecimal.
pub fn from_hex(text: &[u8]) -> Option<Digest> {
    let mut digest = Digest::default();
    if text.len() != 2 * digest.len() {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(digest)
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_that_of_the_standard_and_survives_its_text() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(abc, hex(&digest(b"abc")));
        assert_eq!(Some(digest(b"abc")), from_hex(abc.as_bytes()));
        assert_eq!(None, from_hex(abc.to_uppercase().as_bytes()));
        assert_eq!(None, from_hex(b"ba"));
    }

    #[test]
    fn any_of_a_users_passwords_is_right() {
        let all = [digest(b"one"), digest(b"two")];
        assert!(is_one_of(&digest(b"two"), &all) && is_one_of(&digest(b"one"), &all));
        assert!(!is_one_of(&digest(b"three"), &all) && !is_one_of(&digest(b""), &[]));
    }
}
