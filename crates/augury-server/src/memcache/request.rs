//! What a client asks for, taken apart: numbers read, keys as places in the input.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bitflags::bitflags;

/// A range of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    from: u32,
    to: u32,
}

impl Span {
    /// A range; the caller guarantees that its ends fit into 32 bits.
    pub(super) fn new(from: usize, to: usize) -> Span {
        Span { from: from as u32, to: to as u32 }
    }

    /// From its beginning to a place behind it.
    pub(super) fn until(self, to: usize) -> Span {
        Span { to: to as u32, ..self }
    }

    /// Its ends.
    pub(super) fn ends(self) -> (usize, usize) {
        (self.from as usize, self.to as usize)
    }

    /// Its bytes.
    #[inline]
    pub(super) fn of(self, input: &[u8]) -> &[u8] {
        &input[self.from as usize..self.to as usize]
    }
}

/// When a storage command stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Mode {
    Set,
    Add,
    Replace,
    Append,
    Prepend,
    Cas,
}

/// A storage command, but for its data block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Store {
    pub mode: Mode,
    pub key: Span,
    pub flags: u32,
    pub exptime: i64,
    /// What the item's must be.
    pub unique: Option<u64>,
}

bitflags! {
    /// Flags of a meta command that are asked by themselves, not in their order.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    pub struct Asks: u8 {
        /// `b`: the key is in base64.
        const BASE64 = 1 << 0;
        /// `q`: the nominal answer is left out.
        const QUIET = 1 << 1;
        /// `u`: the fetch counts as none.
        const UNNOTICED = 1 << 2;
        /// `v`: the value is wanted.
        const VALUE = 1 << 3;
        /// `I`: mark as stale.
        const INVALIDATE = 1 << 4;
        /// `x`: remove the value and keep the item.
        const EMPTY = 1 << 5;
    }
}

/// A meta command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub struct Meta {
    pub(super) key: Span,
    /// The flags as they came, for answers in their order.
    pub(super) flags: Span,
    pub asks: Asks,
    /// `M`.
    pub mode: Option<u8>,
    /// `T`, an expiry as the client wrote it, as those that follow.
    pub exptime: Option<i64>,
    /// `N`.
    pub vivify: Option<i64>,
    /// `R`.
    pub recache: Option<i64>,
    /// `F`.
    pub client_flags: u32,
    /// `C`.
    pub compare: Option<u64>,
    /// `E`.
    pub unique: Option<u64>,
    /// `D`.
    pub delta: Option<u64>,
    /// `J`.
    pub initial: u64,
}

impl Meta {
    /// The key, decoded where it is in base64; None where that is no base64 of a key.
    pub(super) fn key<'a>(&self, input: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        key(self.key.of(input), self.is_base64())
    }

    /// Whether the key is in base64.
    pub(super) fn is_base64(&self) -> bool {
        self.asks.contains(Asks::BASE64)
    }

    /// Whether the nominal answer is left out.
    pub(super) fn is_quiet(&self) -> bool {
        self.asks.contains(Asks::QUIET)
    }
}

/// A key, decoded where it is in base64.
pub(super) fn key(text: &[u8], is_base64: bool) -> Option<Cow<'_, [u8]>> {
    if is_base64 {
        let decoded = STANDARD.decode(text).ok()?;
        (!decoded.is_empty()).then_some(Cow::Owned(decoded))
    } else {
        Some(Cow::Borrowed(text))
    }
}

/// See the module's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Request {
    /// Answered with this line.
    Say(&'static str),
    /// Answered with nothing.
    Nothing,
    /// `get` and its kin; with an expiry `gat`.
    Get {
        keys: Span,
        with_unique: bool,
        exptime: Option<i64>,
    },
    /// A storage command with its data block.
    Store {
        store: Store,
        block: Span,
        is_quiet: bool,
    },
    /// A storage command whose item is beyond the limit; its block is being skipped. What was
    /// under the key leaves.
    TooLarge {
        key: Option<Span>,
        is_base64: bool,
        is_quiet: bool,
    },
    Delta {
        key: Span,
        delta: u64,
        is_increment: bool,
        is_quiet: bool,
    },
    Touch {
        key: Span,
        exptime: i64,
        is_quiet: bool,
    },
    Delete {
        key: Span,
        is_quiet: bool,
    },
    Flush {
        exptime: i64,
        is_quiet: bool,
    },
    Verbosity {
        level: u32,
        is_quiet: bool,
    },
    Limit {
        megabytes: u32,
        is_quiet: bool,
    },
    /// `stats`, with what follows it.
    Stats(Span),
    /// The connection ends, after this line if there is one.
    Close(Option<&'static str>),
    MetaGet(Meta),
    MetaSet {
        meta: Meta,
        mode: Mode,
        block: Span,
    },
    MetaDelete(Meta),
    MetaDelta {
        meta: Meta,
        is_increment: bool,
    },
    MetaDebug {
        key: Span,
        is_base64: bool,
    },
}
