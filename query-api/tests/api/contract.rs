//! The generated contract.

use serde_json::Value;

fn document() -> Value {
    serde_json::from_slice(&query_api::openapi()).unwrap()
}

#[test]
fn the_document_is_made_the_same_each_time() {
    assert_eq!(query_api::openapi(), query_api::openapi());
}

#[test]
fn every_operation_has_a_name_a_summary_and_a_description() {
    let document = document();
    let mut names = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let operation = &item["get"];
        for field in ["operationId", "summary", "description"] {
            assert!(operation[field].as_str().is_some_and(|text| !text.is_empty()), "{path} has no {field}");
        }
        assert!(operation["responses"]["200"]["content"]["application/json"].is_object(), "{path}");
        names.push(operation["operationId"].as_str().unwrap().to_owned());
        let public = matches!(path.as_str(), "/api/v1/clinics" | "/api/v1/plans");
        assert_eq!(operation["security"].is_array(), !public, "{path}");
    }
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert!(count >= 24 && names.len() == count, "{names:?}");
}
