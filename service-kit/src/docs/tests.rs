use std::sync::Arc;

use aide::axum::routing::{get_with, post_with, put};
use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tower::ServiceExt;
use uuid::Uuid;

use super::*;
use crate::{
    answer::Resource,
    etag::{ETag, IfMatch, IfNoneMatch},
    headers::{IdempotencyKey, MinPosition},
    json::Json,
    page::{List, ListQuery},
    scope::{AccessJournal, Attempt, Authority, BEARER, BoxFuture, ClinicScope},
    tokens::SigningKeys,
};

crate::kinds! {
    pub static RULES;
    SLOT_TAKEN = "slot-taken", CONFLICT, "The slot is taken", "Free slots near it are in `alternatives`.";
}

/// A patient as the desk registers one.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
struct RegisterPatient {
    /// At least one character.
    #[schemars(length(min = 1, max = 100))]
    first_name: String,
    birth_date: Option<events::values::BirthDate>,
    #[serde(default)]
    gender: events::values::Gender,
    address: Option<events::values::Address>,
}

#[derive(Serialize, JsonSchema)]
struct Patient {
    id: Uuid,
    first_name: String,
    version: i64,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
struct Filters {
    /// Only these.
    status: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct PatientPath {
    id: Uuid,
}

async fn register(_: ClinicScope, _: IdempotencyKey, Json(_): Json<RegisterPatient>) -> Result<Json<Patient>, Problem> {
    Err(Problem::new(SLOT_TAKEN))
}

async fn list(_: ClinicScope, _: MinPosition, query: ListQuery<Filters>) -> Result<List<Patient>, Problem> {
    Ok(query.answer(Vec::new(), 7, |patient: &Patient| patient.id))
}

async fn one(_: ClinicScope, path: Path<PatientPath>, known: IfNoneMatch) -> Result<Resource<Patient>, Problem> {
    let patient = Patient { id: path.0.id, first_name: "A".to_owned(), version: 1 };
    Ok(Resource::new(patient, ETag::of_resource(1, 7), 7).unless(&known))
}

async fn change(
    _: ClinicScope,
    _: Path<PatientPath>,
    _: IfMatch,
    _: Json<RegisterPatient>,
) -> Result<Json<Patient>, Problem> {
    Err(Problem::not_found())
}

struct Unheard;

impl AccessJournal for Unheard {
    fn record(&self, _: Attempt) -> BoxFuture<'_, Result<(), Box<dyn std::error::Error + Send + Sync>>> {
        Box::pin(async { Ok(()) })
    }
}

fn api() -> (Router, Docs) {
    let about = About { title: "Casebook", version: "0.1.0", description: "Clinics.\n\nSend `Idempotency-Key`." };
    let patients = get_with(list, |op| op.summary("Patients of the clinic"))
        .merge(post_with(register, |op| op.summary("Register a <patient>")));
    let router = ApiRouter::<Authority>::new().api_route("/clinic/{slug}/api/v1/patients", patients).api_route(
        "/clinic/{slug}/api/v1/patients/{id}",
        get_with(one, |op| op.summary("One patient")).merge(put(change)),
    );
    let (router, docs) = Docs::of(router, about, &[RULES]);
    let folder = tempfile::tempdir().unwrap();
    let keys = SigningKeys::open(&folder.path().join("key.pem")).unwrap();
    let authority = Authority::new(keys.verifier(), Arc::new(Unheard));
    (crate::layers::apply(router.with_state(authority).merge(docs.routes()), Default::default()), docs)
}

async fn ask(path: &str) -> (StatusCode, http::HeaderMap, String) {
    let response = api().0.oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    (parts.status, parts.headers, String::from_utf8(bytes.to_vec()).unwrap())
}

async fn document() -> Value {
    serde_json::from_str(&ask("/openapi.json").await.2).unwrap()
}

fn names(parameters: &Value) -> Vec<&str> {
    parameters.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_document_shows_bodies_parameters_answers_and_tokens() {
    let document = document().await;
    assert_eq!(document["openapi"], "3.1.0");
    let patients = &document["paths"]["/clinic/{slug}/api/v1/patients"];
    let body = &patients["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"];
    assert_eq!(body, "#/components/schemas/RegisterPatient");
    assert_eq!(names(&patients["post"]["parameters"]), ["slug", "Idempotency-Key"]);
    assert_eq!(names(&patients["get"]["parameters"]), ["slug", "Casebook-Min-Position", "status", "limit", "cursor"]);
    assert_eq!(patients["post"]["operationId"], "post_clinic_patients");
    assert_eq!(patients["post"]["security"][0][BEARER], serde_json::json!([]));
    assert_eq!(document["components"]["securitySchemes"][BEARER]["scheme"], "bearer");
    let problem = &patients["post"]["responses"]["default"]["content"]["application/problem+json"]["schema"];
    assert_eq!(problem["$ref"], "#/components/schemas/Problem");
    let list = &patients["get"]["responses"]["200"]["content"]["application/json"]["schema"];
    assert_eq!(list["$ref"], "#/components/schemas/ListOfPatient");
    let one = &document["paths"]["/clinic/{slug}/api/v1/patients/{id}"]["get"];
    assert_eq!(names(&one["parameters"]), ["slug", "id", "If-None-Match"]);
    assert!(one["responses"]["304"].is_object());
}

#[tokio::test]
async fn every_reference_of_the_document_is_there() {
    let document = document().await;
    let text = document.to_string();
    for piece in text.split("\"#/components/schemas/").skip(1) {
        let name = piece.split('"').next().unwrap();
        assert!(document["components"]["schemas"][name].is_object(), "{name}");
    }
}

#[tokio::test]
async fn the_page_needs_no_other_host_and_runs_only_its_own_script() {
    let (status, headers, page) = ask("/docs").await;
    assert_eq!(
        (status, &headers["content-type"]),
        (StatusCode::OK, &HeaderValue::from_static("text/html; charset=utf-8"))
    );
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    for outside in ["src=", "@import", "url(", "<link"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("Register a &lt;patient&gt;"));
    for place in
        ["id=\"post-clinic-slug-api-v1-patients\"", "id=\"schema-registerpatient\"", "id=\"problem-slot-taken\""]
    {
        assert!(page.contains(place), "{place}");
    }
    assert!(page.contains("curl -X POST &quot;http://127.0.0.1:8080/clinic/sunrise/api/v1/patients&quot;"));
    assert!(page.contains("&quot;first_name&quot;: &quot;…&quot;"));
    let refused = page.split("<h4>Answers</h4>").nth(2).unwrap();
    assert!(
        refused.contains("<span class=\"status s4\">409</span> <span class=\"status s4\">422</span>"),
        "{refused:.900}"
    );
}

#[tokio::test]
async fn the_type_of_a_problem_leads_to_its_explanation() {
    let (status, headers, _) = ask("/docs/problems/slot-taken").await;
    assert_eq!(
        (status, &headers["location"]),
        (StatusCode::SEE_OTHER, &HeaderValue::from_static("/docs#problem-slot-taken"))
    );
    assert_eq!(ask("/docs/problems/no-such-code").await.0, StatusCode::NOT_FOUND);
    let page = ask("/docs").await.2;
    for kind in problem::ALL.iter().chain(RULES) {
        assert!(page.contains(&format!("id=\"problem-{}\"", kind.code)), "{}", kind.code);
    }
}

#[test]
fn the_document_is_the_same_each_time() {
    assert_eq!(api().1.openapi(), api().1.openapi());
}
