//! One recorded request, the record every trace format reads into and writes from.

use augury_core::request::Op;

/// One request of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// Object id: integer keys as they are, other keys by their 64-bit xxHash (XXH64, seed 0).
    pub key: u64,
    /// Index (from 0, in the same trace) of the next request for the same object:
    /// `None` where there is none or the format does not say.
    pub next: Option<u64>,
    /// Time of the request in whole seconds, from the trace's own origin.
    pub time: u64,
    /// Size of the object in bytes, at least 1; 1 where the trace has no sizes.
    pub size: u32,
    /// Time to live in seconds given with the request; 0 where there is none.
    pub ttl: u32,
    /// Who asks: number of the client or session where the trace names one, else 0.
    pub session: u32,
    /// The key's namespace: number of its text up to the first `:` or `/`, 0 where it has none.
    pub namespace: u16,
    /// What the request does.
    pub op: Op,
}

// A trace in memory is a vector of these; `session` and `namespace` stand in what was padding.
const _: () = assert!(size_of::<Request>() == 48);

impl Request {
    /// A plain read of `size` bytes (at least 1) at second 0, of no session and no namespace.
    pub const fn read(key: u64, size: u32) -> Request {
        let (ttl, session, namespace) = (0, 0, 0);
        Request { key, next: None, time: 0, size, ttl, session, namespace, op: Op::Get }
    }
}
