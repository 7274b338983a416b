//! Versions in headers: `ETag`, `If-Match` and `If-None-Match`.

use std::fmt;

use aide::{OperationInput, generate::GenContext, openapi::Operation};
use axum::extract::FromRequestParts;
use events::Position;
use http::{
    HeaderMap, HeaderValue,
    header::{ETAG, IF_MATCH, IF_NONE_MATCH},
    request::Parts,
};

use crate::{
    headers::{document, single},
    problem::Problem,
};

/// `"7"` for a command's answer, `"7.1042"` for a resource, which may show more than one stream: its version
/// and the position of the last change of what is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ETag {
    pub version: i64,
    pub position: Option<Position>,
}

impl ETag {
    pub fn of_stream(version: i64) -> Self {
        Self { version, position: None }
    }

    pub fn of_resource(version: i64, position: Position) -> Self {
        Self { version, position: Some(position) }
    }

    /// The header that carries it.
    pub fn header(self) -> (http::HeaderName, HeaderValue) {
        let value = HeaderValue::try_from(self.to_string());
        (ETAG, value.expect("digits, a dot and quotes are a header value"))
    }

    fn parse(text: &str) -> Option<Self> {
        let inner = text.strip_prefix("W/").unwrap_or(text).strip_prefix('"')?.strip_suffix('"')?;
        match inner.split_once('.') {
            Some((version, position)) => Some(Self::of_resource(number(version)?, number(position)?)),
            None => number(inner).map(Self::of_stream),
        }
    }
}

/// Digits only: no sign, no blank.
fn number(text: &str) -> Option<i64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Some(position) => write!(f, "\"{}.{position}\"", self.version),
            None => write!(f, "\"{}\"", self.version),
        }
    }
}

/// `If-Match: "n"`: the version that a command changes. What follows a dot is ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IfMatch(pub Option<i64>);

impl IfMatch {
    fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(text) = single(headers, &IF_MATCH)? else { return Ok(Self(None)) };
        match ETag::parse(text) {
            Some(tag) => Ok(Self(Some(tag.version))),
            None => Err(Problem::bad_header("If-Match must be one version in quotes, such as \"7\".")),
        }
    }

    /// 428 without a version: for `PUT` and `DELETE`.
    pub fn required(self) -> Result<i64, Problem> {
        self.0.ok_or_else(Problem::precondition_required)
    }

    /// 412 when a version is named that is not the present one.
    pub fn check(self, current: i64) -> Result<(), Problem> {
        match self.0 {
            Some(version) if version != current => Err(Problem::stale_version(current)),
            _ => Ok(()),
        }
    }
}

/// `If-None-Match`: what the client has already. Tags that are not ours match nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IfNoneMatch(Vec<String>);

impl IfNoneMatch {
    fn read(headers: &HeaderMap) -> Self {
        let values = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        Self(values.flat_map(|value| value.split(',')).map(|tag| tag.trim().to_owned()).collect())
    }

    /// Whether 304 is the answer. `*` matches whatever exists; weak tags compare as strong ones (RFC 9110).
    pub fn has(&self, current: ETag) -> bool {
        let current = current.to_string();
        self.0.iter().any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == current)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::read(&parts.headers)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::read(&parts.headers))
    }
}

impl OperationInput for IfMatch {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        let about = "The version that is changed, in quotes; a stale one is 412. PUT and DELETE require it (428).";
        document::<String>(ctx, operation, "If-Match", about, false);
    }
}

impl OperationInput for IfNoneMatch {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        document::<String>(ctx, operation, "If-None-Match", "ETags already at hand; 304 if one is current.", false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: http::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn if_match_takes_the_version_before_the_dot() {
        for (text, version) in [("\"7\"", 7), ("\"7.1042\"", 7), ("W/\"7\"", 7), (" \"0\" ", 0)] {
            assert_eq!(IfMatch::read(&headers(IF_MATCH, text)).unwrap(), IfMatch(Some(version)), "{text}");
        }
        for text in ["7", "\"x\"", "\"\"", "*", "\"7\", \"8\"", "\"-7\"", "\"+7\"", "\"7.\"", "\"7.x\"", "\""] {
            assert_eq!(IfMatch::read(&headers(IF_MATCH, text)).unwrap_err().code(), "invalid-header", "{text}");
        }
    }

    #[test]
    fn a_stale_version_is_412_and_a_missing_one_428_where_required() {
        assert!(IfMatch(Some(3)).check(3).is_ok() && IfMatch(None).check(3).is_ok());
        assert_eq!(IfMatch(Some(2)).check(3).unwrap_err().status().as_u16(), 412);
        assert_eq!(IfMatch(None).required().unwrap_err().status().as_u16(), 428);
    }

    #[test]
    fn if_none_match_compares_the_whole_tag() {
        let current = ETag::of_resource(7, 1042);
        for (text, matches) in [
            ("\"7.1042\"", true),
            ("W/\"7.1042\"", true),
            ("\"1\", \"7.1042\"", true),
            ("*", true),
            ("\"7\"", false),
            ("\"7.1043\"", false),
            ("7.1042", false),
        ] {
            assert_eq!(IfNoneMatch::read(&headers(IF_NONE_MATCH, text)).has(current), matches, "{text}");
        }
    }
}
