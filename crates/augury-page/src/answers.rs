//! Paths to answers, the headers of every answer, and the names by which the page may be asked for.
//!
//! Who serves it decides who is let in; here is what holds for all: nothing is loaded from elsewhere,
//! nothing is run but the script of ours, nobody frames the page, and a name that somebody else's DNS
//! points here opens nothing (DNS rebinding).

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::document::Frame;

/// Seconds after which the page may be asked to load itself again, without a script.
const EVERY: std::ops::RangeInclusive<u32> = 2..=3_600;

/// What a path stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// The page.
    Document(Frame),
    /// What is on it, as JSON.
    Json,
    /// A file of ours, the same for everyone: its type and text.
    File(&'static str, &'static str),
}

/// The types of what is made anew.
pub const HTML: &str = "text/html; charset=utf-8";
/// See [`HTML`].
pub const JSON: &str = "application/json";

/// Headers of every answer.
pub const HEADERS: [(&str, &str); 7] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
         connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
    ),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-store"),
];

/// What a path with its query stands for; none where there is nothing.
pub fn wanted(path: &str, query: Option<&str>) -> Option<Wanted> {
    let frame = || {
        let every = query?.split('&').find_map(|part| part.strip_prefix("every="))?;
        every.parse().ok().filter(|every| EVERY.contains(every))
    };
    Some(match path {
        "/" => Wanted::Document(Frame { every: frame() }),
        "/page.json" => Wanted::Json,
        "/page.css" => Wanted::File("text/css; charset=utf-8", include_str!("page.css")),
        "/page.js" => Wanted::File("text/javascript; charset=utf-8", include_str!("page.js")),
        "/page.svg" => Wanted::File("image/svg+xml", include_str!("page.svg")),
        _ => return None,
    })
}

/// Whether the Host header names this machine by an address, or as localhost: what no DNS of others can
/// point here. Where who asks has shown who it is any name will do, as browsers send a password only to
/// the name that it was given for.
pub fn is_own_name(host: Option<&str>) -> bool {
    let Some(host) = host else { return false };
    if let Some(rest) = host.strip_prefix('[') {
        let Some((address, port)) = rest.split_once(']') else { return false };
        return address.parse::<Ipv6Addr>().is_ok()
            && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port));
    }
    let (name, port) = host.split_once(':').unwrap_or((host, "0"));
    let is_own = name.eq_ignore_ascii_case("localhost") || name.parse::<Ipv4Addr>().is_ok();
    is_own && is_port(port)
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_their_answers() {
        let document = |every| Some(Wanted::Document(Frame { every }));
        assert_eq!(document(None), wanted("/", None));
        assert_eq!(document(Some(10)), wanted("/", Some("every=10")));
        for query in ["every=1", "every=-5", "every=10000", "every=", "x=1", ""] {
            assert_eq!(document(None), wanted("/", Some(query)), "{query}");
        }
        assert_eq!(Some(Wanted::Json), wanted("/page.json", None));
        for path in ["/page.css", "/page.js", "/page.svg"] {
            assert!(matches!(wanted(path, None), Some(Wanted::File(..))));
        }
        assert_eq!([None; 3], ["", "/index.html", "/../page.css"].map(|it| wanted(it, None)));
    }

    #[test]
    fn only_names_that_no_dns_can_point_here_are_own() {
        for host in ["localhost", "LOCALHOST:80", "127.0.0.1:9121", "10.0.0.7", "[::1]:1", "[::1]"]
        {
            assert!(is_own_name(Some(host)), "{host}");
        }
        for host in [
            "attacker.example",
            "localhost.attacker.example:80",
            "127.0.0.1.attacker.example",
            "127.0.0.1:80:80",
            "localhost:x",
            "localhost:99999",
            "[::1",
            "[::1]x",
            "[attacker.example]",
            "127.1",
            "",
            " localhost",
        ] {
            assert!(!is_own_name(Some(host)), "{host}");
        }
        assert!(!is_own_name(None));
    }
}
