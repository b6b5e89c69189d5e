//! How far replays on other threads are, and the word to stop them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use pyo3::prelude::*;

/// Shared between the thread that waits and the threads that replay.
#[pyclass(frozen, module = "augury._core")]
#[derive(Default)]
pub(crate) struct Ticker {
    pub(crate) state: Arc<State>,
}

/// What the threads share.
#[derive(Default)]
pub(crate) struct State {
    requests: AtomicU64,
    cancelled: AtomicBool,
}

impl State {
    pub(crate) fn add(&self, requests: u64) {
        self.requests.fetch_add(requests, Ordering::Relaxed);
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
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
        self.state.requests.load(Ordering::Relaxed)
    }

    /// Ask the replays with this ticker to stop.
    fn cancel(&self) {
        self.state.cancelled.store(true, Ordering::Relaxed);
    }
}
