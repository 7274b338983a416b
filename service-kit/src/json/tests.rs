use axum::{Router, body::Body, extract::DefaultBodyLimit, routing::post};
use http::Request;
use http_body_util::BodyExt;
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;
use tower::ServiceExt;
use uuid::Uuid;

use super::*;

#[derive(Debug)]
struct Phone;

impl<'de> Deserialize<'de> for Phone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)?.starts_with('+') {
            true => Ok(Self),
            false => Err(D::Error::custom("a phone number is written as +919876543210")),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Weekday {
    Mon,
    Tue,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hours {
    #[expect(dead_code)]
    weekday: Weekday,
    #[expect(dead_code)]
    minutes: u16,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body_ {
    name: String,
    #[expect(dead_code)]
    phone: Option<Phone>,
    #[expect(dead_code)]
    office: Option<Uuid>,
    #[serde(default)]
    hours: Vec<Hours>,
}

fn refused(body: &str) -> (u16, String, String, String) {
    let problem = parse::<Body_>(body.as_bytes()).unwrap_err();
    let (status, code) = (problem.status().as_u16(), problem.code().to_owned());
    let errors = serde_json::to_value(problem.errors()).unwrap();
    let text = |name: &str| errors[0][name].as_str().unwrap_or_default().to_owned();
    (status, code, format!("{} {}", text("pointer"), text("code")).trim_end().to_owned(), text("detail"))
}

#[test]
fn a_body_of_the_documented_shape_is_read() {
    let body = r#"{"name": "Asha", "phone": "+91", "hours": [{"weekday": "mon", "minutes": 15}]}"#;
    let read = parse::<Body_>(body.as_bytes()).unwrap();
    assert_eq!((read.name.as_str(), read.hours.len()), ("Asha", 1));
}

#[test]
fn a_refusal_points_at_the_place() {
    let cases = [
        (r#"{"phone": "+91"}"#, 400, "/name missing"),
        (r#"{"name": "A", "nick": 1}"#, 400, "/nick unknown-field"),
        (r#"{"name": "A", "name": "B"}"#, 400, "/name repeated"),
        (r#"{"name": 7}"#, 400, "/name wrong-type"),
        (r#"[]"#, 400, " wrong-type"),
        (r#"{"name": "A", "hours": [{"weekday": "mon"}]}"#, 400, "/hours/0/minutes missing"),
        (r#"{"name": "A", "hours": [{"weekday": "sol", "minutes": 1}]}"#, 400, "/hours/0/weekday unknown-value"),
        (r#"{"name": "A", "hours": [{"weekday": "tue", "minutes": "x"}]}"#, 400, "/hours/0/minutes wrong-type"),
        (r#"{"name": "A", "hours": [{"weekday": "tue", "minutes": 70000}]}"#, 422, "/hours/0/minutes invalid"),
        (r#"{"name": "A", "hours": [{"weekday": "tue", "minutes": 1, "x": 1}]}"#, 400, "/hours/0/x unknown-field"),
        (r#"{"name": "A", "phone": "98"}"#, 422, "/phone invalid"),
        (r#"{"name": "A", "office": "nowhere"}"#, 422, "/office invalid"),
        (r#"{"name": "A\u0000B"}"#, 400, "/name nul"),
        (r#"{"name": "A", "a/b~c\u0000": 1}"#, 400, " nul"),
        (r#"{"name": "A", "a/b~c": "\u0000"}"#, 400, "/a~1b~0c nul"),
        (r#"{"name": "A""#, 400, ""),
        (r#"{"name": "A"} x"#, 400, ""),
        ("", 400, ""),
        ("{\"name\": \"A\0\"}", 400, ""),
    ];
    for (body, status, place) in cases {
        let (got, code, at, _) = refused(body);
        assert_eq!((got, at.as_str()), (status, place.trim_end()), "{body}");
        assert_eq!(code, if status == 400 { "malformed" } else { "invalid" }, "{body}");
    }
}

#[test]
fn an_escaped_backslash_before_u0000_is_no_nul() {
    assert_eq!(parse::<Body_>(br#"{"name": "A\\u0000"}"#).unwrap().name, "A\\u0000");
}

#[test]
fn no_value_is_repeated() {
    let bodies = [
        r#"{"name": {"secret": 1}}"#,
        r#"{"name": "A", "phone": "secret"}"#,
        r#"{"name": "A", "office": "secret"}"#,
        r#"{"name": "A", "hours": [{"weekday": "secret, expected x", "minutes": 1}]}"#,
        r#"{"name": "A", "hours": [{"weekday": "mon", "minutes": "secret"}]}"#,
        r#"{"name": "A", "hours": "secret"}"#,
    ];
    for body in bodies {
        let problem = parse::<Body_>(body.as_bytes()).unwrap_err();
        let written = serde_json::to_string(&problem.body()).unwrap();
        assert!(!written.contains("secret"), "{written}");
    }
}

#[test]
fn a_refusal_says_what_is_expected() {
    let (.., detail) = refused(r#"{"name": "A", "phone": "98"}"#);
    assert_eq!(detail, "A phone number is written as +919876543210.");
    let (.., detail) = refused(r#"{"name": "A", "hours": [{"weekday": "sol", "minutes": 1}]}"#);
    assert_eq!(detail, "Expected `mon` or `tue`.");
    let (.., detail) = refused(r#"{"name": "A", "nick": 1}"#);
    assert_eq!(detail, "This field is not known; expected one of `name`, `phone`, `office`, `hours`.");
}

async fn post_to_echo(media_type: &str, body: String) -> (u16, String, Value) {
    let echo = async |body: JsonBytes<Value>| {
        assert_eq!(serde_json::from_slice::<Value>(&body.bytes).unwrap(), body.value);
        Json(body.value)
    };
    let app = Router::new().route("/", post(echo)).layer(DefaultBodyLimit::max(64));
    let headers = (!media_type.is_empty()).then(|| (CONTENT_TYPE, media_type.parse().unwrap()));
    let mut request = Request::post("/").body(Body::from(body)).unwrap();
    request.headers_mut().extend(headers);
    let response = app.oneshot(request).await.unwrap();
    let (status, media_type) =
        (response.status().as_u16(), response.headers()[CONTENT_TYPE].to_str().unwrap().to_owned());
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, media_type, serde_json::from_slice(&bytes).unwrap())
}

#[tokio::test]
async fn media_type_and_size_are_checked() {
    for media_type in ["application/json", "application/json; charset=utf-8", "application/merge-patch+json"] {
        assert_eq!(post_to_echo(media_type, "{}".to_owned()).await.0, 200, "{media_type}");
    }
    let (status, media_type, body) = post_to_echo("text/plain", "{}".to_owned()).await;
    assert_eq!((status, media_type.as_str()), (415, "application/problem+json"));
    assert_eq!(body["code"], "unsupported-media-type");
    let (status, _, body) = post_to_echo("application/json", format!("\"{}\"", "x".repeat(64))).await;
    assert_eq!((status, body["code"].as_str()), (413, Some("body-too-large")));
}

#[tokio::test]
async fn an_empty_body_is_an_empty_object() {
    for media_type in ["", "application/json"] {
        let (status, _, body) = post_to_echo(media_type, String::new()).await;
        assert_eq!((status, body), (200, serde_json::json!({})), "{media_type}");
    }
    assert_eq!(post_to_echo("text/plain", String::new()).await.0, 415);
    assert_eq!(post_to_echo("", "{}".to_owned()).await.0, 415);
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Filters {
    q: Option<String>,
    from: Option<chrono::NaiveDate>,
    id: Option<Uuid>,
}

#[test]
fn a_query_is_read_strictly() {
    let read = |query: &str| pairs(query).and_then(|pairs| parse_pairs::<Filters>(&pairs));
    let filters = read("q=a%20b+c&from=2026-03-14").unwrap();
    assert_eq!((filters.q.as_deref(), filters.from.is_some(), filters.id), (Some("a b c"), true, None));
    for (query, place) in
        [("x=1", "/x"), ("from=secret", "/from"), ("id=secret", "/id"), ("q=1&q=2", "/q"), ("q=%00", "")]
    {
        let problem = read(query).unwrap_err();
        let at = problem.errors().first().map_or("", |error| error.pointer.as_str());
        assert_eq!((problem.code(), at), ("invalid-parameter", place), "{query}");
        assert!(!serde_json::to_string(&problem.body()).unwrap().contains("secret"), "{query}");
    }
}
