//! The page on which a cache is watched, for whatever can be watched: the server, or a program's cache.
//!
//! `augury-page` draws it; here is who is let in, how often the cache is looked at, and the course.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use augury_page::answers::{self, HEADERS, HTML, JSON, Wanted};
use augury_page::course::{Course, Glance, STEP_MILLIS};
use augury_page::document;
use augury_page::seen::Seen;
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, Uri, header};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use tracing::error;

use crate::acl::user::User;

/// How long what was seen for one visitor is shown again.
const FRESH: Duration = Duration::from_millis(500);

/// Who looks: a user of the server's, or whoever may reach a cache without users.
pub type Viewer = Option<Arc<User>>;

/// Who asks, and how.
pub struct Visitor<'a> {
    /// From where.
    pub from: SocketAddr,
    /// By which name: the Host header.
    pub host: Option<&'a str>,
    /// As whom: the Authorization header.
    pub authorization: Option<&'a [u8]>,
}

/// Whether a visitor is let in.
pub enum Admission {
    /// As this one.
    As(Viewer),
    /// Not, and why.
    Refused {
        /// The status.
        status: StatusCode,
        /// Said to the visitor.
        why: &'static str,
    },
}

/// Something that can be watched.
pub trait Watched: Send + Sync + 'static {
    /// Whether a visitor is let in, and how long the answer is to be held.
    fn admit(&self, visitor: &Visitor<'_>) -> (Admission, Duration);
    /// What one who was let in may see.
    ///
    /// # Errors
    /// It cannot be looked at; why, for the log.
    fn see(&self, viewer: &Viewer) -> Result<Seen, String>;
    /// A look at the counters, every two seconds; none where it cannot be looked at.
    fn glance(&self) -> Option<Glance>;
}

/// Asks for a password.
pub const fn unauthorized() -> Admission {
    Admission::Refused {
        status: StatusCode::UNAUTHORIZED,
        why: "Name and password are asked for; without a name it is the default user.\n",
    }
}

/// Refuses whoever asks by a name that others' DNS may have made.
pub const STRANGE_NAME: Admission = Admission::Refused {
    status: StatusCode::MISDIRECTED_REQUEST,
    why: "The page is shown under an IP address or localhost. To use another name, let the server \
          ask for a password.\n",
};

/// See the module's head.
pub struct Page {
    watched: Box<dyn Watched>,
    course: Mutex<Course>,
    latest: Mutex<Option<(Instant, Viewer, Arc<Seen>)>>,
    has_metrics: bool,
}

/// The page as data.
#[derive(Serialize)]
struct Data<'a> {
    #[serde(flatten)]
    seen: &'a Seen,
    course: &'a Course,
}

impl Page {
    /// A page of this; `has_metrics` where `/metrics` is served beside it.
    pub fn new(watched: impl Watched, has_metrics: bool) -> Arc<Page> {
        let (course, latest) = Default::default();
        Arc::new(Page { watched: Box::new(watched), course, latest, has_metrics })
    }

    /// Looks at the counters every now and then, until it is dropped.
    pub(super) async fn follow(self: Arc<Page>) {
        let mut beats = tokio::time::interval(Duration::from_millis(STEP_MILLIS));
        beats.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            beats.tick().await;
            if let Some(glance) = self.watched.glance() {
                self.course().note(glance);
            }
        }
    }

    fn course(&self) -> MutexGuard<'_, Course> {
        self.course.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What this one may see, as it was a moment ago at most.
    fn see(&self, viewer: &Viewer) -> Result<Arc<Seen>, String> {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, whose, seen)) = &*latest
            && at.elapsed() < FRESH
            && is_same(whose, viewer)
        {
            return Ok(seen.clone());
        }
        let seen = Arc::new(self.watched.see(viewer)?);
        *latest = Some((Instant::now(), viewer.clone(), seen.clone()));
        Ok(seen)
    }

    fn document(&self, viewer: &Viewer, wanted: Wanted) -> Result<(&'static str, String), String> {
        let seen = self.see(viewer)?;
        let course = self.course();
        if let Wanted::Document(frame) = wanted {
            return Ok((HTML, document::page(&seen, &course, frame, self.has_metrics)));
        }
        let data = Data { seen: &seen, course: &course };
        serde_json::to_string(&data).map(|text| (JSON, text)).map_err(|error| error.to_string())
    }

    /// Its paths.
    pub(super) fn app(self: Arc<Page>) -> Router {
        ["/", "/page.json", "/page.css", "/page.js", "/page.svg"]
            .into_iter()
            .fold(Router::new(), |app, path| app.route(path, get(show)))
            .with_state(self)
    }
}

/// The header's name and password, by the Basic scheme (RFC 7617).
pub fn credentials(authorization: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (scheme, coded) = authorization.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let text = STANDARD.decode(coded.trim_ascii()).ok()?;
    let at = text.iter().position(|&byte| byte == b':')?;
    Some((text[..at].to_vec(), text[at + 1..].to_vec()))
}

/// Whether both are the same user, with the same rights: a changed user is another object.
fn is_same(one: &Viewer, other: &Viewer) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        _ => false,
    }
}

async fn show(
    State(page): State<Arc<Page>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    uri: Uri,
) -> Response<Body> {
    let Some(wanted) = answers::wanted(uri.path(), uri.query()) else {
        return answer(StatusCode::NOT_FOUND, "text/plain", "There is no such page.\n");
    };
    if let Wanted::File(kind, text) = wanted {
        return answer(StatusCode::OK, kind, text);
    }
    let visitor = Visitor {
        from,
        host: headers.get(header::HOST).and_then(|host| host.to_str().ok()),
        authorization: headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes),
    };
    let (admission, hold) = page.watched.admit(&visitor);
    if !hold.is_zero() {
        tokio::time::sleep(hold).await;
    }
    let viewer = match admission {
        Admission::As(viewer) => viewer,
        Admission::Refused { status, why } => return refuse(status, why),
    };
    match page.document(&viewer, wanted) {
        Ok((kind, text)) => answer(StatusCode::OK, kind, text),
        Err(error) => {
            error!(error, "the page cannot be drawn");
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            answer(status, "text/plain", "The cache cannot be looked at; its log says why.\n")
        }
    }
}

fn refuse(status: StatusCode, why: &'static str) -> Response<Body> {
    let mut answer = answer(status, "text/plain", why);
    if status == StatusCode::UNAUTHORIZED {
        let realm = HeaderValue::from_static("Basic realm=\"augury\", charset=\"UTF-8\"");
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, realm);
    }
    answer
}

fn answer(status: StatusCode, kind: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut answer = Response::new(body.into());
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::credentials;

    #[test]
    fn credentials_are_those_of_the_scheme() {
        let of = |header: &str| {
            credentials(header.as_bytes())
                .map(|(name, word)| (String::from_utf8(name), String::from_utf8(word)))
        };
        let pair = |name: &str, word: &str| Some((Ok(name.to_owned()), Ok(word.to_owned())));
        assert_eq!(pair("bob", "se:same"), of("Basic Ym9iOnNlOnNhbWU="));
        assert_eq!(pair("", "sesame"), of("basic OnNlc2FtZQ=="));
        for header in ["Bearer Ym9iOnNl", "Basic", "Basic !", "Basic Ym9i", "", "Basic "] {
            assert_eq!(None, of(header), "{header}");
        }
    }
}
