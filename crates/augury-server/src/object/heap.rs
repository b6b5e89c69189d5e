//! What jemalloc is told when it starts: blocks of like size lie together in runs of eight pages.
//!
//! jemalloc keeps some 150 bytes about each run. Its own runs are as short as fits the size: one page
//! of eight blocks of 512 bytes, three pages of 128 blocks of 96. Runs of eight pages take ten million
//! blocks of 96 bytes 0.9 bytes less each, blocks of 512 bytes twelve.

/// `malloc_conf` of jemalloc(3), section TUNING; `slab_sizes` in pages, by sizes in bytes.
// SAFETY: jemalloc declares a weak `const char *_rjem_malloc_conf`, for programs to define: a pointer
// to bytes that last and end with nought, which this is. Nothing else in this workspace defines it.
#[used]
#[unsafe(export_name = "_rjem_malloc_conf")]
static SETTINGS: &[u8; 20] = b"slab_sizes:49-512:8\0";

#[cfg(test)]
mod tests {
    use std::ffi::CString;
    use std::mem::size_of;
    use std::ptr::{from_mut, null_mut};

    /// A number that jemalloc tells by a name.
    fn told<T: Default>(name: String) -> T {
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
    fn runs_are_as_long_as_was_asked_for() {
        let bins: u32 = told("arenas.nbins".into());
        let runs: Vec<(usize, usize)> = (0..bins)
            .map(|bin| {
                let of = |what: &str| told(format!("arenas.bin.{bin}.{what}"));
                (of("size"), of("slab_size"))
            })
            .collect();
        assert!(runs.contains(&(96, 32_768)), "{runs:?}");
        assert!(runs.contains(&(512, 32_768)), "{runs:?}");
        assert!(runs.contains(&(16, 4_096)), "{runs:?}");
    }
}
