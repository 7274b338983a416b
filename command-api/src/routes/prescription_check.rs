//! What a prescriber is warned of while a draft is written. Nothing is recorded in the patient's record; that it was
//! shown is, in the access ledger, before it is shown.

use aide::transform::TransformOperation;
use axum::extract::State;
use domain::{
    Prescription,
    prescription::{Checked, IssuePrescription, check},
};
use event_store::AccessRecord;
use events::{
    AccessEvent, AggregateKind, PatientId, PrescriptionId, Purpose, Role,
    access::{Parameters, Shown},
    prescription::{Alert, AlertSeverity},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{Capability, ClinicScope, Json, Need, Problem};

use super::prescriptions::DRAFT;
use crate::{
    app::App,
    execute::Call,
    handle,
    incoming::{Incoming, WithId},
};

const NAME: &str = "CheckPrescription";

/// Nothing but the address says which draft it is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckPrescription {}

/// What there is to be feared of a draft, as its patient's record stands now.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CheckedPrescription {
    /// Whether an alert holds it back.
    may_be_issued: bool,
    /// The worst first.
    alerts: Vec<CheckedAlert>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
struct CheckedAlert {
    #[serde(flatten)]
    alert: Alert,
    overridden: bool,
}

impl CheckedPrescription {
    fn of(checked: Checked) -> Self {
        let alerts = checked.alerts.into_iter().map(|(alert, overridden)| CheckedAlert { alert, overridden });
        let alerts: Vec<CheckedAlert> = alerts.collect();
        let holds_back = |alert: &CheckedAlert| alert.alert.severity == AlertSeverity::Severe && !alert.overridden;
        Self { may_be_issued: !alerts.iter().any(holds_back), alerts }
    }
}

pub(super) async fn check(
    State(app): State<App>,
    scope: ClinicScope,
    incoming: Incoming<CheckPrescription, WithId>,
) -> Result<Json<CheckedPrescription>, Problem> {
    DRAFT.check(&scope).await?;
    let emergencies = handle::must_stand(&app, &scope).await?;
    let id = PrescriptionId(incoming.target.0);
    // What issuing would rest on.
    let issue = IssuePrescription { refills: None, valid_until: None };
    let mut call = Call::<Prescription>::new(scope.clinic(), id.into(), NAME, issue.into());
    call.actor = scope.actor();
    let checked = app.executor.look(&call, check::check).await?;
    let is_emergency = checked.group.iter().any(|patient| emergencies.contains(patient));
    let sees_restricted = scope.has(Role::Doctor) || scope.has(Role::ClinicAdmin) || is_emergency;
    if checked.restricted && !sees_restricted {
        return Err(scope.refuse(Capability::Prescribe, Need::Read).await);
    }
    let purpose = if is_emergency { Purpose::Etreat } else { scope.purpose() };
    record(&app, &scope, id, &checked, purpose).await?;
    Ok(Json(CheckedPrescription::of(checked)))
}

/// Who was shown what of whom; 503 where it cannot be recorded.
async fn record(
    app: &App,
    scope: &ClinicScope,
    id: PrescriptionId,
    checked: &Checked,
    purpose: Purpose,
) -> Result<(), Problem> {
    let also: Vec<PatientId> = checked.group.iter().copied().filter(|id| *id != checked.patient).collect();
    let record = AccessRecord {
        actor: scope.actor(),
        client: scope.client().clone(),
        purpose,
        correlation_id: scope.correlation_id(),
        operation: scope.operation().to_owned().into(),
        shown: also.clone(),
        event: AccessEvent::PatientShown {
            patient: checked.patient,
            also,
            category: Capability::Prescribe.to_string(),
            resource: Some(Shown { kind: AggregateKind::Prescription, id: id.0, version: None }),
            parameters: Parameters::new(),
            moment: None,
            emergency: None,
        },
    };
    let recorded = app.store().record_access(scope.clinic(), record).await;
    recorded.map(drop).map_err(|error| Problem::unavailable("access ledger", error))
}

pub(super) fn document(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation
        .id(NAME)
        .tag("Prescriptions")
        .summary("Check a draft")
        .description(
            "Answers what issuing the draft now would warn of: allergies of the patient, by ingredient and by class, \
             ingredients that they take already, interactions, doses out of the usual range. Nothing is recorded in the \
             patient's record.",
        )
        .response::<200, Json<CheckedPrescription>>()
}
