//! Export bundles: a clinic, a stretch of it, one person.

use std::sync::Arc;

use aide::{
    OperationOutput,
    axum::{ApiRouter, routing::get_with},
    generate::GenContext,
    openapi::{MediaType, Operation, Response as ApiResponse},
};
use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use events::{PatientId, access::Handout};
use http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{AsOf, Capability, Limit, Path, Problem, Query, json::NoFilters};
use tokio_util::io::ReaderStream;

use super::{ById, patients::one::visible};
use crate::{
    QueryState,
    disclosure::{Disclosed, hand_out},
    export::{Bundle, ExportError, Of, What},
    reader::{Live, Reader},
};

/// What takes longer than other answers: templates, as the router has them.
pub const LONG_ROUTES: &[&str] = &["/clinic/{slug}/api/v1/audit/export", "/clinic/{slug}/api/v1/patients/{id}/export"];

const ZIP: &str = "application/zip";
/// RFC 9530.
const REPR_DIGEST: &str = "repr-digest";

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Stretch {
    /// From this position of the record, or what was recorded from this instant on. Without it, from the beginning.
    from: Option<AsOf>,
    /// Up to this position of the record, or what was recorded up to this instant. Without it, to the end.
    to: Option<AsOf>,
}

/// A ZIP, sent from the file that it was made in.
#[derive(Debug)]
pub struct ZipFile {
    bundle: Bundle,
    name: String,
}

impl IntoResponse for ZipFile {
    fn into_response(self) -> Response {
        let digest = format!("sha-256=:{}:", BASE64_STANDARD.encode(self.bundle.sha256));
        let headers = [
            (CONTENT_TYPE.as_str(), ZIP.to_owned()),
            (CONTENT_LENGTH.as_str(), self.bundle.bytes.to_string()),
            (CONTENT_DISPOSITION.as_str(), format!("attachment; filename=\"{}\"", self.name)),
            (REPR_DIGEST, digest),
        ];
        let file = tokio::fs::File::from_std(self.bundle.file);
        (headers, Body::from_stream(ReaderStream::new(file))).into_response()
    }
}

impl OperationOutput for ZipFile {
    type Inner = Self;

    fn operation_response(_: &mut GenContext, _: &mut Operation) -> Option<ApiResponse> {
        let content = [(ZIP.to_owned(), MediaType::default())].into_iter().collect();
        Some(ApiResponse { description: "A bundle (docs/verification.md).".to_owned(), content, ..Default::default() })
    }

    fn inferred_responses(ctx: &mut GenContext, operation: &mut Operation) -> Vec<(Option<u16>, ApiResponse)> {
        Self::operation_response(ctx, operation).map(|response| (Some(200), response)).into_iter().collect()
    }
}

async fn of_clinic(
    Live(reader): Live,
    State(state): State<QueryState>,
    Query(stretch): Query<Stretch>,
) -> Result<Disclosed<ZipFile>, Problem> {
    if !reader.may_read(Capability::Export).await?.is_everything() {
        return Err(reader.refuse(Capability::Export).await);
    }
    let what = match (stretch.from, stretch.to) {
        (None, None) => What::Clinic,
        (from, to) => {
            let stretch = state.exporter.stretch(reader.scope().clinic(), from, to).await.map_err(failed)?;
            stretch.ok_or_else(|| Problem::parameter("to", "Nothing was recorded between these two."))?
        }
    };
    export(reader, &state, what, None).await
}

async fn of_patient(
    Live(reader): Live,
    State(state): State<QueryState>,
    Path(path): Path<ById>,
    _: Query<NoFilters>,
) -> Result<Disclosed<ZipFile>, Problem> {
    let patient = PatientId(path.id);
    let reach = reader.may_read(Capability::Export).await?;
    let is_own = reader.scope().patient() == Some(patient) && reach.covers(Limit::Own);
    if !(reach.is_everything() || reach.covers(Limit::OnePatient) || is_own) {
        return Err(reader.refuse(Capability::Export).await);
    }
    let group = visible(&reader, Capability::PatientRead, patient).await?.value.ids();
    export(reader, &state, What::Person(group), Some(patient)).await
}

async fn export(
    reader: Reader,
    state: &QueryState,
    what: What,
    patient: Option<PatientId>,
) -> Result<Disclosed<ZipFile>, Problem> {
    let of = Of { clinic: reader.scope().clinic(), slug: reader.scope().slug().to_owned() };
    let bundle = state.exporter.export(&of, &what, Arc::new(reader.clone())).await.map_err(failed)?;
    let name = match what {
        What::Person(_) => format!("{}-patient.zip", of.slug),
        What::Clinic | What::Range { .. } => format!("{}.zip", of.slug),
    };
    let (also, sha256) = match what {
        What::Person(group) => (group, bundle.sha256),
        What::Clinic | What::Range { .. } => (Vec::new(), bundle.sha256),
    };
    let file = ZipFile { bundle, name };
    hand_out(&reader, Handout::Export, Capability::Export, patient, also, Some(sha256), file).await
}

fn failed(error: ExportError) -> Problem {
    match error {
        ExportError::NotSignedYet => Problem::unavailable("first checkpoint", error),
        ExportError::Signed(error) => error.into(),
        ExportError::Sight(problem) => problem,
        other => Problem::internal(other),
    }
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new()
        .api_route(
            "/audit/export",
            get_with(of_clinic, |op| {
                op.id("exportClinic").tag("Audit").summary("A bundle that proves itself").description(
                    "Both ledgers of the clinic, whole or a stretch of them, with checkpoints and public keys, as a \
                     ZIP that `casebook-verify` checks without this server. Sealed parts come with the key of their \
                     event where the asker's other rights show them; rows of restricted records that the asker does \
                     not see come as hashes. 503 in the first minute of a clinic: nothing of it is signed yet.",
                )
            }),
        )
        .api_route(
            "/patients/{id}/export",
            get_with(of_patient, |op| {
                op.id("exportPatient").tag("Patients").summary("A chart that proves itself").description(
                    "Every event of one person's chart, and the accesses that name the person, each with a proof that \
                     it is in the clinic's ledger, and a proof that none of the events is missing.",
                )
            }),
        )
}
