//! Leases: until when what is in a cache may be served without asking where it came from.
//!
//! A near cache holds values that others change. Who hears of the changes vouches for what is there up to
//! a moment, and moves that moment on for as long as it hears (`python/augury/near/`). A hit looks at the
//! clock itself, every time: a process that was stopped, or a machine that was suspended, wakes without
//! anybody having moved anything. The clock is therefore CLOCK_BOOTTIME, read exactly, or the processor's
//! counter where that says as surely that the moment is still ahead ([`Window`]).

use std::sync::OnceLock;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use rustix::time::{ClockId, clock_gettime};

use super::window::Window;
use super::{Cache, Object};
use crate::errors;

/// A cache that is vouched for, and who is asked where it does not answer.
struct Vouched {
    cache: Py<Cache>,
    /// Called with the key, the default, the session and whether the cache was asked: False where nobody
    /// vouches for it.
    ask: Object,
}

/// See the module's head. `__init__` of a subclass calls [`Leased::lease`].
#[pyclass(frozen, subclass, weakref, module = "augury._core")]
pub(crate) struct Leased {
    vouched: OnceLock<Vouched>,
    /// While it is open hits are served.
    window: Window,
}

/// Nanoseconds since the machine was started.
#[inline]
fn now() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

impl Leased {
    #[inline]
    fn vouched(&self) -> PyResult<&Vouched> {
        self.vouched.get().ok_or_else(errors::of_uninitialised)
    }

    /// Whether hits may be served now. What was removed before the lease was moved on is gone for whoever
    /// sees it moved.
    #[inline]
    fn is_vouched_for(&self) -> bool {
        self.window.is_open(now)
    }
}

#[pymethods]
impl Leased {
    #[new]
    #[pyo3(signature = (*_arguments, **_options))]
    fn new(_arguments: &Bound<'_, PyTuple>, _options: Option<&Bound<'_, PyDict>>) -> Self {
        Leased { vouched: OnceLock::new(), window: Window::default() }
    }

    /// Serves hits of this cache; everything else is asked of the function.
    fn lease(&self, cache: Py<Cache>, ask: Object) -> PyResult<()> {
        self.vouched.set(Vouched { cache, ask }).map_err(|_| errors::of_second_start())
    }

    /// Seconds on the clock of leases, which goes on whatever stops.
    #[staticmethod]
    fn clock() -> f64 {
        now() as f64 / 1e9
    }

    /// Lets hits be served until then, in seconds on the clock; at once no more by 0.
    fn vouch(&self, until: f64) {
        self.window.open((until.max(0.0) * 1e9) as u64, now);
    }

    /// Whether hits may be served now.
    #[getter]
    fn is_vouched(&self) -> bool {
        self.is_vouched_for()
    }

    /// The value under the key: from memory, or from where it comes from.
    #[pyo3(signature = (key, default=None, *, session=None))]
    fn get<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        default: Option<&Bound<'py, PyAny>>,
        session: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let vouched = self.vouched()?;
        let is_vouched = self.is_vouched_for();
        if is_vouched && let Some(value) = vouched.cache.get().inner()?.ready(key, session)? {
            return Ok(value);
        }
        vouched.ask.bind(key.py()).call1((key, default, session, is_vouched))
    }

    /// The value if it is in memory and vouched for, else the default; a hit or a miss where it is.
    #[pyo3(signature = (key, default, session=None))]
    fn held<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        default: Bound<'py, PyAny>,
        session: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if !self.is_vouched_for() {
            return Ok(default);
        }
        let found = self.vouched()?.cache.get().inner()?.ready(key, session)?;
        Ok(found.unwrap_or(default))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let Some(vouched) = self.vouched.get() else { return Ok(()) };
        visit.call(&vouched.cache)?;
        visit.call(&vouched.ask)
    }
}
