//! The refusals of an operation, told by what it takes, so that none is forgotten; written once and referred to.

use aide::openapi::{Operation, Parameter, ReferenceOr, Response, StatusCode};

use crate::problem::Kind;

const COMPONENT: &str = "#/components/responses/";

/// A component for each status that a refusal can have: its description lists the codes.
pub(super) fn responses(problem: &Response, kinds: &[Kind]) -> Vec<(String, ReferenceOr<Response>)> {
    let mut statuses: Vec<u16> = kinds.iter().map(|kind| kind.status.as_u16()).collect();
    statuses.dedup();
    let response = |status: u16| {
        let description = describe(kinds.iter().filter(|kind| kind.status.as_u16() == status));
        (name(status), ReferenceOr::Item(Response { description, ..problem.clone() }))
    };
    statuses.into_iter().map(response).collect()
}

fn describe<'a>(kinds: impl Iterator<Item = &'a Kind>) -> String {
    kinds.map(|kind| format!("{} (`{}`).", kind.title, kind.code)).collect::<Vec<_>>().join(" ")
}

fn name(status: u16) -> String {
    format!("Problem{status}")
}

/// Adds those that the operation can answer with; one that it describes itself stays.
pub(super) fn document(path: &str, method: &str, operation: &mut Operation) {
    let statuses = statuses(path, method, operation);
    let responses = &mut operation.responses.get_or_insert_default().responses;
    for status in statuses {
        let reference = format!("{COMPONENT}{}", name(status));
        responses.entry(StatusCode::Code(status)).or_insert(ReferenceOr::ref_(&reference));
    }
    responses.sort_by(|one, _, other, _| one.to_string().cmp(&other.to_string()));
}

fn statuses(path: &str, method: &str, operation: &Operation) -> Vec<u16> {
    let needs_token = !operation.security.is_empty();
    let changes = method != "get";
    let is_conditional = takes_header(operation, "if-match");
    let can = [
        (400, changes || !operation.parameters.is_empty()),
        (401, needs_token),
        (403, needs_token),
        (404, path.contains('{')),
        (409, changes),
        (412, is_conditional),
        (422, changes),
        (428, is_conditional && matches!(method, "put" | "delete")),
        (429, changes),
        (503, true),
    ];
    can.into_iter().filter(|(_, can)| *can).map(|(status, _)| status).collect()
}

fn takes_header(operation: &Operation, name: &str) -> bool {
    let headers = operation.parameters.iter().filter_map(|parameter| match parameter {
        ReferenceOr::Item(Parameter::Header { parameter_data, .. }) => Some(&parameter_data.name),
        _ => None,
    });
    headers.into_iter().any(|header| header.eq_ignore_ascii_case(name))
}
