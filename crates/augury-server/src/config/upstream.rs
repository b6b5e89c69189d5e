//! Where what is missing is loaded from: the URL of the setting `upstream`, taken apart.

use url::Url;

use super::Settings;

/// What is spoken there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tongue {
    /// Redis's protocol.
    Redis,
    /// HTTP.
    Http,
}

/// An upstream. Its URL may carry a password: neither `Debug` nor [`Upstream::shown`] has it.
#[derive(Clone, PartialEq, Eq)]
pub struct Upstream {
    /// The URL as it was given.
    pub url: Url,
    /// What is spoken there.
    pub tongue: Tongue,
}

impl std::fmt::Debug for Upstream {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.shown())
    }
}

const EXPECTED: &str =
    "redis://, rediss://, valkey://, valkeys://, http:// or https://, as redis://db.local:6379/0";

impl Upstream {
    /// Of a text.
    ///
    /// # Errors
    /// It is no URL of an upstream; what is wrong, without a word of what may be a password.
    pub fn parse(text: &str) -> Result<Upstream, String> {
        let url = Url::parse(text.trim())
            .map_err(|error| format!("the upstream is no URL ({error}): expected is {EXPECTED}"))?;
        let tongue = match url.scheme() {
            "redis" | "rediss" | "valkey" | "valkeys" => Tongue::Redis,
            "http" | "https" => Tongue::Http,
            other => {
                return Err(format!(
                    "no upstream is reached by {other}://: expected is {EXPECTED}"
                ));
            }
        };
        let upstream = Upstream { url, tongue };
        let shown = upstream.shown();
        if upstream.url.host_str().is_none_or(str::is_empty) {
            return Err(format!("the upstream {shown} names no host: expected is {EXPECTED}"));
        }
        if upstream.url.query().is_some() || upstream.url.fragment().is_some() {
            return Err(format!(
                "the upstream {shown} has a query or a fragment: leave out what follows ? or #"
            ));
        }
        if tongue == Tongue::Redis {
            let db = upstream.url.path().trim_matches('/');
            if !db.is_empty() && db.parse::<u16>().is_err() {
                return Err(format!("{db:?} in {shown} is no number of a database, as /0"));
            }
        }
        Ok(upstream)
    }

    /// The URL without user and password.
    pub fn shown(&self) -> String {
        let url = &self.url;
        let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
        let path = if url.path() == "/" { "" } else { url.path() };
        format!("{}://{}{port}{path}", url.scheme(), url.host_str().unwrap_or_default())
    }
}

/// A text that may be the URL of an upstream, as it may be shown.
pub fn redacted(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    Upstream::parse(text).map_or_else(|_| "(hidden)".to_owned(), |it| it.shown())
}

impl Settings {
    /// Where what is missing is loaded from, if it is.
    ///
    /// # Errors
    /// The URL is none of an upstream.
    pub fn upstream(&self) -> Result<Option<Upstream>, String> {
        if self.upstream.is_empty() { Ok(None) } else { Upstream::parse(&self.upstream).map(Some) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_is_shown_without_its_password() {
        for (text, shown, tongue) in [
            ("redis://127.0.0.1:7000", "redis://127.0.0.1:7000", Tongue::Redis),
            ("valkeys://u:secret@h:1/3", "valkeys://h:1/3", Tongue::Redis),
            ("https://u:secret@[::1]/a/b/", "https://[::1]/a/b/", Tongue::Http),
            ("http://h/", "http://h", Tongue::Http),
        ] {
            let upstream = Upstream::parse(text).expect("it is one");
            assert_eq!((shown.to_owned(), tongue), (upstream.shown(), upstream.tongue));
            assert_eq!((shown, shown), (&*redacted(text), &*format!("{upstream:?}")));
        }
    }

    #[test]
    fn what_is_no_upstream_is_refused_without_its_password() {
        for text in [
            "secret",
            "redis://:secret@",
            "ftp://u:secret@h",
            "http://u:secret@h/?q",
            "redis://u:secret@h/x",
            "http://u:secret@h#f",
        ] {
            let error = Upstream::parse(text).expect_err("it is none");
            assert!(!error.contains("secret") && error.len() > 20, "{error}");
            assert_eq!("(hidden)", redacted(text));
        }
    }
}
