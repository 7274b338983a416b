//! The one door through which a patient's data is answered. What passes it is known to be shown, to whom and
//! about whom, before the first byte is sent: here is where the access ledger is written.

use aide::{
    OperationOutput,
    generate::GenContext,
    openapi::{Operation, Response as ApiResponse},
};
use axum::response::{IntoResponse, Response};
use events::PatientId;
use service_kit::{Capability, Problem};

use crate::reader::Reader;

/// An answer that may be sent: only [`disclose`] makes one.
#[derive(Clone, Debug)]
pub struct Disclosed<T>(T);

/// Lets an answer go out that shows data of these patients. `category` is what kind of data it is.
pub async fn disclose<T>(
    reader: &Reader,
    category: Capability,
    patients: &[PatientId],
    answer: T,
) -> Result<Disclosed<T>, Problem> {
    metrics::counter!("casebook_patients_shown_total", "category" => category.to_string())
        .increment(patients.len() as u64);
    tracing::debug!(correlation_id = %reader.scope().correlation_id(), %category, shown = patients.len(), "disclosed");
    Ok(Disclosed(answer))
}

impl<T: IntoResponse> IntoResponse for Disclosed<T> {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

impl<T: OperationOutput> OperationOutput for Disclosed<T> {
    type Inner = T::Inner;

    fn operation_response(ctx: &mut GenContext, operation: &mut Operation) -> Option<ApiResponse> {
        T::operation_response(ctx, operation)
    }

    fn inferred_responses(ctx: &mut GenContext, operation: &mut Operation) -> Vec<(Option<u16>, ApiResponse)> {
        T::inferred_responses(ctx, operation)
    }
}
