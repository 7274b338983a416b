//! Commands on documents. Their bytes come by [`content`](super::content).

use aide::axum::{ApiRouter, routing};
use axum::{extract::State, response::Response};
use domain::{
    Document, DocumentCommand,
    document::{
        ClassifyDocument, EnterDocumentInError, ReleaseDocument, ReviewDocument, SupersedeDocument, UploadDocument,
    },
};
use events::DocumentId;
use http::{
    HeaderValue,
    header::{LINK, LOCATION},
};
use service_kit::{Authenticated, Capability, ClinicScope, Limit, Problem};
use uuid::Uuid;

use super::{
    collection::{Collection, chosen_id},
    content,
    document::document,
    needs::Needs,
};
use crate::{
    app::App,
    execute::Reached,
    handle::{self, Asked},
    incoming::{Incoming, Whole},
};

const CAPABILITY: Capability = Capability::Documents;
const UPLOAD: Needs<Document> = Needs::within(
    CAPABILITY,
    &[
        (Limit::Administrative, is_administrative),
        (Limit::Laboratory, is_of_laboratory),
        // A receptionist scans whatever somebody brings.
        (Limit::Upload, is_any),
        (Limit::Own, is_own_patient),
    ],
);
/// Whoever announced it sends it.
pub(super) const CONTENT: Needs<Document> = Needs::within(
    CAPABILITY,
    &[
        (Limit::Administrative, is_administrative),
        (Limit::Laboratory, is_of_laboratory),
        (Limit::Upload, is_own_upload),
        (Limit::Own, is_own_upload),
    ],
);
const FILE: Needs<Document> =
    Needs::within(CAPABILITY, &[(Limit::Administrative, is_administrative), (Limit::Laboratory, is_of_laboratory)]);
/// Also whoever scanned it, as long as nobody has read it.
const STRIKE_OUT: Needs<Document> = Needs::within(
    CAPABILITY,
    &[
        (Limit::Administrative, is_administrative),
        (Limit::Laboratory, is_of_laboratory),
        (Limit::Upload, is_own_unread),
    ],
);
const RELEASE: Needs<Document> = Needs::within(CAPABILITY, &[(Limit::Administrative, is_administrative)]);
const REVIEW: Needs<Document> = Needs::all(CAPABILITY);

const COLLECTION: &str = "/clinic/{slug}/api/v1/documents";

pub fn routes() -> ApiRouter<App> {
    Collection::of_clinic("/documents")
        .action::<ClassifyDocument>("classify", FILE)
        .action::<SupersedeDocument>("supersede", FILE)
        .action::<ReviewDocument>("review", REVIEW)
        .action::<ReleaseDocument>("release", RELEASE)
        .action::<EnterDocumentInError>("enter-in-error", STRIKE_OUT)
        .router()
        .api_route(COLLECTION, routing::post_with(announce, document::<Document, UploadDocument>(201)))
        .merge(content::routes())
}

/// What an installation takes is its own to say, and no rule of a clinic.
async fn announce(
    State(app): State<App>,
    scope: ClinicScope,
    mut incoming: Incoming<UploadDocument, Whole>,
) -> Result<Response, Problem> {
    UPLOAD.check(&scope).await?;
    acceptable(&app, &incoming.body.value)?;
    incoming.body.value.upload_within = app.attachments.accepted().within;
    let chosen = chosen_id(incoming.body.value.id.map(Into::into))?;
    let target = DocumentId(chosen.unwrap_or_else(Uuid::now_v7)).into();
    let asked = Asked { fresh: chosen.is_none(), ..Asked::of("UploadDocument", scope.clinic(), target) };
    let collection = incoming.path.clone();
    let answered = handle::give(&app, &scope, UPLOAD, asked, incoming).await?;
    let mut response = handle::respond(answered, Some(&collection))?;
    if let Some(Ok(location)) = response.headers().get(LOCATION).map(HeaderValue::to_str) {
        // RFC 5023: where the content is sent to.
        let link = HeaderValue::try_from(format!("<{location}/content>; rel=\"edit-media\""));
        response.headers_mut().insert(LINK, link.map_err(Problem::internal)?);
    }
    Ok(response)
}

fn acceptable(app: &App, announced: &UploadDocument) -> Result<(), Problem> {
    let accepted = app.attachments.accepted();
    if announced.size.get().cast_unsigned() > accepted.bytes_max {
        let detail = format!("A content may have {} bytes at most.", accepted.bytes_max);
        return Err(Problem::invalid("/size", detail));
    }
    if !accepted.media_types.iter().any(|taken| taken == announced.media_type.as_str()) {
        let detail = format!("These media types are taken: {}.", accepted.media_types.join(", "));
        return Err(Problem::invalid("/media_type", detail));
    }
    Ok(())
}

fn is_administrative(_: &Authenticated, reached: &Reached<'_, Document>) -> bool {
    kinds(reached).all(events::document::DocumentKind::is_administrative)
}

fn is_of_laboratory(_: &Authenticated, reached: &Reached<'_, Document>) -> bool {
    kinds(reached).all(events::document::DocumentKind::is_of_laboratory)
}

/// What the document is, and what it is to be.
fn kinds(reached: &Reached<'_, Document>) -> impl Iterator<Item = events::document::DocumentKind> {
    let wanted = match reached.command {
        DocumentCommand::Upload(upload) => Some(upload.kind),
        DocumentCommand::Classify(classify) => classify.kind,
        _ => None,
    };
    reached.state.map(|document| document.kind).into_iter().chain(wanted)
}

fn is_any(_: &Authenticated, _: &Reached<'_, Document>) -> bool {
    true
}

fn is_own_patient(who: &Authenticated, reached: &Reached<'_, Document>) -> bool {
    match reached.command {
        DocumentCommand::Upload(upload) => Some(upload.patient_id) == who.patient(),
        _ => false,
    }
}

fn is_own_upload(who: &Authenticated, reached: &Reached<'_, Document>) -> bool {
    reached.state.is_some_and(|document| document.by == Some(who.user()))
}

fn is_own_unread(who: &Authenticated, reached: &Reached<'_, Document>) -> bool {
    is_own_upload(who, reached) && reached.state.is_some_and(|document| !document.is_reviewed)
}
