//! Cache lines asked for before they are needed.
//!
//! A look-up waits for memory three or four times in a row; several look-ups that are known together
//! can wait at the same time.

/// Asks for the cache line in which a value begins. Changes nothing but how soon it is there.
#[inline(always)]
pub fn fetch<T: ?Sized>(value: &T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch reads nothing that the program can see and never faults; SSE, to which
        // it belongs, is part of x86-64.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(value).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}
