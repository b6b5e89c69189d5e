//! The requests that have come at once: bytes taken apart before the lock is taken.
//!
//! Nothing is allocated by a declared length, and a block that is to be skipped is dropped as it
//! comes. A line ends in CR LF or LF alone; a data block in CR LF.

use memchr::memchr;

use super::command::{self, Asked, Storing};
use super::request::{Meta, Mode, Request, Span};

/// Requests of one batch.
const REQUESTS_MAX: usize = 64;
/// Longest line whose end has not come, but for a list of keys.
const LINE_MAX: usize = 2048;
/// Spaces before a list of keys that is longer.
const INDENT_MAX: usize = 100;
/// Longest list of keys.
const KEYS_MAX: usize = 2 << 20;
/// Bytes of an item beside key, value and flags, as memcached counts them.
const ITEM_BYTES: usize = 48 + 8 + 1 + 2;
/// The first byte of the binary protocol.
const BINARY: u8 = 0x80;

/// What a client may send.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of one item, as memcached counts them.
    pub item: usize,
}

/// See the module's head.
#[derive(Debug, Default)]
pub struct Batch {
    requests: Vec<Request>,
    /// Where each of them begins.
    begins: Vec<usize>,
    /// Where the present line begins.
    at: usize,
    /// Where what is read at present begins.
    begin: usize,
    /// How much of the present line has been looked at and holds no end of it.
    looked: usize,
    /// Bytes of line and block together, where the line is known and its block has not come.
    needs: usize,
    /// Bytes of a block still to be skipped.
    skip: usize,
    has_begun: bool,
    is_over: bool,
}

impl Batch {
    /// Takes the input apart, from where the last whole request ended.
    pub fn fill(&mut self, input: &[u8], limits: Limits) {
        self.requests.clear();
        self.begins.clear();
        if !self.has_begun && !input.is_empty() {
            self.has_begun = true;
            if input[0] == BINARY {
                self.end(Some(
                    "SERVER_ERROR the binary protocol is not spoken here: use text or meta commands",
                ));
            }
        }
        while !self.is_over && self.requests.len() < REQUESTS_MAX && self.next(input, limits) {
            self.begins.push(self.begin);
        }
        // What ends the connection.
        self.begins.resize(self.requests.len(), self.at);
    }

    /// Reads on; whether there may be more.
    fn next(&mut self, input: &[u8], limits: Limits) -> bool {
        let skipped = self.skip.min(input.len() - self.at);
        self.at += skipped;
        self.skip -= skipped;
        self.begin = self.at;
        let rest = &input[self.at..];
        if rest.is_empty() || rest.len() < self.needs {
            return false;
        }
        let Some(end) = memchr(b'\n', &rest[self.looked..]).map(|end| self.looked + end) else {
            self.looked = rest.len();
            if rest.len() > LINE_MAX && !is_list(rest) {
                self.end(None);
            } else if rest.len() > KEYS_MAX {
                self.end(Some("CLIENT_ERROR line too long"));
            }
            return false;
        };
        self.looked = 0;
        let is_crlf = end > 1 && rest[end - 1] == b'\r';
        let stop = self.at + end - usize::from(is_crlf);
        let next = self.at + end + 1;
        match command::read(input, self.at, stop) {
            Asked::Whole(request) => {
                self.requests.push(request);
                self.at = next;
                self.is_over = matches!(request, Request::Close(_));
            }
            Asked::Skip(request, length) => {
                self.requests.push(request);
                (self.at, self.skip) = (next, length + 2);
            }
            Asked::Block { storing, length } => {
                return self.store(input, limits, next, storing, length);
            }
        }
        true
    }

    /// A storage command whose line ends at `next`; whether there may be more.
    fn store(
        &mut self,
        input: &[u8],
        limits: Limits,
        next: usize,
        storing: Storing,
        length: usize,
    ) -> bool {
        if let Some(refused) = too_large(input, limits, storing, length) {
            self.requests.push(refused);
            (self.at, self.skip) = (next, length + 2);
            return true;
        }
        let end = next + length + 2;
        if input.len() < end {
            self.needs = end - self.at;
            return false;
        }
        self.needs = 0;
        self.at = end;
        let block = Span::new(next, next + length);
        let bad = Request::Say("CLIENT_ERROR bad data chunk");
        let is_whole = input[..end].ends_with(b"\r\n");
        self.requests.push(match storing {
            Storing::Plain { store, is_quiet } if is_whole => {
                Request::Store { store, block, is_quiet }
            }
            Storing::Plain { is_quiet: true, .. } => Request::Nothing,
            Storing::Meta { meta, mode } if is_whole => Request::MetaSet { meta, mode, block },
            _ => bad,
        });
        true
    }

    fn end(&mut self, text: Option<&'static str>) {
        self.requests.push(Request::Close(text));
        self.is_over = true;
    }

    /// The requests; their places are those of the input as it was for [`Batch::fill`].
    #[inline]
    pub fn requests(&self) -> &[Request] {
        &self.requests
    }

    /// The requests have run: how many bytes of the input the caller is to drop.
    pub fn settle(&mut self) -> usize {
        std::mem::take(&mut self.at)
    }

    /// The first `done` requests have run, and the one behind them has not: how many bytes of the input
    /// the caller is to drop. What follows is read again.
    pub fn settle_at(&mut self, done: usize) -> usize {
        let end = self.begins.get(done).copied().unwrap_or(self.at);
        let has_begun = self.has_begun;
        *self = Batch { has_begun, ..Batch::default() };
        end
    }

    /// How many bytes the input will have when the block that is coming is complete, if one is.
    pub fn wants(&self) -> Option<usize> {
        (self.needs > 0).then_some(self.at + self.needs)
    }
}

/// Whether a line that has not ended is a list of keys.
fn is_list(line: &[u8]) -> bool {
    let indent = line.iter().take_while(|&&byte| byte == b' ').count();
    let rest = &line[indent..];
    let names: [&[u8]; 5] = [b"get ", b"gets ", b"gat ", b"gats ", b"bget "];
    indent <= INDENT_MAX && names.iter().any(|name| rest.starts_with(name))
}

/// The refusal of an item that is beyond the limit.
fn too_large(input: &[u8], limits: Limits, storing: Storing, length: usize) -> Option<Request> {
    let (key, flags, is_base64, is_quiet, removes) = match storing {
        Storing::Plain { store, is_quiet } => {
            (store.key, store.flags, false, is_quiet, store.mode == Mode::Set)
        }
        Storing::Meta { meta: meta @ Meta { key, client_flags, .. }, .. } => {
            (key, client_flags, meta.is_base64(), false, true)
        }
    };
    let flags_len = if flags == 0 { 0 } else { 4 };
    let bytes = ITEM_BYTES + key.of(input).len() + flags_len + length;
    let key = removes.then_some(key);
    (bytes > limits.item).then_some(Request::TooLarge { key, is_base64, is_quiet })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { item: 1 << 20 };

    /// All requests with their bytes, the input coming in pieces of a length.
    fn parse(input: &[u8], piece: usize) -> Vec<String> {
        let (mut batch, mut buffer, mut seen) = (Batch::default(), Vec::new(), Vec::new());
        for piece in input.chunks(piece) {
            buffer.extend_from_slice(piece);
            loop {
                batch.fill(&buffer, LIMITS);
                let is_empty = batch.requests().is_empty();
                seen.extend(batch.requests().iter().map(|request| show(request, &buffer)));
                buffer.drain(..batch.settle());
                if is_empty {
                    break;
                }
            }
        }
        seen
    }

    fn show(request: &Request, input: &[u8]) -> String {
        let text = |span: Span| String::from_utf8_lossy(span.of(input)).into_owned();
        match *request {
            Request::Say(line) => line.to_owned(),
            Request::Get { keys, .. } => format!("get {}", text(keys)),
            Request::Store { store, block, .. } => {
                format!("{:?} {}={}", store.mode, text(store.key), text(block))
            }
            Request::MetaSet { meta, mode, block } => {
                format!("{mode:?} {}={} {}", text(meta.key), text(block), text(meta.flags))
            }
            Request::MetaGet(meta) => format!("mg {} {}", text(meta.key), text(meta.flags)),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn requests_come_whole_however_they_are_cut() {
        let input =
            b"set k 1 0 3\r\na\r\n\r\nget k  l \nms k 2 T0 c\r\nab\r\nms k 3 Z\r\nabc\r\nmn\n\
            mg YQ== b v\r\nset k 0 0 1\r\nabc\r\nset big 0 0 2000000 noreply\r\n";
        let mut input = input.to_vec();
        input.extend(std::iter::repeat_n(b'x', 2_000_000));
        input.extend_from_slice(b"\r\n\r\nquit\r\nmn\r\n");
        let expected = parse(&input, input.len());
        assert_eq!(
            [
                "Set k=a\r\n",
                "get k  l ",
                "Set k=ab T0 c",
                "CLIENT_ERROR invalid flag",
                "MN",
                "mg YQ== b v",
                "CLIENT_ERROR bad data chunk",
                "ERROR",
                "TooLarge { key: Some(Span { from: 4, to: 7 }), is_base64: false, is_quiet: true }",
                "ERROR",
                "Close(None)",
            ][..7],
            expected[..7]
        );
        assert_eq!("Close(None)", expected.last().expect("something was asked"));
        let places = |seen: Vec<String>| -> Vec<String> {
            seen.into_iter().filter(|request| !request.starts_with("TooLarge")).collect()
        };
        let expected = places(expected);
        for piece in [1, 2, 3, 5, 7, 11, 4096] {
            assert_eq!(expected, places(parse(&input, piece)), "{piece}");
        }
    }

    #[test]
    fn what_has_not_run_is_read_again() {
        let input = b"get a\r\nset big 0 0 2000\r\n";
        let mut input = input.to_vec();
        input.extend(std::iter::repeat_n(b'x', 2_000));
        input.extend_from_slice(b"\r\nget b\r\nset k 0 0 1\r\n1\r\nquit\r\n");
        let limits = Limits { item: 1_000 };
        let mut whole = Batch::default();
        whole.fill(&input, limits);
        let expected: Vec<String> = whole.requests().iter().map(|it| show(it, &input)).collect();
        assert_eq!(5, expected.len());
        for piece in [1, 7, input.len()] {
            let (mut batch, mut buffer, mut seen) = (Batch::default(), Vec::new(), Vec::new());
            for piece in input.chunks(piece) {
                buffer.extend_from_slice(piece);
                loop {
                    batch.fill(&buffer, limits);
                    let Some(first) = batch.requests().first() else { break };
                    seen.push(show(first, &buffer));
                    let is_alone = batch.requests().len() == 1;
                    let count = if is_alone { batch.settle() } else { batch.settle_at(1) };
                    buffer.drain(..count);
                }
                buffer.drain(..batch.settle());
            }
            let kinds = |seen: &[String]| -> Vec<String> {
                seen.iter().map(|it| it.chars().take(8).collect()).collect()
            };
            assert_eq!(kinds(&expected), kinds(&seen), "{piece}");
        }
    }

    #[test]
    fn what_is_declared_costs_nothing_and_what_is_skipped_is_dropped() {
        let mut batch = Batch::default();
        batch.fill(b"set k 0 0 2147483645\r\nabc", LIMITS);
        assert!(matches!(batch.requests(), [Request::TooLarge { .. }]));
        assert_eq!((25, None), (batch.settle(), batch.wants()));
        batch.fill(b"more", LIMITS);
        assert_eq!((0, 4), (batch.requests().len(), batch.settle()));
    }

    #[test]
    fn endless_lines_and_the_binary_protocol_end_the_connection() {
        for (input, is_closed) in [
            (vec![b'x'; LINE_MAX + 1], true),
            (vec![b'x'; LINE_MAX], false),
            ([b"get ".to_vec(), vec![b'y'; 9000]].concat(), false),
            ([b"gats 0 ".to_vec(), vec![b'y'; 9000]].concat(), false),
            ([vec![b' '; 101], b"get ".to_vec(), vec![b'y'; 9000]].concat(), true),
            (b"\x80\x00".to_vec(), true),
            (b"GET / HTTP/1.1\r\n".to_vec(), true),
        ] {
            let mut batch = Batch::default();
            batch.fill(&input, LIMITS);
            let closes = matches!(batch.requests(), [Request::Close(_)]);
            assert_eq!(is_closed, closes, "{}", input.escape_ascii());
        }
    }
}
