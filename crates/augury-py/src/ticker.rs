//! How far replays on other threads are, and the word to stop them.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use pyo3::prelude::*;

/// Shared between the thread that waits and the threads that replay.
#[pyclass(frozen, module = "augury._core")]
#[derive(Default)]
pub(crate) struct Ticker {
    requests: AtomicU64,
    cancelled: AtomicBool,
}

impl Ticker {
    /// What one replay is to tell: it adds its progress here and learns whether to go on.
    pub(crate) fn telling(&self) -> impl FnMut(u64) -> bool + '_ {
        let mut told = 0;
        move |done| {
            self.requests.fetch_add(done - told, Ordering::Relaxed);
            told = done;
            !self.cancelled.load(Ordering::Relaxed)
        }
    }
}

#[pymethods]
impl Ticker {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// Requests replayed so far, over all replays with this ticker.
    #[getter]
    fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Ask the replays with this ticker to stop.
    fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }
}
