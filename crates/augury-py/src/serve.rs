//! The server, run by the command `augury serve`.

use augury_server::program;
use pyo3::prelude::*;

/// Serves as the arguments say, the program's name first, until a signal or SHUTDOWN; the exit status.
#[pyfunction]
pub fn serve(py: Python<'_>, arguments: Vec<std::ffi::OsString>) -> u8 {
    py.detach(|| program::serve(arguments))
}
