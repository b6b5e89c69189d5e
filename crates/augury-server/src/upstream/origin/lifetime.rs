//! How long an answer of a web origin may be served: RFC 9111, as a cache that many share.

use std::time::{Duration, SystemTime};

use http_cache_semantics::{CacheOptions, CachePolicy};
use reqwest::header::{CACHE_CONTROL, EXPIRES, HeaderMap, VARY};
use reqwest::{Method, Request, StatusCode, Url};

use super::super::arriving::Lifetime;

/// What headers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) lifetime: Lifetime,
    /// Whether it may be served beyond its end where a load fails.
    pub(super) may_be_stale: bool,
}

/// What the headers of an answer say. Where they say nothing it is for the rule to say: nothing is guessed
/// from `Last-Modified`.
pub(super) fn said(url: &Url, status: StatusCode, headers: &HeaderMap, now: SystemTime) -> Said {
    let directives = directives(headers);
    let has = |name: &str| directives.iter().any(|it| it == name);
    let strict = ["must-revalidate", "proxy-revalidate", "no-cache", "s-maxage"];
    let may_be_stale = !strict.iter().any(|name| has(name));
    let varies = headers.get_all(VARY).iter().any(|it| it.as_bytes() == b"*");
    let mut answer = reqwest_answer(status);
    *answer.headers_mut() = headers.clone();
    // The library knows directives in lower case alone.
    if let Ok(lower) = directives_in_full(headers).parse() {
        answer.headers_mut().insert(CACHE_CONTROL, lower);
    }
    let options = CacheOptions { shared: true, cache_heuristic: 0.0, ..CacheOptions::default() };
    let request = Request::new(Method::GET, url.clone());
    let policy = CachePolicy::new_options(&Asked(request), &answer, now, options);
    let is_explicit = has("max-age") || has("s-maxage") || headers.contains_key(EXPIRES);
    let lifetime = if varies || !policy.is_storable() {
        Lifetime::Passing
    } else if is_explicit || has("no-cache") {
        let left: Duration = policy.time_to_live(now);
        left.as_millis().try_into().map_or(Lifetime::Unsaid, Lifetime::For)
    } else {
        Lifetime::Unsaid
    };
    Said { lifetime, may_be_stale }
}

fn reqwest_answer(status: StatusCode) -> axum::http::Response<()> {
    let mut answer = axum::http::Response::new(());
    *answer.status_mut() = status;
    answer
}

/// All of Cache-Control, in lower case.
fn directives_in_full(headers: &HeaderMap) -> String {
    let values = headers.get_all(CACHE_CONTROL).iter().filter_map(|it| it.to_str().ok());
    values.collect::<Vec<_>>().join(", ").to_ascii_lowercase()
}

/// Names of Cache-Control's directives, in lower case.
fn directives(headers: &HeaderMap) -> Vec<String> {
    let full = directives_in_full(headers);
    let parts = full.split(',');
    let name = |part: &str| part.split('=').next().unwrap_or_default().trim().to_ascii_lowercase();
    parts.map(name).collect()
}

/// What was asked, as the rules want it: without what this server has shown to be let in.
struct Asked(Request);

impl http_cache_semantics::RequestLike for Asked {
    fn uri(&self) -> axum::http::Uri {
        self.0.url().as_str().parse().unwrap_or_default()
    }

    fn is_same_uri(&self, other: &axum::http::Uri) -> bool {
        self.uri() == *other
    }

    fn method(&self) -> &Method {
        self.0.method()
    }

    fn headers(&self) -> &HeaderMap {
        self.0.headers()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_say_how_long() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let url: Url = "http://h/k".parse().expect("it is one");
        for (headers, seconds, may_be_stale) in [
            (&[][..], None, true),
            (&[("cache-control", "max-age=30")], Some(30), true),
            (&[("cache-control", "max-age=30, s-maxage=\"7\"")], Some(7), false),
            (&[("cache-control", "Max-Age=30"), ("age", "10")], Some(20), true),
            (&[("cache-control", "max-age=30, must-revalidate")], Some(30), false),
            (&[("cache-control", "no-cache")], Some(0), false),
            (&[("cache-control", "max-age=30, no-store")], Some(0), true),
            (&[("cache-control", "private, max-age=30")], Some(0), true),
            (&[("cache-control", "max-age=30"), ("vary", "*")], Some(0), true),
            (&[("cache-control", "public")], None, true),
            (&[("expires", "Fri, 15 Jan 2027 08:00:30 GMT")], Some(30), true),
            (&[("expires", "0")], Some(0), true),
            (&[("last-modified", "Fri, 15 Jan 2016 08:00:30 GMT")], None, true),
        ] {
            let mut map = HeaderMap::new();
            for &(name, value) in headers {
                map.append(name, value.parse().expect("it is a value"));
            }
            let said = said(&url, StatusCode::OK, &map, now);
            let expected = match seconds {
                None => vec![Lifetime::Unsaid],
                Some(0) => vec![Lifetime::For(0), Lifetime::Passing],
                Some(seconds) => vec![Lifetime::For(seconds * 1000)],
            };
            assert!(expected.contains(&said.lifetime), "{headers:?}: {said:?}");
            assert_eq!(may_be_stale, said.may_be_stale, "{headers:?}");
        }
    }
}
