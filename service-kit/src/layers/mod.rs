//! What surrounds every handler: correlation, log and metrics, headers, limits; problems for whatever goes wrong
//! before or after a handler.

mod guard;
mod observe;

use std::{sync::Arc, time::Duration};

use axum::{Router, extract::DefaultBodyLimit, middleware::from_fn_with_state};
use tower_http::catch_panic::CatchPanicLayer;

use crate::client::TrustedProxies;

/// Of a JSON body. A route that takes more says so with a `DefaultBodyLimit` of its own.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Until an answer begins; a stream may go on for longer.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// For the routes that read or write much: uploads, exports, imports.
pub const LONG_ANSWER_TIMEOUT: Duration = Duration::from_secs(600);

/// What the layers must be told.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    pub trusted_proxies: TrustedProxies,
    pub timeout: Duration,
    /// Templates of the routes that get `long_timeout` instead.
    pub long_routes: Vec<&'static str>,
    pub long_timeout: Duration,
}

impl Default for HttpSettings {
    fn default() -> Self {
        let (timeout, long_timeout) = (ANSWER_TIMEOUT, LONG_ANSWER_TIMEOUT);
        Self { trusted_proxies: TrustedProxies::default(), timeout, long_routes: Vec::new(), long_timeout }
    }
}

/// Wraps a complete router, once, outermost: routes that are added later are not covered.
pub fn apply(router: Router, settings: HttpSettings) -> Router {
    let settings = Arc::new(settings);
    router
        .fallback(guard::not_found)
        .method_not_allowed_fallback(guard::method_not_allowed)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn_with_state(settings.clone(), guard::in_time))
        .layer(CatchPanicLayer::custom(guard::panicked))
        .layer(from_fn_with_state(settings, observe::observe))
}

#[cfg(test)]
mod tests;
