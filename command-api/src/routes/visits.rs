//! Commands on visits.

use aide::axum::ApiRouter;
use domain::{
    Visit, VisitCommand,
    visit::{
        ArriveVisit, AssignVisitDoctor, CancelVisit, CompleteTriage, CorrectDiagnosis, EnterDiagnosisInError,
        EnterVisitInError, EnterVitalsInError, FinishVisit, OpenVisit, PlanFollowUp, RecordChiefComplaint,
        RecordDiagnosis, RecordVitals, ReopenVisit, StartConsultation,
    },
};
use events::visit::VisitStatus;
use service_kit::{Authenticated, Capability, Limit};

use super::{
    collection::{Collection, creates},
    needs::Needs,
};
use crate::{app::App, execute::Reached};

/// Doctors.
const DOCTOR: Needs<Visit> = Needs::all(Capability::Visits);
/// Who opens visits at the desk.
const DESK: Needs<Visit> = Needs::within(Capability::Visits, &[(Limit::Open, waits)]);
/// Who receives the patient: the desk, and whoever does the triage.
const RECEPTION: Needs<Visit> = Needs::within(Capability::Visits, &[(Limit::Open, waits), (Limit::Triage, waits)]);
const TRIAGE: Needs<Visit> = Needs::within(Capability::Visits, &[(Limit::Triage, waits)]);
const VITALS: Needs<Visit> = Needs::all(Capability::Vitals);
const DIAGNOSIS: Needs<Visit> = Needs::all(Capability::Prescribe);

pub fn routes() -> ApiRouter<App> {
    Collection::of_clinic("/visits")
        .create::<OpenVisit>(DESK)
        .action::<ArriveVisit>("arrive", RECEPTION)
        .action::<RecordChiefComplaint>("chief-complaint", RECEPTION)
        .action::<RecordVitals>("vitals", VITALS)
        .action::<EnterVitalsInError>("enter-vitals-in-error", VITALS)
        .action::<CompleteTriage>("triage", TRIAGE)
        .action::<AssignVisitDoctor>("assign-doctor", RECEPTION)
        .action::<StartConsultation>("start", DOCTOR)
        .action::<RecordDiagnosis>("diagnoses", DIAGNOSIS)
        .action::<CorrectDiagnosis>("correct-diagnosis", DIAGNOSIS)
        .action::<EnterDiagnosisInError>("enter-diagnosis-in-error", DIAGNOSIS)
        .action::<PlanFollowUp>("follow-up", DOCTOR)
        .action::<FinishVisit>("finish", DOCTOR)
        .action::<ReopenVisit>("reopen", DOCTOR)
        .action::<CancelVisit>("cancel", DESK)
        .action::<EnterVisitInError>("enter-in-error", DOCTOR)
        .router()
}

/// Once the doctor sees the patient, the visit is the doctor's. One that is over is for the rules to refuse.
fn waits(_: &Authenticated, reached: &Reached<'_, Visit>) -> bool {
    match (reached.command, reached.state) {
        (VisitCommand::Open(_), _) | (_, None) => true,
        (_, Some(visit)) => visit.status != VisitStatus::InProgress,
    }
}

creates!(Visit: OpenVisit);
