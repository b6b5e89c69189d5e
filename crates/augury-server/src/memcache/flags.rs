//! Flags of meta commands: single letters, some with a token behind them.

use super::line::Line;
use super::number::{signed, unsigned, unsigned32};
use super::request::{Asks, Meta};

/// Most tokens of a meta command, its name among them.
pub(super) const TOKENS_MAX: usize = 19;
/// Longest opaque token, its letter among it.
const OPAQUE_MAX: usize = 32;

pub(super) const BAD_FORMAT: &str = "CLIENT_ERROR bad command line format";
const BAD_TOKEN: &str = "CLIENT_ERROR bad token in command line format";
const DUPLICATE: &str = "CLIENT_ERROR duplicate flag";
pub(super) const OPAQUE_TOO_LONG: &str = "CLIENT_ERROR opaque token too long";

/// Reads the flags from the token `first` on. All commands take all flags and leave out what means
/// nothing to them, as memcached does.
pub(super) fn read(line: &Line<'_>, first: usize) -> Result<Meta, &'static str> {
    let mut meta = Meta { key: line.span(1), flags: line.span_from(first), ..Meta::default() };
    let mut seen = 0u128;
    let mut error = None;
    for flag in line.tokens(first) {
        let (letter, token) = (flag[0], &flag[1..]);
        if letter >= 127 || seen & (1 << letter) != 0 {
            return Err(DUPLICATE);
        }
        seen |= 1 << letter;
        if let Some(ask) = ask(letter) {
            meta.asks |= ask;
            continue;
        }
        let expiry = || signed(token).ok_or(BAD_TOKEN);
        let unique = || unsigned(token).ok_or(BAD_TOKEN);
        let result = match letter {
            b'b' => {
                meta.asks |= Asks::BASE64;
                let is_key = meta.key(line.input()).is_some();
                if is_key { Ok(()) } else { Err("CLIENT_ERROR error decoding key") }
            }
            b'N' => expiry().map(|it| meta.vivify = Some(it)),
            b'T' => expiry().map(|it| meta.exptime = Some(it)),
            b'R' => expiry().map(|it| meta.recache = Some(it)),
            b'C' => unique().map(|it| meta.compare = Some(it)),
            b'E' => unique().map(|it| meta.unique = Some(it)),
            b'F' => unsigned32(token).map(|it| meta.client_flags = it).ok_or(BAD_FORMAT),
            b'D' => unsigned(token)
                .map(|it| meta.delta = Some(it))
                .ok_or("CLIENT_ERROR invalid numeric delta value"),
            b'J' => unsigned(token)
                .map(|it| meta.initial = it)
                .ok_or("CLIENT_ERROR invalid numeric initial value"),
            b'M' => match token {
                &[mode] => {
                    meta.mode = Some(mode);
                    Ok(())
                }
                _ => Err("CLIENT_ERROR incorrect length for M token"),
            },
            // Answered in their order.
            b'O' | b'c' | b'f' | b'h' | b'k' | b'l' | b's' | b't' => Ok(()),
            // For proxies on the way.
            b'L' | b'P' => Ok(()),
            _ => return Err("CLIENT_ERROR invalid flag"),
        };
        error = result.err().or(error);
    }
    match error {
        Some(error) => Err(error),
        None => Ok(meta),
    }
}

/// What a letter asks for that stands by itself.
fn ask(letter: u8) -> Option<Asks> {
    match letter {
        b'q' => Some(Asks::QUIET),
        b'u' => Some(Asks::UNNOTICED),
        b'v' => Some(Asks::VALUE),
        b'I' => Some(Asks::INVALIDATE),
        b'x' => Some(Asks::EMPTY),
        _ => None,
    }
}

/// Whether an opaque token among the flags is longer than allowed.
pub(super) fn has_long_opaque(line: &Line<'_>, first: usize) -> bool {
    line.tokens(first).any(|flag| flag[0] == b'O' && flag.len() > OPAQUE_MAX)
}
