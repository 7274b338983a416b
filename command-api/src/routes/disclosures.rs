//! Accounting of disclosures (45 CFR 164.528): somebody outside the clinic was told something about a patient, by
//! whatever means, and an administrator says so. It goes into the access ledger, sealed with the patient's key.

use std::sync::Arc;

use aide::{
    axum::{ApiRouter, routing},
    transform::TransformOperation,
};
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use domain::{Refusal, values::Text};
use event_store::{AccessRecord, AppendError, Appended, Idempotency};
use events::{AccessEvent, PatientId, Position, Recorded, Role, access::Disclosure};
use http::{HeaderValue, StatusCode, header::CONTENT_TYPE, header::LOCATION};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{Capability, ClinicScope, Json, Need, Problem, headers::IDEMPOTENCY_REPLAYED};
use uuid::Uuid;

use crate::{
    app::App,
    execute::{Failure, KeyedCall},
    handle::{Answered, Ran, Sent, once},
    incoming::{Incoming, WithId},
};

const NAME: &str = "RecordDisclosure";

/// To whom data of a patient was disclosed outside the clinic, what and why. It is never changed: what was wrong is
/// said by a further one.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordDisclosure {
    recipient: Text<200>,
    /// Where it is known.
    address: Option<Text<500>>,
    /// What was disclosed, in short.
    description: Text<1000>,
    /// Why, or a copy of the request.
    statement: Text<2000>,
    /// When it was disclosed; now, where it is not said.
    occurred_at: Option<DateTime<Utc>>,
    /// Where an agency has stated that telling the patient would impede it: the patient is not shown the disclosure
    /// before (45 CFR 164.528(a)(2)).
    suspended_until: Option<DateTime<Utc>>,
}

/// The record that was made.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DisclosureAnswer {
    pub id: Uuid,
    /// In the access ledger.
    pub access_position: Position,
    pub events: Vec<String>,
}

impl DisclosureAnswer {
    fn of(disclosure: Uuid, recorded: &[Recorded]) -> Self {
        let access_position = recorded.last().map_or(0, |recorded| recorded.position);
        let events = recorded.iter().map(|recorded| recorded.event.event_type().to_owned()).collect();
        Self { id: disclosure, access_position, events }
    }

    fn write(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("plain data serialises")
    }
}

impl From<RecordDisclosure> for Disclosure {
    fn from(body: RecordDisclosure) -> Self {
        Self {
            recipient: body.recipient.into(),
            address: body.address.map(String::from),
            description: body.description.into(),
            statement: body.statement.into(),
        }
    }
}

/// The table of rights gives the audit trail to administrators and auditors; what an auditor finds there an auditor
/// does not add to.
async fn may_account(scope: &ClinicScope) -> Result<(), Problem> {
    scope.require(Capability::Audit, Need::Write).await?;
    match scope.has(Role::ClinicAdmin) {
        true => Ok(()),
        false => Err(scope.refuse(Capability::Audit, Need::Write).await),
    }
}

async fn record(
    State(app): State<App>,
    scope: ClinicScope,
    incoming: Incoming<RecordDisclosure, WithId>,
) -> Result<Response, Problem> {
    may_account(&scope).await?;
    let now = Utc::now();
    let occurred_at = incoming.body.value.occurred_at.unwrap_or(now);
    if occurred_at > now {
        return Err(Problem::invalid("/occurred_at", "A disclosure is accounted for once it has happened."));
    }
    let patient = PatientId(incoming.target.0);
    let sent = Sent {
        who: Some(&scope),
        method: incoming.method.clone(),
        path: &incoming.path,
        body: &incoming.body.bytes,
        key: incoming.key.0.as_deref(),
    };
    let give = |keyed, _| account(&app, &scope, patient, incoming.body.value.clone(), occurred_at, keyed);
    let answered = once(&app, &sent, Some(scope.user()), give).await.map_err(|ran| match ran {
        Ran::Forbidden => Problem::forbidden(),
        Ran::Problem(problem) => problem,
    })?;
    respond(&scope, answered)
}

async fn account(
    app: &App,
    scope: &ClinicScope,
    patient: PatientId,
    body: RecordDisclosure,
    occurred_at: DateTime<Utc>,
    keyed: Option<KeyedCall>,
) -> Result<(Vec<u8>, Vec<Recorded>), Failure> {
    if app.store().chart_version(scope.clinic(), patient).await?.read == 0 {
        return Err(Failure::Refused(Refusal::not_found("patient")));
    }
    let (disclosure, suspended_until) = (Uuid::now_v7(), body.suspended_until);
    let sealed = Disclosure::from(body).into();
    let record = AccessRecord {
        actor: scope.actor(),
        client: scope.client().clone(),
        purpose: scope.purpose(),
        correlation_id: scope.correlation_id(),
        operation: NAME.into(),
        event: AccessEvent::DisclosureRecorded { disclosure, patient, suspended_until, sealed },
        shown: Vec::new(),
    };
    let idempotency = keyed.map(|keyed| Idempotency {
        clinic: keyed.clinic,
        user: Some(scope.user()),
        key_hash: keyed.key_hash,
        fingerprint: keyed.fingerprint,
        answer_key: keyed.answer_key,
        answer: Arc::new(move |recorded| DisclosureAnswer::of(disclosure, recorded).write()),
    });
    let Appended { events, answer, .. } =
        app.store().record_once(scope.clinic(), record, occurred_at, idempotency).await.map_err(failed)?;
    Ok((answer.unwrap_or_else(|| DisclosureAnswer::of(disclosure, &events).write()), events))
}

fn failed(error: AppendError) -> Failure {
    match error {
        AppendError::KeyRecorded => Failure::KeyRecorded,
        AppendError::KeyDestroyed => Failure::Erased,
        other => Failure::Log(other),
    }
}

/// 201, and where the record is found; the record's position is the access ledger's, so there is no
/// `Casebook-Position`.
fn respond(scope: &ClinicScope, answered: Answered) -> Result<Response, Problem> {
    let answer: DisclosureAnswer = serde_json::from_slice(&answered.bytes).map_err(Problem::internal)?;
    let location = format!("/clinic/{}/api/v1/audit/access/{}", scope.slug(), answer.access_position);
    let mut response = (StatusCode::CREATED, [(CONTENT_TYPE, "application/json")], answered.bytes).into_response();
    let headers = response.headers_mut();
    headers.insert(LOCATION, HeaderValue::from_str(&location).map_err(Problem::internal)?);
    if answered.replayed {
        headers.insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

fn document(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation
        .id(NAME)
        .summary("Account for a disclosure")
        .description(
            "By an administrator: to whom outside the clinic data of the patient was disclosed, what and why (45 CFR \
             164.528). It is kept in the access ledger, sealed with the patient's key, and never changed.",
        )
        .tag("Audit")
        .response::<201, Json<DisclosureAnswer>>()
}

pub fn routes() -> ApiRouter<App> {
    let path = "/clinic/{slug}/api/v1/patients/{id}/disclosures";
    ApiRouter::new().api_route(path, routing::post_with(record, document))
}
