//! A web origin as an upstream: the key is a path under its URL, the body the value.

use std::io;
use std::time::SystemTime;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, StatusCode, Url};

use super::super::DB;
use super::super::arriving::Brought;
use super::super::failure::Failure;
use super::lifetime::said;
use crate::config::{Settings, Upstream};
use crate::object::Object;

/// Of a key everything else is written as `%XX` (RFC 3986, unreserved); `/` parts it.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// Redirections that are followed, within the same origin.
const REDIRECTS_MAX: usize = 5;

/// See the module's head.
pub(super) struct Http {
    name: String,
    client: Client,
    base: Url,
    value_max: usize,
}

impl Http {
    pub(super) fn new(upstream: &Upstream, settings: &Settings) -> io::Result<Http> {
        let invalid = |error: reqwest::Error| io::Error::new(io::ErrorKind::InvalidInput, error);
        let mut builder = Client::builder()
            .user_agent(concat!("augury/", env!("CARGO_PKG_VERSION")))
            .no_proxy()
            .pool_max_idle_per_host(settings.upstream_connections)
            .redirect(within_origin());
        let path = &settings.upstream_ca_file;
        if !path.as_os_str().is_empty() {
            let file = |error: &dyn std::fmt::Display| {
                let text = format!("upstream-ca-file {}: {error}", path.display());
                io::Error::new(io::ErrorKind::InvalidInput, text)
            };
            let pem = std::fs::read(path).map_err(|error| file(&error))?;
            let found = Certificate::from_pem_bundle(&pem).map_err(|error| file(&error))?;
            builder = builder.tls_certs_only(found);
        }
        let mut base = upstream.url.clone();
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        Ok(Http {
            name: upstream.shown(),
            client: builder.build().map_err(invalid)?,
            base,
            value_max: settings.upstream_value_max,
        })
    }

    pub(super) async fn load(&self, key: &[u8]) -> Result<Brought, Failure> {
        let url = place(&self.base, key).ok_or_else(|| Failure::no_path(&self.name))?;
        let answer = self.client.get(url.clone()).send().await;
        let mut answer = answer.map_err(|error| self.failure(error))?;
        match answer.status() {
            StatusCode::NOT_FOUND | StatusCode::GONE => return Ok(Brought::Nothing),
            status if !status.is_success() => {
                return Err(Failure::answered(&self.name, status));
            }
            _ => {}
        }
        let said = said(&url, answer.status(), answer.headers(), SystemTime::now());
        let mut value = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(|error| self.failure(error))? {
            if value.len() + part.len() > self.value_max {
                return Err(Failure::too_long(&self.name, self.value_max));
            }
            value.extend_from_slice(&part);
        }
        let object = Object::text(DB, key, &value);
        let object = if said.may_be_stale { object.loaded() } else { object };
        Ok(Brought::Value(object, said.lifetime))
    }

    /// The URL is left out of the text: it may carry a password.
    fn failure(&self, error: reqwest::Error) -> Failure {
        let error = error.without_url();
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(deeper) = cause {
            text = deeper.to_string();
            cause = deeper.source();
        }
        if error.is_redirect() {
            Failure::answered(&self.name, text)
        } else {
            Failure::unreachable(&self.name, text)
        }
    }
}

/// Follows redirections within the origin: elsewhere is not what was configured.
fn within_origin() -> Policy {
    Policy::custom(|attempt| {
        let is_within = attempt.previous().first().is_some_and(|first| {
            first.origin() == attempt.url().origin() && attempt.previous().len() <= REDIRECTS_MAX
        });
        if is_within { attempt.follow() } else { attempt.stop() }
    })
}

/// The URL of a key: every part between slashes as it is, and a query behind the first `?`. None where a
/// part would lead elsewhere.
fn place(base: &Url, key: &[u8]) -> Option<Url> {
    let (path, query) = match memchr::memchr(b'?', key) {
        Some(at) => (&key[..at], Some(&key[at + 1..])),
        None => (key, None),
    };
    let mut text = base.path().to_owned();
    for (number, part) in path.split(|&byte| byte == b'/').enumerate() {
        if matches!(part, b"" | b"." | b"..") {
            return None;
        }
        if number > 0 {
            text.push('/');
        }
        text.extend(percent_encode(part, ESCAPED));
    }
    let mut url = base.clone();
    url.set_path(&text);
    if let Some(query) = query {
        // What parts a query stays: `&`, `=` and the like.
        const QUERY: &AsciiSet =
            &ESCAPED.remove(b'&').remove(b'=').remove(b'+').remove(b',').remove(b'/').remove(b':');
        url.set_query(Some(&percent_encode(query, QUERY).to_string()));
    }
    Some(url)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_key_is_a_path() {
        let base: Url = "http://h:1/api/".parse().expect("it is one");
        for (key, url) in [
            ("users/1", Some("http://h:1/api/users/1")),
            ("a b%2e/ü", Some("http://h:1/api/a%20b%252e/%C3%BC")),
            ("find?q=1&r=a b", Some("http://h:1/api/find?q=1&r=a%20b")),
            ("#f;x@y", Some("http://h:1/api/%23f%3Bx%40y")),
            ("", None),
            ("../admin", None),
            ("a/./b", None),
            ("a//b", None),
            ("/a", None),
            ("?q", None),
        ] {
            let found = place(&base, key.as_bytes());
            assert_eq!(url, found.as_ref().map(Url::as_str), "{key}");
        }
    }

    proptest! {
        #[test]
        fn no_key_leads_elsewhere(key in proptest::collection::vec(any::<u8>(), 0..40)) {
            let base: Url = "http://u:p@h:1/api/".parse().expect("it is one");
            if let Some(url) = place(&base, &key) {
                prop_assert!(url.path().starts_with("/api/") && url.path().len() > 5);
                prop_assert_eq!(url.origin(), base.origin());
                prop_assert!(url.fragment().is_none());
            }
        }
    }
}
