//! Orders of laboratory tests: what was asked for, and the specimens taken for it.

use chrono::{DateTime, Utc};
use events::{
    DoctorId, DomainEvent, LabOrderEvent, LabOrderId, LabReportId, Number, PatientId, Recorded, Sealed, SpecimenId,
    VisitId,
    lab_order::{LabOrderStatus, LabReason, LabRequest, LabTest, OrderPriority, SpecimenFault, TestKind},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Projection, stamp::Stamp};

/// `read.lab_order_1`: one row per order.
pub struct LabOrders;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LabOrderRow {
    pub id: LabOrderId,
    pub number: String,
    pub patient_id: PatientId,
    /// A draft has none.
    pub doctor_id: Option<DoctorId>,
    pub visit_id: Option<VisitId>,
    pub status: LabOrderStatus,
    pub priority: OrderPriority,
    /// Of each test, in their order; what else is known of them is in `tests`.
    pub kinds: Vec<TestKind>,
    /// Empty once erased.
    pub tests: Vec<LabTest>,
    /// The suspicion, the question.
    pub reason: Option<String>,
    pub specimens: Vec<SpecimenEntry>,
    /// The report that completed it.
    pub report_id: Option<LabReportId>,
    /// Ordered, or drafted.
    pub ordered_at: DateTime<Utc>,
    pub activated: Option<Stamp>,
    /// While it is on hold, and the last time it was.
    pub held: Option<LabStop>,
    pub revoked: Option<LabStop>,
    pub completed_at: Option<DateTime<Utc>>,
    pub version: i64,
    pub position: i64,
}

/// A specimen, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SpecimenEntry {
    pub id: SpecimenId,
    pub barcode: String,
    pub kind: TestKind,
    pub collected: Stamp,
    pub rejected: Option<Rejection>,
}

/// Why a specimen cannot be examined.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rejection {
    pub reason: SpecimenFault,
    /// In words.
    pub text: Option<String>,
    pub stamp: Stamp,
}

/// Who put an order on hold or revoked it, when and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LabStop {
    pub reason: Option<String>,
    pub stamp: Stamp,
}

impl LabStop {
    fn of(sealed: &Sealed<LabReason>, event: &Recorded) -> Self {
        Self { reason: words(sealed), stamp: Stamp::of(event) }
    }
}

impl Projection for LabOrders {
    const NAME: &'static str = "lab_order";
    const REVISION: i32 = 1;
    const TABLE: &'static str = "read.lab_order_1";
    const ONE_STREAM: bool = true;
    type Key = Uuid;
    type Row = LabOrderRow;

    fn keys(event: &Recorded) -> Vec<Uuid> {
        match event.event {
            DomainEvent::LabOrder(_) => vec![event.stream.id],
            _ => Vec::new(),
        }
    }

    fn fold(row: Option<LabOrderRow>, _: &Uuid, event: &Recorded) -> Option<LabOrderRow> {
        let DomainEvent::LabOrder(change) = &event.event else { return row };
        let mut row = match (row, change) {
            (None, LabOrderEvent::LabTestsDrafted { number, .. } | LabOrderEvent::LabTestsOrdered { number, .. }) => {
                made(number, change.patient(), event)
            }
            (row, _) => row?,
        };
        row.take(change, event);
        row.version = event.version;
        row.position = event.position;
        Some(row)
    }
}

fn made(number: &Number, patient: PatientId, event: &Recorded) -> LabOrderRow {
    LabOrderRow {
        id: LabOrderId(event.stream.id),
        number: number.as_str().to_owned(),
        patient_id: patient,
        doctor_id: None,
        visit_id: None,
        status: LabOrderStatus::Draft,
        priority: OrderPriority::Routine,
        kinds: Vec::new(),
        tests: Vec::new(),
        reason: None,
        specimens: Vec::new(),
        report_id: None,
        ordered_at: event.occurred_at,
        activated: None,
        held: None,
        revoked: None,
        completed_at: None,
        version: event.version,
        position: event.position,
    }
}

fn words(sealed: &Sealed<LabReason>) -> Option<String> {
    sealed.open().and_then(|why| why.reason.clone())
}

impl LabOrderRow {
    /// A specimen of that kind which was not rejected.
    pub fn good_specimen(&self, kind: TestKind) -> Option<&SpecimenEntry> {
        self.specimens.iter().find(|specimen| specimen.kind == kind && specimen.rejected.is_none())
    }

    fn take(&mut self, change: &LabOrderEvent, event: &Recorded) {
        match change {
            LabOrderEvent::LabTestsDrafted { visit, priority, kinds, sealed, .. } => {
                self.ask(*visit, *priority, kinds, sealed);
            }
            LabOrderEvent::LabTestsOrdered { doctor, visit, priority, kinds, sealed, .. } => {
                self.ask(*visit, *priority, kinds, sealed);
                self.activate(*doctor, event);
            }
            LabOrderEvent::LabOrderActivated { doctor, .. } => self.activate(*doctor, event),
            LabOrderEvent::SpecimenCollected { specimen, .. } => self.specimens.push(SpecimenEntry {
                id: specimen.id,
                barcode: specimen.barcode.clone(),
                kind: specimen.kind,
                collected: Stamp::of(event),
                rejected: None,
            }),
            LabOrderEvent::SpecimenRejected { specimen, reason, sealed, .. } => {
                let rejected = Rejection { reason: *reason, text: words(sealed), stamp: Stamp::of(event) };
                if let Some(entry) = self.specimens.iter_mut().find(|entry| entry.id == *specimen) {
                    entry.rejected = Some(rejected);
                }
            }
            LabOrderEvent::LabOrderHeld { sealed, .. } => {
                self.status = LabOrderStatus::OnHold;
                self.held = Some(LabStop::of(sealed, event));
            }
            LabOrderEvent::LabOrderReleased { .. } => self.status = LabOrderStatus::Active,
            LabOrderEvent::LabOrderRevoked { sealed, .. } => {
                self.status = LabOrderStatus::Revoked;
                self.revoked = Some(LabStop::of(sealed, event));
            }
            LabOrderEvent::LabOrderCompleted { report, .. } => {
                self.status = LabOrderStatus::Completed;
                (self.report_id, self.completed_at) = (Some(*report), Some(event.occurred_at));
            }
            LabOrderEvent::LabOrderReopened { .. } => {
                self.status = LabOrderStatus::Active;
                (self.report_id, self.completed_at) = (None, None);
            }
        }
    }

    fn ask(
        &mut self,
        visit: Option<VisitId>,
        priority: OrderPriority,
        kinds: &[TestKind],
        sealed: &Sealed<LabRequest>,
    ) {
        (self.visit_id, self.priority, self.kinds) = (visit, priority, kinds.to_vec());
        self.tests = sealed.open().map(|request| request.tests.clone()).unwrap_or_default();
        self.reason = sealed.open().and_then(|request| request.reason.clone());
    }

    fn activate(&mut self, doctor: DoctorId, event: &Recorded) {
        self.status = LabOrderStatus::Active;
        (self.doctor_id, self.activated) = (Some(doctor), Some(Stamp::of(event)));
    }
}

#[cfg(test)]
mod tests {
    use events::lab_order::Specimen;

    use super::*;
    use crate::sample::History;

    #[test]
    fn a_rejected_specimen_stays_with_its_reason() {
        let mut history = History::new();
        let patient = history.registered("Asha");
        let order = history.lab_ordered(patient);
        let specimen =
            |n: u128| Specimen { id: SpecimenId(Uuid::from_u128(n)), barcode: format!("B-{n}"), kind: TestKind::Blood };
        history.lab_order(order, LabOrderEvent::SpecimenCollected { patient, specimen: specimen(1) });
        let sealed = Sealed::Open(LabReason { reason: Some("pink all over".into()) });
        let (specimen_id, reason) = (specimen(1).id, SpecimenFault::Haemolysed);
        let rejected = LabOrderEvent::SpecimenRejected { patient, specimen: specimen_id, reason, sealed };
        history.lab_order(order, rejected);
        history.lab_order(order, LabOrderEvent::SpecimenCollected { patient, specimen: specimen(2) });
        let row = history.row::<LabOrders>(order.0).unwrap();
        assert_eq!(row.specimens.len(), 2);
        let rejection = row.specimens[0].rejected.as_ref().unwrap();
        assert_eq!((rejection.reason, rejection.text.as_deref()), (reason, Some("pink all over")));
        assert_eq!(row.good_specimen(TestKind::Blood).unwrap().barcode, "B-2");
        assert_eq!((row.status, row.version), (LabOrderStatus::Active, 4));
    }

    #[test]
    fn an_order_that_was_completed_may_wait_again() {
        let mut history = History::new();
        let patient = history.registered("Asha");
        let order = history.lab_ordered(patient);
        let report = LabReportId(history.fresh());
        history.lab_order(order, LabOrderEvent::LabOrderCompleted { patient, report });
        let row = history.row::<LabOrders>(order.0).unwrap();
        assert_eq!((row.status, row.report_id), (LabOrderStatus::Completed, Some(report)));
        history.lab_order(order, LabOrderEvent::LabOrderReopened { patient, report });
        let row = history.row::<LabOrders>(order.0).unwrap();
        assert_eq!((row.status, row.report_id, row.completed_at), (LabOrderStatus::Active, None, None));
    }

    #[test]
    fn once_erased_it_is_known_how_many_tests_there_were() {
        let mut history = History::new();
        let patient = history.registered("Asha");
        let order = history.lab_ordered(patient);
        let row = history.erased().row::<LabOrders>(order.0).unwrap();
        assert_eq!((row.tests.len(), row.kinds.len(), row.reason), (0, 1, None));
    }
}
