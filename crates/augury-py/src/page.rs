//! The page of a cache: served by the server's own code, shown by what Python tells as JSON.
//!
//! The thread that serves it asks Python twice: every two seconds for the counters, and for everything
//! when somebody looks. It never waits for the interpreter after that has begun to end, and nobody
//! waits for it with the interpreter's lock held.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use augury_page::answers::is_own_name;
use augury_page::course::Glance;
use augury_page::seen::Seen;
use augury_page::text;
use augury_server::acl::password::{Digest, digest, is_one_of};
use augury_server::http::Http;
use augury_server::http::page::{
    Admission, Page, STRANGE_NAME, Viewer, Visitor, Watched, credentials, unauthorized,
};
use pyo3::prelude::*;

use crate::errors;

/// A page that is served until it is closed.
#[pyclass(frozen, module = "augury._core")]
pub(crate) struct PageServer {
    http: Mutex<Option<Http>>,
    address: SocketAddr,
    /// The process that has its thread: a fork has not.
    process: u32,
}

#[pymethods]
impl PageServer {
    #[new]
    fn new(
        host: &str,
        port: u16,
        password: Option<&str>,
        see: Py<PyAny>,
        glance: Py<PyAny>,
    ) -> PyResult<Self> {
        let ip = address_of(host)?;
        if password.is_none() && !ip.is_loopback() {
            return Err(errors::of_open_page(host));
        }
        let password = password.map(|password| digest(password.as_bytes()));
        let page = Page::new(Owner { see, glance, password }, false);
        let http = Http::of_page(SocketAddr::new(ip, port), page)?;
        let address = http.addresses().first().copied().unwrap_or(SocketAddr::new(ip, port));
        Ok(PageServer { http: Mutex::new(Some(http)), address, process: std::process::id() })
    }

    /// Host and port.
    #[getter]
    fn address(&self) -> (String, u16) {
        (self.address.ip().to_string(), self.address.port())
    }

    /// Stops serving.
    fn close(&self, py: Python<'_>) {
        let http = self.http.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(http) = http else { return };
        if self.process == std::process::id() {
            py.detach(|| http.end());
        } else {
            // Its thread is the parent's.
            std::mem::forget(http);
        }
    }
}

fn address_of(host: &str) -> PyResult<IpAddr> {
    if host.eq_ignore_ascii_case("localhost") {
        return Ok(Ipv4Addr::LOCALHOST.into());
    }
    host.parse().map_err(|_| errors::of_host(host))
}

/// A key as it is shown: what is no visible character is written as its code.
#[pyfunction]
pub(crate) fn shown(key: &[u8]) -> String {
    text::shown(key)
}

/// A cache, to be watched.
struct Owner {
    see: Py<PyAny>,
    glance: Py<PyAny>,
    password: Option<Digest>,
}

impl Watched for Owner {
    fn admit(&self, visitor: &Visitor<'_>) -> (Admission, Duration) {
        let is_let_in = match &self.password {
            None if is_own_name(visitor.host) => Admission::As(None),
            None => STRANGE_NAME,
            Some(known) => match visitor.authorization.and_then(credentials) {
                Some((_, given)) if is_one_of(&digest(&given), std::slice::from_ref(known)) => {
                    Admission::As(None)
                }
                Some(_) => return (unauthorized(), GUESS),
                None => unauthorized(),
            },
        };
        (is_let_in, Duration::ZERO)
    }

    fn see(&self, _: &Viewer) -> Result<Seen, String> {
        let text = ask(&self.see)?;
        serde_json::from_str(&text).map_err(|error| error.to_string())
    }

    fn glance(&self) -> Option<Glance> {
        serde_json::from_str(&ask(&self.glance).ok()?).ok()
    }
}

/// How long a wrong password is looked at.
const GUESS: Duration = Duration::from_millis(300);

/// What the function returns; none where the interpreter ends.
fn ask(function: &Py<PyAny>) -> Result<String, String> {
    let asked = Python::try_attach(|py| {
        let told = function.bind(py).call0().and_then(|told| told.extract::<String>());
        told.map_err(|error| {
            let text = error.to_string();
            error.write_unraisable(py, Some(function.bind(py)));
            text
        })
    });
    asked.unwrap_or_else(|| Err("the interpreter ends".to_owned()))
}
