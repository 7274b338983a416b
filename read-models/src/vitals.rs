//! Vital signs of patients over time, whichever visit they were measured in.

use chrono::{DateTime, Utc};
use events::{DomainEvent, PatientId, Recorded, VisitEvent, VisitId, VitalsId, visit::Measured};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Projection, stamp::Stamp, visit::Struck};

/// `read.vitals_1`: one row per set that was measured together.
pub struct Vitals;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VitalsRow {
    pub id: VitalsId,
    pub patient_id: PatientId,
    pub visit_id: VisitId,
    pub measured_at: DateTime<Utc>,
    /// Empty once erased.
    pub signs: Vec<Measured>,
    pub note: Option<String>,
    pub recorded: Stamp,
    /// The set, or the visit with all that is in it.
    pub entered_in_error: Option<Struck>,
    pub position: i64,
}

impl Projection for Vitals {
    const NAME: &'static str = "vitals";
    const REVISION: i32 = 1;
    const TABLE: &'static str = "read.vitals_1";
    const ONE_STREAM: bool = false;
    type Key = Uuid;
    type Row = VitalsRow;

    fn keys(event: &Recorded) -> Vec<Uuid> {
        match &event.event {
            DomainEvent::Visit(
                VisitEvent::VitalsRecorded { vitals, .. } | VisitEvent::VitalsEnteredInError { vitals, .. },
            ) => vec![vitals.0],
            DomainEvent::Visit(VisitEvent::VisitEnteredInError { vitals, .. }) => {
                vitals.iter().map(|vitals| vitals.0).collect()
            }
            _ => Vec::new(),
        }
    }

    fn fold(row: Option<VitalsRow>, key: &Uuid, event: &Recorded) -> Option<VitalsRow> {
        let DomainEvent::Visit(change) = &event.event else { return row };
        let mut row = match change {
            VisitEvent::VitalsRecorded { attendance, measured_at, sealed, .. } => VitalsRow {
                id: VitalsId(*key),
                patient_id: attendance.patient,
                visit_id: VisitId(event.stream.id),
                measured_at: *measured_at,
                signs: sealed.open().map(|measured| measured.signs.clone()).unwrap_or_default(),
                note: sealed.open().and_then(|measured| measured.note.clone()),
                recorded: Stamp::of(event),
                entered_in_error: None,
                position: event.position,
            },
            VisitEvent::VitalsEnteredInError { sealed, .. } | VisitEvent::VisitEnteredInError { sealed, .. } => {
                VitalsRow { entered_in_error: Some(Struck::of(sealed, event)), ..row? }
            }
            _ => return row,
        };
        row.position = event.position;
        Some(row)
    }
}

#[cfg(test)]
mod tests {
    use events::{
        OfficeId, Sealed,
        visit::{Attendance, VisitReason, VisitStatus},
    };

    use super::*;
    use crate::sample::History;

    #[test]
    fn a_visit_that_is_struck_out_takes_its_vitals_with_it() {
        let mut history = History::new();
        let (patient, office) = (PatientId(Uuid::from_u128(1)), OfficeId(Uuid::from_u128(2)));
        let day = "2026-03-02".parse().unwrap();
        let attendance = Attendance { patient, office, doctor: None, appointment: None, day };
        let visit = history.visit_opened(1, attendance, "a cough");
        let (vitals, sealed) = history.pulse(72.0, None, "sitting");
        let measured_at = history.now;
        history.visit(visit, VisitEvent::VitalsRecorded { attendance, vitals, measured_at, sealed });
        let row = history.row::<Vitals>(vitals.0).unwrap();
        assert_eq!((row.patient_id, row.visit_id, row.signs[0].value), (patient, visit, 72.0));
        assert_eq!(row.entered_in_error, None);
        let sealed = Sealed::Open(VisitReason { reason: Some("the wrong patient".into()) });
        let (was, vitals_of) = (VisitStatus::Arrived, vec![vitals]);
        history.visit(visit, VisitEvent::VisitEnteredInError { attendance, was, vitals: vitals_of, sealed });
        let struck = history.row::<Vitals>(vitals.0).unwrap().entered_in_error.unwrap();
        assert_eq!(struck.reason.as_deref(), Some("the wrong patient"));
        assert!(history.erased().row::<Vitals>(vitals.0).unwrap().signs.is_empty());
    }
}
