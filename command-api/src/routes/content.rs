//! `PUT /documents/{id}/content`: the bytes of an announced document. They go to the object store while they come, and
//! the log hears of them once they are there, whole and right; of anything else it hears too, and nothing is kept.

use aide::{
    OperationInput,
    axum::{ApiRouter, routing},
    generate::GenContext,
    openapi::{MediaType, Operation, ReferenceOr, RequestBody},
    transform::TransformOperation,
};
use attachments::{Announced, ContentKey, NotReceived, Place, hear_out};
use axum::{
    body::Body,
    extract::{FromRequest, Request, State},
    response::Response,
};
use domain::{
    Document, DocumentCommand, Pseudonyms,
    document::{CompleteUpload, FailUpload, ReceiveContent, content_hash},
};
use event_store::StoreError;
use events::{DocumentId, document::UploadFailure};
use service_kit::{ClinicScope, Json, Problem, problem::RULE_REFUSED};
use uuid::Uuid;

use super::documents::CONTENT;
use crate::{
    answer::Answer,
    app::App,
    execute::{Call, Failure},
    handle::{self, Answered, Asked},
    incoming::WithId,
};

/// It may take longer than other answers: the template, as the router has it.
pub const LONG_ROUTE: &str = "/clinic/{slug}/api/v1/documents/{id}/content";

/// The name of the command on the events that an upload leaves.
const NAME: &str = "UploadDocumentContent";

/// A body that is read while it is stored.
pub struct Content(Body);

impl<S: Send + Sync> FromRequest<S> for Content {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        Ok(Self(request.into_body()))
    }
}

impl OperationInput for Content {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        let content = [("application/octet-stream".to_owned(), MediaType::default())].into_iter().collect();
        let description = Some("The bytes; of the announced media type, whatever the header says.".to_owned());
        let body = RequestBody { description, content, required: true, ..RequestBody::default() };
        operation.request_body = Some(ReferenceOr::Item(body));
    }
}

async fn put(
    State(app): State<App>,
    scope: ClinicScope,
    WithId(id): WithId,
    Content(body): Content,
) -> Result<Response, Problem> {
    let upload = match Upload::begin(app, scope, DocumentId(id)).await {
        Ok(upload) => upload,
        Err(problem) => {
            hear_out(body.into_data_stream()).await;
            return Err(problem);
        }
    };
    // It goes on when the client has gone: what did not come is recorded either way.
    let answered = tokio::spawn(upload.run(body)).await.map_err(Problem::internal)?;
    handle::respond(answered?, None)
}

/// One try to send the content of a document.
struct Upload {
    app: App,
    scope: ClinicScope,
    document: Document,
    place: Place,
    key: ContentKey,
    pseudonyms: Pseudonyms,
}

impl Upload {
    /// Refuses before anything is read.
    async fn begin(app: App, scope: ClinicScope, id: DocumentId) -> Result<Self, Problem> {
        let (clinic, vault) = (scope.clinic(), app.store().vault());
        handle::give_derived(&app, &scope, CONTENT, asked(&scope, id), ReceiveContent {}.into()).await?;
        let document = app.executor.state_of::<Document>(clinic, id.into()).await?;
        let document = document.ok_or_else(Problem::not_found)?;
        let place = Place { clinic, patient: document.patient, document: id, upload: Uuid::now_v7() };
        let key = place.key(vault).await.map_err(unreadable)?.ok_or_else(Problem::erased)?;
        let pseudonyms = Pseudonyms::new(&vault.clinic(clinic).await.map_err(unreadable)?.pseudonym_secret);
        Ok(Self { app, scope, document, place, key, pseudonyms })
    }

    async fn run(self, body: Body) -> Result<Answered, Problem> {
        let (size, media_type) = (self.document.size.cast_unsigned(), self.document.media_type.clone());
        let announced = Announced { size, media_type };
        let is_right = |sha256: &str| content_hash(&self.pseudonyms, sha256) == self.document.content_hash;
        let content = body.into_data_stream();
        let received = self.app.attachments.receive(&self.place, &self.key, &announced, content, is_right).await;
        match received {
            Ok(sha256) => self.complete(&sha256).await,
            Err(why) => Err(self.fail(why).await),
        }
    }

    async fn complete(&self, sha256: &str) -> Result<Answered, Problem> {
        let sha256 = sha256.parse().map_err(Problem::internal)?;
        let command = CompleteUpload { upload: self.place.upload, sha256 }.into();
        let asked = asked(&self.scope, self.place.document);
        let completed = handle::give_derived(&self.app, &self.scope, CONTENT, asked, command).await;
        // Where it is not known what became of it, whoever sweeps finds out.
        if let Err(problem) = &completed
            && problem.status().is_client_error()
            && let Err(error) = self.app.attachments.take_away(&self.place).await
        {
            tracing::warn!(%error, "an upload that was refused is left to the sweep");
        }
        completed
    }

    /// Gives the room back at once; if that cannot be, the sweep does it.
    async fn fail(&self, why: NotReceived) -> Problem {
        let failure = match why {
            NotReceived::Truncated(_) => UploadFailure::Truncated,
            NotReceived::TooLong => UploadFailure::TooLong,
            NotReceived::WrongHash => UploadFailure::WrongHash,
            NotReceived::WrongMediaType => UploadFailure::WrongMediaType,
            NotReceived::NotStored(_) => UploadFailure::NotStored,
        };
        let target = self.place.document.into();
        let mut call =
            Call::<Document>::new(self.place.clinic, target, NAME, DocumentCommand::from(FailUpload { failure }));
        call.purpose = self.scope.purpose();
        call.actor = self.scope.actor();
        call.client = self.scope.client().clone();
        call.correlation_id = self.scope.correlation_id();
        if let Err(error) = self.app.executor.execute(call).await {
            tracing::warn!(%error, "an upload that failed is left to the sweep");
        }
        problem(why, self.document.size)
    }
}

fn asked(scope: &ClinicScope, document: DocumentId) -> Asked {
    Asked::of(NAME, scope.clinic(), document.into())
}

fn unreadable(error: event_store::VaultError) -> Failure {
    StoreError::from(error).into()
}

fn problem(why: NotReceived, size: i64) -> Problem {
    const ANEW: &str = "Nothing of it is kept; announce the document anew.";
    let refused = |code, what: &str| Problem::new(RULE_REFUSED.case(code)).detail(format!("{what} {ANEW}"));
    match why {
        NotReceived::Truncated(received) => {
            refused("truncated", "The content ended before the announced size.").member("received", received)
        }
        NotReceived::TooLong => refused("too-long", "The content goes on after the announced size."),
        NotReceived::WrongHash => refused("wrong-hash", "The SHA-256 of the content is not the announced one."),
        NotReceived::WrongMediaType => {
            refused("wrong-media-type", "The content does not begin as the announced media type does.")
        }
        NotReceived::NotStored(error) => return Problem::unavailable("object store", error),
    }
    .member("size", size)
}

fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation
        .id(NAME)
        .summary("Send the content of a document")
        .description(
            "Once, whole, as it was announced: of another size, hash or media type it is refused (422, `code` says \
             which), nothing of it is kept, and the room that was reserved is given back.",
        )
        .tag("Documents")
        .response::<200, Json<Answer>>()
}

pub fn routes() -> ApiRouter<App> {
    ApiRouter::new().api_route(LONG_ROUTE, routing::put_with(put, describe))
}
