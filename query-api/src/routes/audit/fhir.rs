//! The trail as a FHIR Bundle of AuditEvents, for an audit record repository.

use aide::{
    OperationOutput,
    axum::{ApiRouter, routing::get_with},
    generate::GenContext,
    openapi::{Operation, Response as ApiResponse},
};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header::CONTENT_TYPE};
use serde_json::{Map, Value, json};
use service_kit::{Json, ListQuery, Problem, page::List};

use super::trail::may_audit;
use crate::{
    QueryState,
    audit::{AuditEntry, AuditFilters, Part, audit_events, entries, tell},
    disclosure::{Disclosed, disclose_audit},
    reader::Live,
    scope::Reflected,
};

const JSON: &str = "application/json";
const FHIR_JSON: &str = "application/fhir+json";

/// A page of the trail, and the clinic that it is of.
pub struct Bundle {
    page: List<AuditEntry>,
    site: String,
}

impl IntoResponse for Bundle {
    fn into_response(self) -> Response {
        let events = self.page.items().iter().flat_map(|entry| audit_events(entry, &self.site));
        let entries: Vec<Value> = events.map(|event| json!({"resource": event})).collect();
        let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": entries});
        let mut response = Json(bundle).into_response();
        // The position, and the address of the next page.
        let of_page = self.page.into_response().into_parts().0.headers;
        for (name, value) in of_page.iter().filter(|(name, _)| *name != CONTENT_TYPE) {
            response.headers_mut().insert(name.clone(), value.clone());
        }
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(FHIR_JSON));
        response
    }
}

fn as_fhir(mut response: ApiResponse) -> ApiResponse {
    if let Some(body) = response.content.swap_remove(JSON) {
        response.content.insert(FHIR_JSON.to_owned(), body);
    }
    response
}

impl OperationOutput for Bundle {
    type Inner = Map<String, Value>;

    fn operation_response(ctx: &mut GenContext, operation: &mut Operation) -> Option<ApiResponse> {
        Json::<Self::Inner>::operation_response(ctx, operation).map(as_fhir)
    }

    fn inferred_responses(ctx: &mut GenContext, operation: &mut Operation) -> Vec<(Option<u16>, ApiResponse)> {
        let responses = Json::<Self::Inner>::inferred_responses(ctx, operation);
        responses.into_iter().map(|(status, response)| (status, as_fhir(response))).collect()
    }
}

async fn fhir(Live(reader): Live, query: ListQuery<AuditFilters>) -> Result<Disclosed<Bundle>, Problem> {
    may_audit(&reader).await?;
    let Reflected { value: rows, position } = entries(&reader, Part::Trail, &query).await?;
    let entries = tell(&reader, rows, true).await?;
    let page = query.answer(entries, position, |entry| entry.last);
    let (count, site) = (page.items().len(), reader.scope().slug().to_owned());
    disclose_audit(&reader, "fhir", query.filters.patient, count, Bundle { page, site }).await
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new().api_route(
        "/audit/fhir",
        get_with(fhir, |op| {
            op.id("listAuditEventsAsFhir").tag("Audit").summary("The trail as FHIR AuditEvents").description(
                "Both ledgers, with the filters and pages of the trail, as a FHIR R4 Bundle of AuditEvents after IHE \
                 BALP: for a search or a list, one for each patient whom it showed. Without values of changes.",
            )
        }),
    )
}
