//! The bytes of a document, whole or a stretch of them. Each hand-out is in the access ledger, durably, before the first
//! byte is sent.

use std::ops::Range;

use aide::{
    OperationOutput,
    axum::{ApiRouter, routing::get_with},
    generate::GenContext,
    openapi::{MediaType, Operation, Response as ApiResponse},
};
use attachments::{Content, Place, Unreadable};
use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use event_store::VaultError;
use events::{PatientId, access::Handout};
use futures::TryStreamExt;
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{
        ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_NONE_MATCH, IF_RANGE,
        RANGE,
    },
};
use http_range_header::{RangeUnsatisfiableError, parse_range_header};
use read_models::{DocumentRow, Documents};
use service_kit::{Capability, Path, Problem, Query, json::NoFilters, problem::RANGE_NOT_SATISFIABLE};
use uuid::Uuid;

use crate::{
    QueryState,
    clinical::{Found, find},
    disclosure::{Disclosed, hand_out},
    reader::{Live, Reader},
    routes::ById,
};

const BYTES: &str = "bytes";

/// What is answered: the content, or that the client has it.
#[derive(Debug)]
pub struct ContentFile {
    document: Uuid,
    media_type: String,
    size: u64,
    tag: String,
    /// The stretch, where not all of it was asked for.
    part: Option<Range<u64>>,
    /// `None`: the client has it already.
    content: Option<Content>,
}

impl IntoResponse for ContentFile {
    fn into_response(self) -> Response {
        let tag = (ETAG, self.tag);
        let Some(content) = self.content else { return (StatusCode::NOT_MODIFIED, [tag]).into_response() };
        let sent = self.part.as_ref().map_or(self.size, |part| part.end - part.start);
        let headers = [
            (CONTENT_TYPE, self.media_type),
            (CONTENT_LENGTH, sent.to_string()),
            // The title is nobody's business but the reader's: a proxy may write headers down.
            (CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", self.document)),
            (ACCEPT_RANGES, BYTES.to_owned()),
            tag,
        ];
        // Whoever reads it sees that it broke off.
        let failed =
            move |error: &Unreadable| tracing::error!(%error, document = %self.document, "a content broke off");
        let body = Body::from_stream(content.into_stream().inspect_err(failed));
        match self.part {
            None => (headers, body).into_response(),
            Some(Range { start, end }) => {
                let range = [(CONTENT_RANGE, format!("{BYTES} {start}-{}/{}", end - 1, self.size))];
                (StatusCode::PARTIAL_CONTENT, headers, range, body).into_response()
            }
        }
    }
}

impl OperationOutput for ContentFile {
    type Inner = Self;

    fn operation_response(_: &mut GenContext, _: &mut Operation) -> Option<ApiResponse> {
        let content = [("application/octet-stream".to_owned(), MediaType::default())].into_iter().collect();
        let description = "The bytes, with the media type of the document.".to_owned();
        Some(ApiResponse { description, content, ..Default::default() })
    }

    fn inferred_responses(ctx: &mut GenContext, operation: &mut Operation) -> Vec<(Option<u16>, ApiResponse)> {
        let whole = Self::operation_response(ctx, operation).unwrap_or_default();
        let part = ApiResponse { description: "The stretch that `Range` names.".to_owned(), ..whole.clone() };
        let unchanged = "What `If-None-Match` named is current.".to_owned();
        let unchanged = ApiResponse { description: unchanged, ..Default::default() };
        vec![(Some(200), whole), (Some(206), part), (Some(304), unchanged)]
    }
}

async fn content(
    Live(reader): Live,
    State(state): State<QueryState>,
    Path(path): Path<ById>,
    _: Query<NoFilters>,
    headers: HeaderMap,
) -> Result<Disclosed<ContentFile>, Problem> {
    let Found { row, group, .. } = find::<Documents>(&reader, path.id).await?;
    let row = row.value;
    let upload = row.upload.ok_or_else(|| Problem::not_found().detail("The content of this document is not there."))?;
    let tag = format!("\"{upload}\"");
    let (size, patient) = (row.size.cast_unsigned(), row.patient_id);
    let part = asked_for(&headers, size, &tag)?;
    let content = match has_already(&headers, &tag) {
        true => None,
        false => Some(open(&reader, &state, &row, upload, part.clone().unwrap_or(0..size)).await?),
    };
    let file = ContentFile { document: path.id, media_type: row.media_type, size, tag, part, content };
    hand_over(&reader, patient, group.ids(), file).await
}

/// The hash of what is shown stays out of the ledger: it would tell for ever who had a paper that others have too.
async fn hand_over(
    reader: &Reader,
    patient: PatientId,
    group: Vec<PatientId>,
    file: ContentFile,
) -> Result<Disclosed<ContentFile>, Problem> {
    hand_out(reader, Handout::Download, Capability::Documents, Some(patient), group, None, file).await
}

/// Its first bytes are opened by now: what was changed is an error and not an answer.
async fn open(
    reader: &Reader,
    state: &QueryState,
    row: &DocumentRow,
    upload: Uuid,
    part: Range<u64>,
) -> Result<Content, Problem> {
    let place = Place { clinic: reader.scope().clinic(), patient: row.patient_id, document: row.id, upload };
    let key = place.key(state.store.vault()).await.map_err(|error| match error {
        VaultError::ClinicKeyDestroyed => Problem::erased(),
        error => Problem::unavailable("keys", error),
    })?;
    let key = key.ok_or_else(Problem::erased)?;
    state.attachments.read(&place, key, row.size.cast_unsigned(), part).await.map_err(|error| match error {
        Unreadable::Store(error) => Problem::unavailable("object store", error),
        Unreadable::Altered | Unreadable::Missing => Problem::internal(error),
    })
}

/// The one stretch that is asked for. What is not understood, and several stretches at once, are as if nothing had been
/// asked for (RFC 9110, 14.2).
fn asked_for(headers: &HeaderMap, size: u64, tag: &str) -> Result<Option<Range<u64>>, Problem> {
    if headers.get(IF_RANGE).is_some_and(|known| known != tag) {
        return Ok(None);
    }
    let Some(range) = headers.get(RANGE).and_then(|range| range.to_str().ok()) else { return Ok(None) };
    let Ok(ranges) = parse_range_header(range) else { return Ok(None) };
    match ranges.validate(size) {
        Ok(ranges) => match ranges.as_slice() {
            [one] => Ok(Some(*one.start()..*one.end() + 1)),
            _ => Ok(None),
        },
        // More of its end than there is: all of it.
        Err(RangeUnsatisfiableError::FileSuffixOutOfBounds) => Ok(Some(0..size)),
        Err(RangeUnsatisfiableError::OverlappingRanges) => Ok(None),
        Err(_) => {
            let size = HeaderValue::try_from(format!("{BYTES} */{size}")).map_err(Problem::internal)?;
            Err(Problem::new(RANGE_NOT_SATISFIABLE).header(CONTENT_RANGE, size))
        }
    }
}

fn has_already(headers: &HeaderMap, tag: &str) -> bool {
    let values = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|known| known.trim() == tag || known.trim() == "*")
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new().api_route(
        "/documents/{id}/content",
        get_with(content, |op| {
            op.id("getDocumentContent").tag("Documents").summary("The content of a document").description(
                "As it was sent, decrypted while it is read; each download is recorded. `Range` asks for one stretch \
                 of it. `ETag` stays the same for ever, since a content never changes.",
            )
        }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(range: &str) -> Option<Option<Range<u64>>> {
        let headers = HeaderMap::from_iter([(RANGE, HeaderValue::try_from(range).unwrap())]);
        asked_for(&headers, 100, "\"a\"").ok()
    }

    #[test]
    fn one_stretch_is_answered_and_the_rest_of_the_grammar_is_not_asked_for() {
        assert_eq!(asked("bytes=0-9"), Some(Some(0..10)));
        assert_eq!(asked("bytes=90-"), Some(Some(90..100)));
        assert_eq!(asked("bytes=90-1000"), Some(Some(90..100)));
        assert_eq!(asked("bytes=-1"), Some(Some(99..100)));
        assert_eq!(asked("bytes=-1000"), Some(Some(0..100)));
        assert_eq!(asked("bytes=0-1,5-6"), Some(None));
        assert_eq!(asked("pages=1"), Some(None));
        assert_eq!(asked("bytes=100-"), None, "416");
    }

    #[test]
    fn a_stretch_of_another_content_is_all_of_this_one() {
        let headers = |tag: &'static str| {
            HeaderMap::from_iter([
                (RANGE, HeaderValue::from_static("bytes=0-9")),
                (IF_RANGE, HeaderValue::from_static(tag)),
            ])
        };
        assert_eq!(asked_for(&headers("\"a\""), 100, "\"a\"").unwrap(), Some(0..10));
        assert_eq!(asked_for(&headers("\"b\""), 100, "\"a\"").unwrap(), None);
    }
}
