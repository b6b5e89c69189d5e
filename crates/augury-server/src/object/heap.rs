//! What jemalloc is told: when it starts, that blocks of like size lie together in runs of eight pages;
//! later, to give back what it holds for nobody, and to tell what it has.
//!
//! jemalloc keeps some 150 bytes about each run. Its own runs are as short as fits the size: one page
//! of eight blocks of 512 bytes, three pages of 128 blocks of 96. Runs of eight pages take ten million
//! blocks of 96 bytes 0.9 bytes less each, blocks of 512 bytes twelve.

use std::ffi::{CStr, c_char, c_void};
use std::ptr::{from_mut, null_mut};

/// `malloc_conf` of jemalloc(3), section TUNING; `slab_sizes` in pages, by sizes in bytes.
// SAFETY: jemalloc declares a weak `const char *_rjem_malloc_conf`, for programs to define: a pointer
// to bytes that last and end with nought, which this is. Nothing else in this workspace defines it.
#[used]
#[unsafe(export_name = "_rjem_malloc_conf")]
static SETTINGS: &[u8; 20] = b"slab_sizes:49-512:8\0";

/// Gives pages that nothing is in back to the system; whether jemalloc did.
pub fn purge() -> bool {
    // Of all arenas: `MALLCTL_ARENAS_ALL` of jemalloc.h.
    let name = c"arena.4096.purge";
    // SAFETY: the name is a C string that lasts; the control takes no value and answers none.
    0 == unsafe {
        let mallctl = tikv_jemalloc_sys::mallctl;
        mallctl(name.as_ptr(), null_mut(), null_mut(), null_mut(), 0)
    }
}

/// What jemalloc tells of itself, as text: of all arenas together and of its runs.
pub fn told() -> Vec<u8> {
    extern "C" fn write(into: *mut c_void, text: *const c_char) {
        // SAFETY: jemalloc calls this during the call below only, with the pointer given there, to a
        // list that nothing else uses meanwhile, and with a C string.
        unsafe { (*into.cast::<Vec<u8>>()).extend_from_slice(CStr::from_ptr(text).to_bytes()) }
    }
    let mut text = Vec::new();
    // SAFETY: the function is called back as it has to be, with a list that outlives the call; the
    // options are a C string: without the parts of each arena.
    unsafe {
        let into = from_mut(&mut text).cast();
        tikv_jemalloc_sys::malloc_stats_print(Some(write), into, c"a".as_ptr());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;
    use std::mem::size_of;

    /// A number that jemalloc tells by a name.
    fn number<T: Default>(name: String) -> T {
        let name = CString::new(name).unwrap();
        let (mut value, mut bytes) = (T::default(), size_of::<T>());
        // SAFETY: the name is a C string; the control answers a number of the type's size, which is
        // checked, and takes none.
        let code = unsafe {
            let into = from_mut(&mut value).cast();
            tikv_jemalloc_sys::mallctl(name.as_ptr(), into, &raw mut bytes, null_mut(), 0)
        };
        assert_eq!((0, size_of::<T>()), (code, bytes), "{name:?}");
        value
    }

    #[test]
    fn it_gives_back_and_tells() {
        assert!(purge());
        let text = String::from_utf8(told()).unwrap();
        assert!(text.contains("jemalloc statistics"), "{text}");
    }

    #[test]
    fn runs_are_as_long_as_was_asked_for() {
        let bins: u32 = number("arenas.nbins".into());
        let runs: Vec<(usize, usize)> = (0..bins)
            .map(|bin| {
                let of = |what: &str| number(format!("arenas.bin.{bin}.{what}"));
                (of("size"), of("slab_size"))
            })
            .collect();
        assert!(runs.contains(&(96, 32_768)), "{runs:?}");
        assert!(runs.contains(&(512, 32_768)), "{runs:?}");
        assert!(runs.contains(&(16, 4_096)), "{runs:?}");
    }
}
