//! Documents people can hold: `GET /prescriptions/{id}/pdf` and its like. What is shown is what the resource itself shows to
//! whoever asks; each print is in the access ledger, durably, before the first byte is sent.

mod desk;
mod invoice;
mod lab_report;
mod prescription;
mod press;
mod visit;

use aide::{
    OperationOutput,
    axum::{ApiRouter, routing::get_with},
    generate::GenContext,
    openapi::{MediaType, Operation, Response as ApiResponse},
};
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use events::{Position, access::Handout};
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use printing::Document;
use read_models::{Invoices, LabReports, Prescriptions, Visits};
use service_kit::{Path, Problem, Query, headers::position_header};

pub use press::Press;

use self::desk::Desk;
use crate::{
    QueryState,
    clinical::{ClinicalResource, Shown, shown, tag},
    disclosure::{Disclosed, hand_out},
    reader::Live,
    routes::{ById, patients::one::When},
};

const PDF: &str = "application/pdf";

/// A resource of a patient's record that is printed.
trait Printable: ClinicalResource {
    /// What of it is worth saying in the documentation.
    const SAYS: &'static str;
    /// As in a sentence: `lab report`.
    const PRINTED: &'static str;

    /// The sheet of what the resource answers to whoever asks; `version` of it.
    fn document(
        answer: Self::Answer,
        version: i64,
        desk: &Desk<'_>,
    ) -> impl Future<Output = Result<Document, Problem>> + Send;
}

/// A PDF under the document's own number.
#[derive(Debug)]
pub struct PdfFile {
    bytes: Vec<u8>,
    name: String,
    position: Position,
}

impl IntoResponse for PdfFile {
    fn into_response(self) -> Response {
        let headers = [
            (CONTENT_TYPE, PDF.to_owned()),
            // The patient's name is nobody's business but the reader's: a proxy may write headers down.
            (CONTENT_DISPOSITION, format!("inline; filename=\"{}.pdf\"", self.name)),
            // Each print is recorded; one out of a cache would not be.
            (CACHE_CONTROL, "no-store".to_owned()),
        ];
        (headers, [position_header(self.position)], self.bytes).into_response()
    }
}

impl OperationOutput for PdfFile {
    type Inner = Self;

    fn operation_response(_: &mut GenContext, _: &mut Operation) -> Option<ApiResponse> {
        let content = [(PDF.to_owned(), MediaType::default())].into_iter().collect();
        Some(ApiResponse { description: "The document, on A4.".to_owned(), content, ..Default::default() })
    }

    fn inferred_responses(ctx: &mut GenContext, operation: &mut Operation) -> Vec<(Option<u16>, ApiResponse)> {
        Self::operation_response(ctx, operation).map(|response| (Some(200), response)).into_iter().collect()
    }
}

async fn pdf<R: Printable>(
    Live(reader): Live,
    State(state): State<QueryState>,
    Path(path): Path<ById>,
    Query(when): Query<When>,
) -> Result<Disclosed<PdfFile>, Problem> {
    let Shown { row, group, sight, past } = shown::<R>(&reader, path.id, when.as_of).await?;
    let (place, position) = (R::place(&row.value), row.position);
    let desk = Desk::of(&reader, past.as_ref(), &group).await?;
    let document = R::document(R::answer(row.value, &sight), place.version, &desk).await?;
    let name = file_name(&document.sheet().number, path.id);
    let bytes = state.press.print(document).await?;
    let file = PdfFile { bytes, name, position };
    // Its hash stays out of the ledger, as that of every paper: it would outlive the person's erasure.
    hand_out(&reader, Handout::Print, R::CAPABILITY, Some(place.patient), group.ids(), None, file).await
}

/// The document's number, or its id where it has none yet.
fn file_name(number: &str, id: uuid::Uuid) -> String {
    let is_plain = number.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if is_plain && number.contains('-') { number.to_owned() } else { id.to_string() }
}

fn route<R: Printable>() -> ApiRouter<QueryState> {
    let (collection, name) = (R::COLLECTION, R::SINGULAR);
    ApiRouter::new().api_route(
        &format!("/{collection}/{{id}}/pdf"),
        get_with(pdf::<R>, |op| {
            op.id(&format!("get{name}Pdf"))
                .tag(&tag(R::PLURAL))
                .summary(&format!("The {} as PDF", R::PRINTED))
                .description(&format!(
                    "On A4, with the clinic's name, logo and numbers, and the patient's on every page. It shows what the \
                     resource itself shows to whoever asks, and says across the page where that does not stand: a \
                     draft, something cancelled or entered in error, an earlier state (`as_of`). {} Each answer is \
                     recorded in the access ledger as a print, before it is sent. Few are set at once: 503 `press-busy` \
                     says when to come again.",
                    R::SAYS
                ))
        }),
    )
}

pub(crate) fn routes() -> ApiRouter<QueryState> {
    route::<Prescriptions>().merge(route::<Invoices>()).merge(route::<LabReports>()).merge(route::<Visits>())
}
