//! One allocation: header, memcached's fields, key, value.
//!
//! ```text
//! 0        4            7       8
//! | length | key length | marks | [flags, unique, accessed] | key | value |
//! ```
//! `length` is the value's, little endian as all of them; the marks' lower four bits are the
//! database's number. The highest bit of `unique` says whether the item was fetched, that of `length`
//! whether an upstream said what the value is.

use std::alloc::{GlobalAlloc, Layout, handle_alloc_error};
use std::marker::PhantomData;
use std::ptr::NonNull;

use tikv_jemallocator::Jemalloc;

const HEADER: usize = 8;
const EXTRA: usize = 16;
const FETCHED: u64 = 1 << 63;
/// Of every block: the lowest bits of its address are free for the owner's use.
const ALIGN: usize = 8;
const PAGE: usize = 4096;

bitflags::bitflags! {
    /// What is said about a string beside its bytes.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Marks: u8 {
        /// It has memcached's fields.
        const EXTRA = 0x10;
        /// It was made by changing another: Redis calls it `raw`, whatever its length.
        const RAW = 0x20;
        /// memcached's: no longer the newest, kept to be served while somebody makes it anew.
        const STALE = 0x40;
        /// memcached's: somebody was told to make it anew.
        const WON = 0x80;
    }
}

const DB: u8 = 0x0f;
/// In `length`: the value came from an upstream. Values are far shorter.
const LOADED: u32 = 1 << 31;
const _: () = assert!(super::VALUE_MAX < LOADED as usize);

/// What memcached keeps beside a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extra {
    /// The client's own flags.
    pub flags: u32,
    /// Differs after every change: memcached's `cas unique`, below 2^63.
    pub unique: u64,
    /// When it was accessed last, in seconds of Unix time.
    pub accessed: u32,
    /// Whether it was fetched since it was stored.
    pub is_fetched: bool,
}

impl Extra {
    fn to_bytes(self) -> [u8; EXTRA] {
        let mut bytes = [0; EXTRA];
        let fetched = if self.is_fetched { FETCHED } else { 0 };
        bytes[..4].copy_from_slice(&self.flags.to_le_bytes());
        bytes[4..12].copy_from_slice(&(self.unique & !FETCHED | fetched).to_le_bytes());
        bytes[12..].copy_from_slice(&self.accessed.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: [u8; EXTRA]) -> Extra {
        let [a, b, c, d, unique @ .., e, f, g, h] = bytes;
        let unique = u64::from_le_bytes(unique);
        Extra {
            flags: u32::from_le_bytes([a, b, c, d]),
            unique: unique & !FETCHED,
            accessed: u32::from_le_bytes([e, f, g, h]),
            is_fetched: unique & FETCHED != 0,
        }
    }
}

/// A view of a block.
#[derive(Clone, Copy)]
pub(super) struct Block<'a> {
    at: NonNull<u8>,
    lives: PhantomData<&'a [u8]>,
}

/// Bytes that the allocator sets aside for so many.
#[inline]
pub(super) fn usable(bytes: usize) -> usize {
    // jemalloc's size classes: 8, multiples of 16 to 128, then four to each doubling; from four pages
    // on whole pages.
    if bytes <= 8 {
        return if bytes == 0 { 0 } else { 8 };
    }
    if bytes <= 128 {
        return bytes.next_multiple_of(16);
    }
    let step = 1usize << (usize::BITS - 1 - (bytes - 1).leading_zeros() - 2);
    let classed = bytes.next_multiple_of(step);
    if classed < 4 * PAGE { classed } else { bytes.next_multiple_of(PAGE) }
}

fn layout(len: usize) -> Layout {
    Layout::from_size_align(len, ALIGN).expect("keys and values are far shorter than isize::MAX")
}

impl<'a> Block<'a> {
    pub(super) fn new(
        db: u8,
        key: &[u8],
        value: &[&[u8]],
        marks: Marks,
        extra: Option<Extra>,
    ) -> Block<'a> {
        let length: usize = value.iter().map(|part| part.len()).sum();
        assert!(key.len() <= super::KEY_MAX && length < LOADED as usize && db <= DB);
        let mut marks = marks;
        marks.set(Marks::EXTRA, extra.is_some());
        let start = HEADER + if extra.is_some() { EXTRA } else { 0 };
        let layout = layout(start + key.len() + length);
        // SAFETY: the layout's size is at least that of the header, so not zero.
        let Some(at) = NonNull::new(unsafe { Jemalloc.alloc(layout) }) else {
            handle_alloc_error(layout)
        };
        let mut header = [0; HEADER + EXTRA];
        header[..4].copy_from_slice(&(length as u32).to_le_bytes());
        header[4..7].copy_from_slice(&(key.len() as u32).to_le_bytes()[..3]);
        header[7] = marks.bits() | db;
        if let Some(extra) = extra {
            header[HEADER..].copy_from_slice(&extra.to_bytes());
        }
        let mut to = at;
        for part in [&header[..start], key].into_iter().chain(value.iter().copied()) {
            // SAFETY: the parts' lengths add up to the layout's size, so each fits behind those
            // before it; the block is new, so it overlaps with none of them.
            unsafe {
                to.copy_from_nonoverlapping(NonNull::from(part).cast(), part.len());
                to = to.add(part.len());
            }
        }
        Block { at, lives: PhantomData }
    }

    pub(super) fn into_raw(self) -> NonNull<u8> {
        self.at
    }

    /// # Safety
    /// `at` came from [`Block::into_raw`], and is not released for as long as `'a`.
    #[inline]
    pub(super) unsafe fn from_raw(at: NonNull<u8>) -> Block<'a> {
        Block { at, lives: PhantomData }
    }

    /// # Safety
    /// As for [`Block::from_raw`], and no view of the block is used afterwards.
    pub(super) unsafe fn release(at: NonNull<u8>) {
        // SAFETY: the caller guarantees that the block is there.
        let len = unsafe { Block::from_raw(at) }.len();
        // SAFETY: it was allocated by `new` with the layout of this very length.
        unsafe { Jemalloc.dealloc(at.as_ptr(), layout(len)) };
    }

    #[inline]
    fn header(self) -> [u8; HEADER] {
        // SAFETY: every block begins with a header.
        unsafe { self.at.cast::<[u8; HEADER]>().read() }
    }

    #[inline]
    fn value_len(self) -> usize {
        (self.length() & !LOADED) as usize
    }

    #[inline]
    fn length(self) -> u32 {
        let [a, b, c, d, ..] = self.header();
        u32::from_le_bytes([a, b, c, d])
    }

    /// Whether the value came from an upstream, and was not changed since.
    #[inline]
    pub(super) fn is_loaded(self) -> bool {
        self.length() & LOADED != 0
    }

    /// Notes that the value came from an upstream, or did not.
    ///
    /// # Safety
    /// As for [`Block::set_extra`].
    pub(super) unsafe fn set_loaded(self, is_loaded: bool) {
        let length = self.length() & !LOADED | if is_loaded { LOADED } else { 0 };
        // SAFETY: every block begins with a header, whose first four bytes are the length; nobody
        // else looks.
        unsafe { self.at.cast::<[u8; 4]>().write(length.to_le_bytes()) };
    }

    #[inline]
    fn key_len(self) -> usize {
        let [_, _, _, _, a, b, c, _] = self.header();
        u32::from_le_bytes([a, b, c, 0]) as usize
    }

    #[inline]
    fn start(self) -> usize {
        HEADER + if self.marked().contains(Marks::EXTRA) { EXTRA } else { 0 }
    }

    /// # Safety
    /// `from..from + len` lies within the block.
    #[inline]
    unsafe fn slice(self, from: usize, len: usize) -> &'a [u8] {
        // SAFETY: the range is within the block, which is initialised in full and lives for `'a`.
        unsafe { std::slice::from_raw_parts(self.at.as_ptr().add(from), len) }
    }

    #[inline]
    pub(super) fn db(self) -> u8 {
        self.header()[7] & DB
    }

    #[inline]
    pub(super) fn marks(self) -> Marks {
        self.marked() - Marks::EXTRA
    }

    #[inline]
    fn marked(self) -> Marks {
        Marks::from_bits_truncate(self.header()[7] & !DB)
    }

    #[inline]
    pub(super) fn key(self) -> &'a [u8] {
        // SAFETY: the key stands behind header and extra fields.
        unsafe { self.slice(self.start(), self.key_len()) }
    }

    #[inline]
    pub(super) fn value(self) -> &'a [u8] {
        // SAFETY: the value stands behind the key and ends the block.
        unsafe { self.slice(self.start() + self.key_len(), self.value_len()) }
    }

    /// The value, to change, which from now on is marked as changed.
    ///
    /// # Safety
    /// No other view of the block is used for as long as `'a`.
    pub(super) unsafe fn value_mut(self) -> &'a mut [u8] {
        let (start, len) = (self.start() + self.key_len(), self.value_len());
        let marks = self.header()[7] | Marks::RAW.bits();
        // SAFETY: the caller guarantees that nobody else looks.
        unsafe { self.set_loaded(false) };
        // SAFETY: the header's last byte is within the block, and the value stands behind the key
        // and ends the block; the caller guarantees that nobody else looks.
        unsafe {
            self.at.add(7).write(marks);
            std::slice::from_raw_parts_mut(self.at.as_ptr().add(start), len)
        }
    }

    pub(super) fn extra(self) -> Option<Extra> {
        if !self.marked().contains(Marks::EXTRA) {
            return None;
        }
        // SAFETY: the mark says that the extra fields stand behind the header.
        let fields = unsafe { self.slice(HEADER, EXTRA) };
        fields.first_chunk().map(|fields| Extra::from_bytes(*fields))
    }

    /// Writes the extra fields anew; whether the block has any.
    ///
    /// # Safety
    /// The caller has the block for itself: no other view of it is in use.
    pub(super) unsafe fn set_extra(self, extra: Extra) -> bool {
        let has = self.marked().contains(Marks::EXTRA);
        if has {
            // SAFETY: the mark says that the extra fields stand behind the header; nobody else looks.
            unsafe { self.at.add(HEADER).cast::<[u8; EXTRA]>().write(extra.to_bytes()) };
        }
        has
    }

    /// Writes the marks anew; whether there are extra fields stays as it was.
    ///
    /// # Safety
    /// As for [`Block::set_extra`].
    pub(super) unsafe fn set_marks(self, mut marks: Marks) {
        marks.set(Marks::EXTRA, self.marked().contains(Marks::EXTRA));
        // SAFETY: the header's last byte holds marks and database; nobody else looks.
        unsafe { self.at.add(HEADER - 1).write(marks.bits() | self.db()) };
    }

    /// Length of the whole block.
    #[inline]
    pub(super) fn len(self) -> usize {
        self.start() + self.key_len() + self.value_len()
    }
}

#[cfg(test)]
mod tests {
    use super::usable;

    #[test]
    fn sizes_are_those_of_the_allocator() {
        for bytes in (1..5000).chain([10_000, 16_384, 16_385, 100_000, 1 << 20, (1 << 20) + 1]) {
            // SAFETY: the size is not zero.
            let real = unsafe { tikv_jemalloc_sys::nallocx(bytes, 0) };
            assert_eq!(real, usable(bytes), "{bytes}");
        }
    }
}
