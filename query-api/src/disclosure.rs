//! The one door through which a patient's data is answered. What passes it is in the access ledger, durably, before
//! the first byte is sent; what cannot be recorded is not shown.

mod asked;
mod ledger;
mod subjects;

use aide::{
    OperationOutput,
    generate::GenContext,
    openapi::{Operation, Response as ApiResponse},
};
pub(crate) use asked::Asked;
use axum::response::{IntoResponse, Response};
use event_store::{AccessRecord, Hash};
use events::{AccessEvent, PatientId, Purpose, access::Handout};
pub use ledger::Ledger;
use service_kit::{Capability, Problem, Resource, page::List};
pub use subjects::Subjects;

use self::subjects::About;
use crate::{reader::Reader, scope::Reflected};

/// An answer that may be sent: only [`disclose`] and [`disclose_audit`] make one.
#[derive(Clone, Debug)]
pub struct Disclosed<T>(T);

/// What an answer knows of what it shows.
pub trait Answer {
    /// The version of the resource that the path names.
    fn version(&self) -> Option<i64> {
        None
    }
}

impl<T> Answer for Resource<T> {
    fn version(&self) -> Option<i64> {
        Some(self.etag().version)
    }
}

impl<T> Answer for Reflected<T> {}
impl<T> Answer for List<T> {}

/// Lets an answer go out that shows data of these patients, once that is recorded; 503 where it cannot be. `category`
/// is what kind of data it is. Who, operation, resource, parameters and moment are the request's own; so is the broken
/// glass, under which whatever is shown of that patient is shown for emergency treatment.
pub async fn disclose<T: Answer>(
    reader: &Reader,
    category: Capability,
    subjects: Subjects,
    answer: T,
) -> Result<Disclosed<T>, Problem> {
    let count = subjects.count() as u64;
    let about = About {
        category,
        resource: reader.asked().resource(answer.version()),
        parameters: reader.parameters().await?,
        moment: reader.moment(),
        emergency: subjects.person_shown().and_then(|ids| reader.emergency(&ids)),
    };
    let purpose = match about.emergency {
        Some(_) => Purpose::Etreat,
        None => reader.scope().purpose(),
    };
    let (event, shown) = subjects.recorded(about);
    record(reader, purpose, event, shown).await?;
    metrics::counter!("casebook_patients_shown_total", "category" => category.to_string()).increment(count);
    Ok(Disclosed(answer))
}

/// Lets an answer go out that shows so many entries of the audit trail, once that is recorded; 503 where it cannot be.
/// `part` is which part of the trail, `patient` the one whose entries were asked for.
pub(crate) async fn disclose_audit<T>(
    reader: &Reader,
    part: impl ToString,
    patient: Option<PatientId>,
    entries: usize,
    answer: T,
) -> Result<Disclosed<T>, Problem> {
    disclose_audit_of(reader, part, patient, Vec::new(), entries, answer).await
}

/// The same, where the entries show data of `shown`: what changed in their records.
pub(crate) async fn disclose_audit_of<T>(
    reader: &Reader,
    part: impl ToString,
    patient: Option<PatientId>,
    shown: Vec<PatientId>,
    entries: usize,
    answer: T,
) -> Result<Disclosed<T>, Problem> {
    let (part, count) = (part.to_string(), entries as i64);
    let parameters = reader.parameters().await?;
    let event = AccessEvent::AuditRead { part, patient, parameters, count, patients_sha256: None };
    record(reader, reader.scope().purpose(), event, shown).await?;
    Ok(Disclosed(answer))
}

/// Lets a file go out, once that is recorded, with its hash where it may be kept; 503 where it cannot be. `patient` is the
/// one whom it is about, `group` all ids of that person; without one, it is about the clinic.
pub(crate) async fn hand_out<T>(
    reader: &Reader,
    handout: Handout,
    category: Capability,
    patient: Option<PatientId>,
    group: Vec<PatientId>,
    sha256: Option<Hash>,
    answer: T,
) -> Result<Disclosed<T>, Problem> {
    let purpose = match reader.emergency(&group) {
        Some(_) => Purpose::Etreat,
        None => reader.scope().purpose(),
    };
    let event = AccessEvent::HandedOut {
        handout,
        patient,
        category: category.to_string(),
        resource: reader.asked().resource(None),
        parameters: reader.parameters().await?,
        sha256: sha256.map(hex::encode),
        patients_sha256: None,
    };
    let also = group.into_iter().filter(|id| Some(*id) != patient).collect();
    record(reader, purpose, event, also).await?;
    Ok(Disclosed(answer))
}

/// Writes a record of what this request does into the access ledger of its clinic, and returns once it is durable;
/// 503 where it cannot be. `shown` are the patients whom the event does not name itself.
async fn record(reader: &Reader, purpose: Purpose, event: AccessEvent, shown: Vec<PatientId>) -> Result<(), Problem> {
    let scope = reader.scope();
    let record = AccessRecord {
        actor: scope.actor(),
        client: scope.client().clone(),
        purpose,
        correlation_id: scope.correlation_id(),
        operation: scope.operation().to_owned().into(),
        event,
        shown,
    };
    reader.ledger().record(scope.clinic(), record).await.map_err(|error| Problem::unavailable("access ledger", error))
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
