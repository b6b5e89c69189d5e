//! Answers to bytes, in whichever of the two versions the client speaks.
//!
//! A handler says what it means (a map, a double, null); what RESP2 has no type for is written as
//! Redis does: a map as a flat array, a double as a bulk string.

use itoa::Buffer;

/// Version of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocol {
    /// Strings, numbers and arrays.
    #[default]
    Resp2,
    /// Maps, sets, doubles, pushes too.
    Resp3,
}

/// Where an answer is written.
pub struct Reply<'a> {
    out: &'a mut Vec<u8>,
    protocol: Protocol,
    /// Beyond so many bytes strings are left out: the connection is closed.
    most: usize,
}

impl<'a> Reply<'a> {
    /// Answers of this version, behind what `out` has.
    #[inline]
    pub fn new(out: &'a mut Vec<u8>, protocol: Protocol) -> Reply<'a> {
        Reply { out, protocol, most: usize::MAX }
    }

    /// Leaves strings out beyond so many bytes in all. Whoever reads the buffer has to look: its
    /// connection is then to be closed, for its answers are not whole.
    #[inline]
    pub fn within(mut self, most: usize) -> Reply<'a> {
        self.most = most;
        self
    }

    /// The version.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// From here on another version.
    pub fn set_protocol(&mut self, protocol: Protocol) {
        self.protocol = protocol;
    }

    /// What has been written, and what stood before.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        self.out
    }

    #[inline]
    fn header(&mut self, marker: u8, number: impl itoa::Integer) {
        let mut digits = Buffer::new();
        let digits = digits.format(number).as_bytes();
        // Marker and line end together: a header is at most 23 bytes.
        self.out.reserve(digits.len() + 3);
        self.out.push(marker);
        self.out.extend_from_slice(digits);
        self.out.extend_from_slice(b"\r\n");
    }

    /// A simple string: no line break in it.
    pub fn simple(&mut self, text: &str) {
        self.out.push(b'+');
        self.out.extend_from_slice(text.as_bytes());
        self.out.extend_from_slice(b"\r\n");
    }

    /// `OK`.
    #[inline]
    pub fn ok(&mut self) {
        self.out.extend_from_slice(b"+OK\r\n");
    }

    /// An error: its code, then the text. Line breaks in it become spaces.
    pub fn error(&mut self, text: &[u8]) {
        self.out.push(b'-');
        let printable = |&byte: &u8| if byte == b'\r' || byte == b'\n' { b' ' } else { byte };
        self.out.extend(text.iter().map(printable));
        self.out.extend_from_slice(b"\r\n");
    }

    /// A whole number.
    #[inline]
    pub fn integer(&mut self, number: i64) {
        self.header(b':', number);
    }

    /// A string of any bytes.
    #[inline]
    pub fn bulk(&mut self, bytes: &[u8]) {
        if self.out.len() > self.most {
            return;
        }
        self.header(b'$', bytes.len());
        self.out.extend_from_slice(bytes);
        self.out.extend_from_slice(b"\r\n");
    }

    /// A string of any bytes, or null.
    pub fn bulk_or_null(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => self.bulk(bytes),
            None => self.null(),
        }
    }

    /// No value.
    #[inline]
    pub fn null(&mut self) {
        self.out.extend_from_slice(match self.protocol {
            Protocol::Resp2 => b"$-1\r\n",
            Protocol::Resp3 => b"_\r\n",
        });
    }

    /// No array.
    pub fn null_array(&mut self) {
        self.out.extend_from_slice(match self.protocol {
            Protocol::Resp2 => b"*-1\r\n",
            Protocol::Resp3 => b"_\r\n",
        });
    }

    /// Begins an array of so many answers.
    #[inline]
    pub fn array(&mut self, len: usize) {
        self.header(b'*', len);
    }

    /// Begins a map of so many pairs; in RESP2 an array of twice as many answers.
    pub fn map(&mut self, pairs: usize) {
        match self.protocol {
            Protocol::Resp2 => self.header(b'*', pairs * 2),
            Protocol::Resp3 => self.header(b'%', pairs),
        }
    }

    /// Begins a set of so many members; in RESP2 an array.
    pub fn set(&mut self, len: usize) {
        match self.protocol {
            Protocol::Resp2 => self.header(b'*', len),
            Protocol::Resp3 => self.header(b'~', len),
        }
    }

    /// Begins a push of so many answers, which belongs to no command; in RESP2 an array.
    pub fn push(&mut self, len: usize) {
        match self.protocol {
            Protocol::Resp2 => self.header(b'*', len),
            Protocol::Resp3 => self.header(b'>', len),
        }
    }

    /// A floating point number; in RESP2 a bulk string.
    pub fn double(&mut self, number: f64) {
        let text = if number.is_infinite() {
            if number > 0.0 { "inf".to_owned() } else { "-inf".to_owned() }
        } else if number.is_nan() {
            "nan".to_owned()
        } else {
            number.to_string()
        };
        match self.protocol {
            Protocol::Resp2 => self.bulk(text.as_bytes()),
            Protocol::Resp3 => {
                self.out.push(b',');
                self.out.extend_from_slice(text.as_bytes());
                self.out.extend_from_slice(b"\r\n");
            }
        }
    }

    /// True or false; in RESP2 1 or 0.
    pub fn boolean(&mut self, is_true: bool) {
        match self.protocol {
            Protocol::Resp2 => self.integer(i64::from(is_true)),
            Protocol::Resp3 => {
                self.out.extend_from_slice(if is_true { b"#t\r\n" } else { b"#f\r\n" })
            }
        }
    }

    /// Text for people; in RESP2 a bulk string.
    pub fn verbatim(&mut self, text: &[u8]) {
        match self.protocol {
            Protocol::Resp2 => self.bulk(text),
            Protocol::Resp3 => {
                self.header(b'=', text.len() + 4);
                self.out.extend_from_slice(b"txt:");
                self.out.extend_from_slice(text);
                self.out.extend_from_slice(b"\r\n");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(protocol: Protocol, write: impl FnOnce(&mut Reply<'_>)) -> String {
        let mut out = Vec::new();
        write(&mut Reply::new(&mut out, protocol));
        String::from_utf8(out).expect("the answers of this test are text")
    }

    #[test]
    fn what_resp2_has_no_type_for_is_written_as_redis_does() {
        let write = |reply: &mut Reply<'_>| {
            reply.map(1);
            reply.double(f64::INFINITY);
            reply.double(1.5);
            reply.set(2);
            reply.null();
            reply.boolean(true);
            reply.verbatim(b"hi");
        };
        let old = "*2\r\n$3\r\ninf\r\n$3\r\n1.5\r\n*2\r\n$-1\r\n:1\r\n$2\r\nhi\r\n";
        let new = "%1\r\n,inf\r\n,1.5\r\n~2\r\n_\r\n#t\r\n=6\r\ntxt:hi\r\n";
        assert_eq!(old, written(Protocol::Resp2, write));
        assert_eq!(new, written(Protocol::Resp3, write));
    }

    #[test]
    fn an_answer_grows_no_further_than_one_string_beyond_its_bound() {
        let mut out = Vec::new();
        let mut reply = Reply::new(&mut out, Protocol::Resp2).within(100);
        (0..1_000).for_each(|_| reply.bulk(&[b'x'; 60]));
        assert!((101..200).contains(&out.len()), "{}", out.len());
    }

    #[test]
    fn an_error_is_one_line() {
        assert_eq!("-ERR a  b\r\n", written(Protocol::Resp2, |reply| reply.error(b"ERR a\r\nb")));
    }
}
