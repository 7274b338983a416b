//! Problems that no handler answers: no route, another method, too slow, a panic.

use std::{any::Any, sync::Arc, time::Duration};

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::HttpSettings;
use crate::problem::{INTERNAL, METHOD_NOT_ALLOWED, Problem, TIMEOUT};

const RETRY_AFTER_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) async fn not_found() -> Problem {
    Problem::not_found()
}

pub(super) async fn method_not_allowed() -> Problem {
    Problem::new(METHOD_NOT_ALLOWED)
}

pub(super) async fn in_time(State(settings): State<Arc<HttpSettings>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let limit = if settings.long_routes.contains(&route) { settings.long_timeout } else { settings.timeout };
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            tracing::warn!(limit_millis = limit.as_millis() as u64, "no answer in time");
            Problem::new(TIMEOUT).retry_after(RETRY_AFTER_TIMEOUT).into_response()
        }
    }
}

/// The panic hook has written where it was; what was said may hold data and is dropped.
pub(super) fn panicked(_: Box<dyn Any + Send>) -> Response {
    Problem::new(INTERNAL).into_response()
}
