//! The document of the whole API.

use std::collections::BTreeSet;

use casebook::api::Api;
use serde_json::Value;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

fn document() -> Value {
    serde_json::from_slice(Api::new().openapi()).unwrap()
}

/// Address, method and operation.
fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let all = paths.flat_map(|(path, item)| METHODS.map(|method| (path.as_str(), method, &item[method])));
    all.filter(|(_, _, operation)| operation.is_object()).collect()
}

fn statuses(operation: &Value) -> BTreeSet<&str> {
    operation["responses"].as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn it_is_made_the_same_each_time() {
    assert_eq!(Api::new().openapi(), Api::new().openapi());
}

#[test]
fn it_holds_both_services() {
    let document = document();
    let patients = &document["paths"]["/clinic/{slug}/api/v1/patients"];
    assert_eq!(patients["post"]["operationId"], "RegisterPatient");
    assert!(patients["get"].is_object());
}

#[test]
fn every_operation_has_a_name_of_its_own_a_summary_and_one_tag() {
    let (document, mut names) = (document(), BTreeSet::new());
    for (path, method, operation) in operations(&document) {
        let summary = operation["summary"].as_str().unwrap_or_default();
        assert!(!summary.is_empty() && summary.len() < 100, "{method} {path}: {summary:?}");
        assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{method} {path}");
        assert!(names.insert(operation["operationId"].as_str().unwrap()), "{method} {path}");
    }
    assert!(names.len() > 80, "{}", names.len());
}

#[test]
fn every_query_is_described_and_answers_json_or_a_file() {
    let document = document();
    for (path, _, operation) in operations(&document).into_iter().filter(|(_, method, _)| *method == "get") {
        assert!(operation["description"].as_str().is_some_and(|text| !text.is_empty()), "{path}");
        let answers = operation["responses"]["200"]["content"].as_object();
        let types: Vec<&str> = answers.into_iter().flat_map(|types| types.keys().map(String::as_str)).collect();
        assert!(
            matches!(
                types[..],
                ["application/json"
                    | "application/fhir+json"
                    | "application/zip"
                    | "application/octet-stream"
                    | "application/pdf"
                    | "image/*"]
            ),
            "{path}: {types:?}"
        );
    }
}

#[test]
fn a_token_is_needed_for_all_but_a_few() {
    let document = document();
    let public = operations(&document).into_iter().filter(|(_, _, operation)| !operation["security"].is_array());
    let public: BTreeSet<_> = public.map(|(path, method, _)| format!("{method} {path}")).collect();
    let known = [
        "get /api/v1/clinics",
        "get /api/v1/plans",
        "post /api/v1/auth/activate",
        "post /api/v1/auth/login",
        "post /api/v1/auth/refresh",
        "post /api/v1/auth/request-password-reset",
        "post /api/v1/auth/reset-password",
        "post /api/v1/clinics",
    ];
    assert_eq!(public, known.map(str::to_owned).into());
}

#[test]
fn refusals_are_documented_by_what_an_operation_takes() {
    let document = document();
    let patients = &document["paths"]["/clinic/{slug}/api/v1/patients"];
    let register = statuses(&patients["post"]);
    let all = ["201", "400", "401", "403", "404", "409", "412", "422", "429", "503"];
    assert!(all.iter().all(|status| register.contains(status)), "{register:?}");
    assert!(!statuses(&patients["get"]).contains("409"));
    let one = &document["paths"]["/clinic/{slug}/api/v1/patients/{id}"];
    assert!(statuses(&one["put"]).contains("428") && !register.contains("428"));
    assert!(statuses(&document["paths"]["/api/v1/auth/login"]["post"]).contains("401"));
}

#[test]
fn every_reference_is_there() {
    let document = document();
    let text = document.to_string();
    for piece in text.split("\"$ref\":\"#").skip(1) {
        let place = piece.split('"').next().unwrap();
        assert!(document.pointer(place).is_some(), "{place}");
    }
}
