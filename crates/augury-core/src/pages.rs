//! Large arrays on large pages, where the system has them.
//!
//! A look-up in an array of many megabytes waits twice: for the place of the page in memory, and for
//! the line. With pages of two megabytes the first wait is rare: behind a hypervisor it is the longer
//! one (docs/decisions/0028). Nothing changes but the time; a system without such pages, or with
//! `transparent_hugepage` set to `never`, ignores the wish.

/// Bytes from which on an array is worth it: several large pages.
const LARGE: usize = 4 << 20;
/// Bytes of an ordinary page, to which the wish is cut.
const PAGE: usize = 4_096;

/// An empty array with room for `count`.
pub fn with_room<T>(count: usize) -> Vec<T> {
    let array = Vec::with_capacity(count);
    wish(&array);
    array
}

/// Makes room for one more, as a vector does; where there is room already nothing happens.
#[inline]
pub fn make_room<T>(array: &mut Vec<T>) {
    if array.len() == array.capacity() {
        grow(array, 1);
    }
}

/// Makes room for `more` at least, as a vector does.
#[cold]
pub fn grow<T>(array: &mut Vec<T>, more: usize) {
    array.reserve(more);
    wish(array);
}

/// Asks for large pages for an array that has new room.
pub fn wish<T>(array: &Vec<T>) {
    let bytes = array.capacity().saturating_mul(size_of::<T>());
    if bytes < LARGE {
        return;
    }
    #[cfg(target_os = "linux")]
    {
        let begin = array.as_ptr() as usize;
        let (from, to) = (begin.next_multiple_of(PAGE), (begin + bytes) / PAGE * PAGE);
        let (pages, bytes) = (from as *mut libc::c_void, to - from);
        // SAFETY: these pages are within the array's own allocation; the advice changes no content.
        let outcome = unsafe { libc::madvise(pages, bytes, libc::MADV_HUGEPAGE) };
        // A kernel without large pages refuses, and serves as well.
        let _ = outcome;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_large_array_stays() {
        let mut array = with_room::<u64>(2 * LARGE / 8);
        for value in 0..(5 * LARGE / 8) as u64 {
            make_room(&mut array);
            array.push(value);
        }
        assert!(std::iter::zip(0.., &array).all(|(expected, &value)| expected == value));
    }
}
