//! A command line: tokens parted by spaces. It ends at a zero byte, as the strings of C do.

use super::request::Span;

/// Tokens that are looked at; keys of a `get` may be more.
const LOOKED_AT: usize = 23;
/// The tokens of a line.
pub(super) struct Line<'a> {
    input: &'a [u8],
    from: usize,
    to: usize,
    tokens: [Span; LOOKED_AT],
    pub(super) count: usize,
}

impl<'a> Line<'a> {
    /// The line of the input between two places.
    pub(super) fn new(input: &'a [u8], from: usize, to: usize) -> Line<'a> {
        let to = memchr::memchr(0, &input[from..to]).map_or(to, |at| from + at);
        let mut line = Line { input, from, to, tokens: [Span::default(); LOOKED_AT], count: 0 };
        for (at, token) in spans(input, from, to).take(LOOKED_AT).enumerate() {
            line.tokens[at] = token;
            line.count = at + 1;
        }
        line
    }

    /// What the tokens are places of.
    pub(super) fn input(&self) -> &'a [u8] {
        self.input
    }

    /// The token at a place; empty where there is none.
    pub(super) fn get(&self, at: usize) -> &'a [u8] {
        if at < self.count { self.tokens[at].of(self.input) } else { b"" }
    }

    /// Where the token at a place is; the caller guarantees that there are so many.
    pub(super) fn span(&self, at: usize) -> Span {
        self.tokens[at]
    }

    /// The tokens from a place on.
    pub(super) fn tokens(&self, first: usize) -> impl Iterator<Item = &'a [u8]> {
        self.tokens[first.min(self.count)..self.count].iter().map(|span| span.of(self.input))
    }

    /// What is behind the token before this place.
    pub(super) fn span_from(&self, first: usize) -> Span {
        let at = spans(self.input, self.from, self.to).nth(first);
        at.map_or(Span::default(), |span| span.until(self.to))
    }

    /// Whether the client wants no answer.
    pub(super) fn is_quiet(&self) -> bool {
        self.get(self.count.wrapping_sub(1)) == b"noreply"
    }
}

/// The tokens between two places of the input.
fn spans(input: &[u8], from: usize, to: usize) -> impl Iterator<Item = Span> {
    let mut at = from;
    std::iter::from_fn(move || {
        at += input[at..to].iter().take_while(|&&byte| byte == b' ').count();
        if at == to {
            return None;
        }
        let end = memchr::memchr(b' ', &input[at..to]).map_or(to, |length| at + length);
        let span = Span::new(at, end);
        at = end;
        Some(span)
    })
}

/// The tokens of a part of the input.
pub(super) fn tokens(input: &[u8], part: Span) -> impl Iterator<Item = &[u8]> {
    let (from, to) = part.ends();
    spans(input, from, to).map(|span| span.of(input))
}
