//! Correlation, one log line and the metrics of a request. Addresses are logged as route templates: ids and
//! queries stay out of log and metrics.

use std::{net::SocketAddr, sync::Arc, time::Instant};

use axum::{
    extract::{ConnectInfo, MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS},
};
use tracing::Instrument;

use super::HttpSettings;
use crate::{
    context::RequestContext,
    metrics::{HTTP_REQUESTS, HTTP_SECONDS},
};

/// On every answer that does not say otherwise itself.
const ANSWER_HEADERS: [(HeaderName, &str); 5] = [
    (CACHE_CONTROL, "no-store"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
];

pub(super) async fn observe(State(settings): State<Arc<HttpSettings>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let context = context(&settings, &request);
    let (method, route) = (method_name(request.method()), route(&request));
    let span = tracing::info_span!("request", correlation_id = %context.correlation_id, method, route = &*route);
    request.extensions_mut().insert(context.clone());
    let answered = async move {
        let mut response = context.scope(next.run(request)).await;
        add_missing_headers(response.headers_mut());
        let status = response.status();
        tracing::info!(status = status.as_u16(), micros = started.elapsed().as_micros() as u64, "answered");
        measure(method, &route, status.as_u16(), started);
        response
    };
    answered.instrument(span).await
}

fn context(settings: &HttpSettings, request: &Request) -> RequestContext {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
    let client = settings.trusted_proxies.client(peer, request.headers());
    RequestContext::new(request.headers(), request.uri().path(), client)
}

/// The template, so that there are as many label values as routes.
fn route(request: &Request) -> Arc<str> {
    request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).into()
}

/// Anybody may send a method of his own: it must not become a label.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}

fn add_missing_headers(headers: &mut HeaderMap) {
    for (name, value) in ANSWER_HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

fn measure(method: &'static str, route: &str, status: u16, started: Instant) {
    let labels = [("method", method.to_owned()), ("route", route.to_owned()), ("status", status.to_string())];
    metrics::counter!(HTTP_REQUESTS, &labels).increment(1);
    metrics::histogram!(HTTP_SECONDS, &labels[..2]).record(started.elapsed());
}
