use axum::{
    body::Body,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{HeaderValue, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use super::*;
use crate::{context::RequestContext, json::Json, problem::Problem};

/// Long enough for every handler here that answers at all.
const SHORT: Duration = Duration::from_millis(200);
const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

async fn context() -> String {
    RequestContext::current().unwrap().correlation_id.simple().to_string()
}

async fn echo(Json(body): Json<Value>) -> Json<Value> {
    Json(body)
}

fn app() -> Router {
    let router = Router::new()
        .route("/context", get(context))
        .route("/refused/{id}", get(async || Problem::not_found()))
        .route("/panic", get(async || -> &'static str { panic!("{}", "with data") }))
        .route("/slow", get(std::future::pending::<&'static str>))
        .route("/long", get(slow_but_fine))
        .route("/echo", post(echo))
        .route("/page", get(async || ([("cache-control", "max-age=60")], "page")));
    apply(router, HttpSettings { timeout: SHORT, long_routes: vec!["/long"], ..Default::default() })
}

async fn slow_but_fine() -> &'static str {
    tokio::time::sleep(SHORT * 2).await;
    "at last"
}

async fn ask(request: http::request::Builder, body: Body) -> (StatusCode, http::HeaderMap, Value) {
    let response: Response = app().oneshot(request.body(body).unwrap()).await.unwrap().into_response();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let value = serde_json::from_slice(&bytes).unwrap_or_else(|_| String::from_utf8(bytes.to_vec()).unwrap().into());
    (parts.status, parts.headers, value)
}

async fn get_(path: &str) -> (StatusCode, http::HeaderMap, Value) {
    ask(Request::get(path).header("traceparent", TRACE), Body::empty()).await
}

fn text<'a>(headers: &'a http::HeaderMap, name: &str) -> &'a str {
    headers[name].to_str().unwrap()
}

#[tokio::test]
async fn the_trace_id_reaches_the_handler_and_the_problem() {
    assert_eq!(get_("/context").await.2, "4bf92f3577b34da6a3ce929d0e0e4736");
    let (status, _, problem) = get_("/refused/7?q=x").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(problem["correlation_id"], "4bf92f35-77b3-4da6-a3ce-929d0e0e4736");
    assert_eq!(problem["instance"], "/refused/7");
}

#[tokio::test]
async fn without_a_trace_each_request_has_an_id_of_its_own() {
    let fresh = async || ask(Request::get("/context"), Body::empty()).await.2.as_str().unwrap().to_owned();
    let (one, other) = (fresh().await, fresh().await);
    assert_ne!(one, other);
    assert_eq!(one.as_bytes()[12], b'7', "a UUIDv7: {one}");
}

#[tokio::test]
async fn no_route_and_no_method_are_problems() {
    let (status, headers, problem) = get_("/nowhere").await;
    assert_eq!((status.as_u16(), problem["code"].as_str()), (404, Some("not-found")));
    assert_eq!(headers["content-type"], "application/problem+json");
    let (status, headers, problem) = get_("/echo").await;
    assert_eq!((status.as_u16(), problem["code"].as_str()), (405, Some("method-not-allowed")));
    assert_eq!(headers["allow"], "POST");
}

#[tokio::test]
async fn a_panic_is_an_opaque_500() {
    let (status, _, problem) = get_("/panic").await;
    assert_eq!((status.as_u16(), problem["code"].as_str()), (500, Some("internal")));
    assert_eq!(problem["correlation_id"], "4bf92f35-77b3-4da6-a3ce-929d0e0e4736");
    assert!(!problem.to_string().contains("with data"));
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_503_except_on_a_long_route() {
    let (status, headers, problem) = get_("/slow").await;
    assert_eq!((status.as_u16(), problem["code"].as_str()), (503, Some("timeout")));
    assert_eq!(headers["retry-after"], HeaderValue::from_static("5"));
    assert_eq!(get_("/long").await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_body_past_the_limit_is_413() {
    let send = async |bytes: usize| {
        let body = format!("\"{}\"", "x".repeat(bytes - 2));
        ask(Request::post("/echo").header("content-type", "application/json"), body.into()).await
    };
    assert_eq!(send(BODY_BYTES_MAX).await.0, StatusCode::OK);
    let (status, _, problem) = send(BODY_BYTES_MAX + 1).await;
    assert_eq!((status.as_u16(), problem["code"].as_str()), (413, Some("body-too-large")));
}

#[tokio::test]
async fn answers_are_not_stored_unless_they_say_so() {
    let (_, headers, _) = get_("/context").await;
    assert_eq!((text(&headers, "cache-control"), text(&headers, "x-content-type-options")), ("no-store", "nosniff"));
    let (_, headers, _) = get_("/page").await;
    assert_eq!((text(&headers, "cache-control"), text(&headers, "x-frame-options")), ("max-age=60", "DENY"));
    let (_, headers, _) = get_("/nowhere").await;
    assert_eq!(headers["cache-control"], "no-store");
}
