//! Every answer that is not a success: RFC 9457 `application/problem+json`.
//!
//! A refusal is an ordinary answer. A failure ([`Problem::internal`], [`Problem::unavailable`]) is logged here,
//! once, with its chain of causes, and answered without them.

mod body;
mod kinds;

use std::{borrow::Cow, error::Error, time::Duration};

pub use body::{PROBLEM_JSON, ProblemBody};
pub use http::StatusCode;
use http::{HeaderMap, HeaderName, HeaderValue};
pub use kinds::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How long a client is asked to wait when a dependency is down.
const RETRY_AFTER_UNAVAILABLE: Duration = Duration::from_secs(2);

/// A refusal or a failure, ready to be answered. One pointer wide, so that `Result<_, Problem>` stays small.
#[derive(Clone, Debug)]
pub struct Problem(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    kind: Kind,
    detail: Option<Cow<'static, str>>,
    errors: Vec<FieldError>,
    members: Map<String, Value>,
    headers: HeaderMap,
}

/// What is wrong with one place of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) into the body; for a query parameter, its name after a slash. Empty: the whole.
    pub pointer: String,
    pub code: Cow<'static, str>,
    /// What is expected. Never repeats the value that was sent.
    pub detail: Cow<'static, str>,
}

impl FieldError {
    pub fn new(
        pointer: impl Into<String>,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { pointer: pointer.into(), code: code.into(), detail: detail.into() }
    }
}

impl Problem {
    pub fn new(kind: Kind) -> Self {
        let (errors, members, headers) = (Vec::new(), Map::new(), HeaderMap::new());
        Self(Box::new(Parts { kind, detail: None, errors, members, headers }))
    }

    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    pub fn code(&self) -> &'static str {
        self.0.kind.code
    }

    pub fn status(&self) -> StatusCode {
        self.0.kind.status
    }

    pub fn errors(&self) -> &[FieldError] {
        &self.0.errors
    }

    /// Says what is particular to this occurrence. Never a value that somebody sent, never another clinic's.
    pub fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    pub fn error(mut self, error: FieldError) -> Self {
        self.0.errors.push(error);
        self
    }

    /// Adds an extension member (`limit`, `used`, `alternatives`); does nothing with a value that has no JSON form.
    pub fn member(mut self, name: &str, value: impl Serialize) -> Self {
        if let Ok(value) = serde_json::to_value(value) {
            self.0.members.insert(name.to_owned(), value);
        }
        self
    }

    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }

    /// Whole seconds, rounded up, at least one.
    pub fn retry_after(self, wait: Duration) -> Self {
        self.header(http::header::RETRY_AFTER, HeaderValue::from(whole_seconds(wait)))
    }
}

/// Rounded up, at least one: nobody is asked to come back at once.
pub(crate) fn whole_seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

/// One constructor for each status of the API, with the kind that is usual for it.
impl Problem {
    pub fn malformed(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(MALFORMED).detail(detail)
    }

    /// A query parameter that the operation does not take, or a value that it does not take.
    pub fn parameter(name: &str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(INVALID_PARAMETER).error(FieldError::new(format!("/{name}"), "invalid-parameter", detail))
    }

    pub fn bad_header(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(INVALID_HEADER).detail(detail)
    }

    /// 401, with the challenge that RFC 6750 asks for.
    pub fn unauthenticated() -> Self {
        Self::challenge(UNAUTHENTICATED)
    }

    pub fn token_expired() -> Self {
        Self::challenge(TOKEN_EXPIRED)
    }

    pub fn bad_credentials() -> Self {
        Self::challenge(BAD_CREDENTIALS)
    }

    pub fn code_required() -> Self {
        Self::challenge(CODE_REQUIRED)
    }

    pub fn reauthentication_failed() -> Self {
        Self::challenge(REAUTHENTICATION_FAILED)
    }

    fn challenge(kind: Kind) -> Self {
        Self::new(kind).header(http::header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"casebook\""))
    }

    pub fn forbidden() -> Self {
        Self::new(FORBIDDEN)
    }

    pub fn quota_exceeded(limit: i64, used: i64) -> Self {
        Self::new(QUOTA_EXCEEDED).member("limit", limit).member("used", used)
    }

    pub fn not_found() -> Self {
        Self::new(NOT_FOUND)
    }

    pub fn conflict(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(CONFLICT).detail(detail)
    }

    pub fn erased() -> Self {
        Self::new(ERASED)
    }

    /// 412. `current` is the version that stands now.
    pub fn stale_version(current: i64) -> Self {
        Self::new(STALE_VERSION).member("current_version", current)
    }

    /// 422 at one place of the body.
    pub fn invalid(pointer: impl Into<String>, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(INVALID).error(FieldError::new(pointer, "invalid", detail))
    }

    pub fn legal_hold() -> Self {
        Self::new(LEGAL_HOLD)
    }

    pub fn precondition_required() -> Self {
        Self::new(PRECONDITION_REQUIRED)
    }

    pub fn too_many_requests(wait: Duration) -> Self {
        Self::new(TOO_MANY_REQUESTS).retry_after(wait)
    }

    pub fn projection_lag(wait: Duration) -> Self {
        Self::new(PROJECTION_LAG).retry_after(wait)
    }

    /// A failure of ours: logged here with its causes, answered as an opaque 500.
    pub fn internal(failure: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        tracing::error!(causes = %causes(failure.into().as_ref()), "request failed");
        Self::new(INTERNAL)
    }

    /// A dependency cannot be reached: logged here with its causes, answered as an opaque 503.
    pub fn unavailable(dependency: &'static str, failure: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        tracing::error!(dependency, causes = %causes(failure.into().as_ref()), "dependency unavailable");
        Self::new(UNAVAILABLE).retry_after(RETRY_AFTER_UNAVAILABLE)
    }
}

impl From<sqlx::Error> for Problem {
    /// No connection is a dependency that is down; anything else is a fault of ours. The database's message
    /// never holds the row (that is in its detail, which is not printed).
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Tls(_) => {
                Self::unavailable("database", error)
            }
            other => Self::internal(other),
        }
    }
}

/// An error and what caused it, in one line.
pub fn causes(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        // Many errors already print their source.
        if !line.ends_with(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        next = cause.source();
    }
    line
}
