//! The picture that a clinic prints on its documents.

use aide::{
    OperationOutput,
    axum::{ApiRouter, routing::get_with},
    generate::GenContext,
    openapi::{MediaType, Operation, Response as ApiResponse},
};
use axum::response::{IntoResponse, Response};
use base64::{Engine, prelude::BASE64_STANDARD};
use events::Position;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use read_models::ClinicLogoRow;
use service_kit::{Capability, Problem, Query, headers::position_header, json::NoFilters};

use crate::{QueryState, reader::Reader, scope::Select, sql::Sql};

pub(super) const MODEL: &str = "clinic_logo_1";

/// A picture, as it was set.
#[derive(Debug)]
pub struct LogoFile {
    media_type: String,
    bytes: Vec<u8>,
    position: Position,
}

impl IntoResponse for LogoFile {
    fn into_response(self) -> Response {
        let headers = [
            (CONTENT_TYPE, self.media_type.as_str()),
            // A picture and nothing else, whatever a browser makes of its bytes.
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        ];
        (headers, [position_header(self.position)], self.bytes).into_response()
    }
}

impl OperationOutput for LogoFile {
    type Inner = Self;

    fn operation_response(_: &mut GenContext, _: &mut Operation) -> Option<ApiResponse> {
        let content = [("image/*".to_owned(), MediaType::default())].into_iter().collect();
        Some(ApiResponse { description: "A PNG or a JPEG.".to_owned(), content, ..Default::default() })
    }

    fn inferred_responses(ctx: &mut GenContext, operation: &mut Operation) -> Vec<(Option<u16>, ApiResponse)> {
        Self::operation_response(ctx, operation).map(|response| (Some(200), response)).into_iter().collect()
    }
}

async fn logo(reader: Reader, _: Query<NoFilters>) -> Result<LogoFile, Problem> {
    reader.may_read(Capability::ClinicProfile).await?;
    let sql = Sql::new("l.* FROM read.clinic_logo_1 l WHERE l.clinic_id = s.clinic AND l.id = s.clinic");
    let read = reader.one::<ClinicLogoRow>(Select::new(&[MODEL], sql)).await?.found()?;
    let logo = read.value.logo.ok_or_else(Problem::not_found)?;
    let bytes = BASE64_STANDARD.decode(&logo.data).map_err(Problem::internal)?;
    Ok(LogoFile { media_type: logo.media_type, bytes, position: read.position })
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new().api_route(
        "/logo",
        get_with(logo, |op| {
            op.id("getLogo").tag("Clinic").summary("The picture that the clinic prints on its documents").description(
                "404 where it has none. `printed_logo` of the clinic says whether there is one, and its hash.",
            )
        }),
    )
}
