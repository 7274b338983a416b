//! Prescriptions: what was drafted, what was issued, what was handed out, and how each ended.

use chrono::{DateTime, NaiveDate, Utc};
use events::{
    DoctorId, DomainEvent, PatientId, PrescriptionEvent, PrescriptionId, PrescriptionItemId, Recorded, Sealed, UserId,
    VisitId,
    medicine::MedicineEntry,
    prescription::{
        Alert, AlertId, AlertKind, AlertSeverity, Amount, Issued, Overridden, OverrideReason, PrescriptionReason,
        PrescriptionStatus, Regimen, StatusReason, Supply,
    },
};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Projection;

/// `read.prescription_1`: one row per prescription.
pub struct Prescriptions;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PrescriptionRow {
    pub id: PrescriptionId,
    /// Given when it is issued.
    pub number: Option<String>,
    pub patient_id: PatientId,
    /// Who issued it, or is to.
    pub doctor_id: Option<DoctorId>,
    pub visit_id: Option<VisitId>,
    /// The prescription that ended, or is to end, with this one's issue.
    pub replaces: Option<PrescriptionId>,
    pub replaced_by: Option<PrescriptionId>,
    pub status: PrescriptionStatus,
    /// Why it was paused, stopped or withdrawn, as a code.
    pub status_reason: Option<StatusReason>,
    /// The same in words, also of what was struck out.
    pub status_text: Option<String>,
    pub items: Vec<PrescriptionLine>,
    /// What the prescriber was warned of when it was issued.
    pub alerts: Vec<Alert>,
    pub overrides: Vec<AlertOverride>,
    pub dispensed: Vec<Dispensing>,
    pub refills_authorised: i64,
    pub refills_used: i64,
    /// The last day on which anything is handed out.
    pub valid_until: Option<NaiveDate>,
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was put on paper.
    pub prints: Vec<DateTime<Utc>>,
    pub drafted_at: DateTime<Utc>,
    pub issued_at: Option<DateTime<Utc>>,
    /// When it reached its final status.
    pub ended_at: Option<DateTime<Utc>>,
    pub version: i64,
    pub position: i64,
}

/// A line of a prescription.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PrescriptionLine {
    pub id: PrescriptionItemId,
    /// Which medicine, and how it is taken; empty once erased.
    pub regimen: Option<Regimen>,
    pub supply: Supply,
    /// What the catalogue said of the medicine when it was issued.
    pub entry: Option<MedicineEntry>,
    /// What has been handed out, in the unit of the quantity.
    #[serde(with = "rust_decimal::serde::float")]
    #[schemars(with = "f64")]
    pub dispensed: Decimal,
    /// When it was issued, or last handed out: its course begins then.
    pub since: Option<DateTime<Utc>>,
}

/// An alert that did not hold the prescriber back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlertOverride {
    pub alert_id: AlertId,
    pub kind: AlertKind,
    pub severity: AlertSeverity,
    pub item_id: PrescriptionItemId,
    /// What the alert said.
    pub alert: Option<String>,
    pub reason: OverrideReason,
    /// Why in words.
    pub text: Option<String>,
    pub by: Option<UserId>,
    pub at: DateTime<Utc>,
}

/// Something that was handed out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Dispensing {
    pub item_id: PrescriptionItemId,
    pub quantity: Amount,
    pub by: Option<UserId>,
    pub at: DateTime<Utc>,
}

impl Projection for Prescriptions {
    const NAME: &'static str = "prescription";
    const REVISION: i32 = 1;
    const TABLE: &'static str = "read.prescription_1";
    const ONE_STREAM: bool = true;
    type Key = Uuid;
    type Row = PrescriptionRow;

    fn keys(event: &Recorded) -> Vec<Uuid> {
        match event.event {
            DomainEvent::Prescription(_) => vec![event.stream.id],
            _ => Vec::new(),
        }
    }

    fn fold(row: Option<PrescriptionRow>, _: &Uuid, event: &Recorded) -> Option<PrescriptionRow> {
        let DomainEvent::Prescription(change) = &event.event else { return row };
        let mut row = match (row, change) {
            (None, PrescriptionEvent::PrescriptionDrafted { patient, .. }) => drafted(*patient, event),
            (row, _) => row?,
        };
        row.take(change, event);
        row.version = event.version;
        row.position = event.position;
        Some(row)
    }
}

fn drafted(patient: PatientId, event: &Recorded) -> PrescriptionRow {
    PrescriptionRow {
        id: PrescriptionId(event.stream.id),
        number: None,
        patient_id: patient,
        doctor_id: None,
        visit_id: None,
        replaces: None,
        replaced_by: None,
        status: PrescriptionStatus::Draft,
        status_reason: None,
        status_text: None,
        items: Vec::new(),
        alerts: Vec::new(),
        overrides: Vec::new(),
        dispensed: Vec::new(),
        refills_authorised: 0,
        refills_used: 0,
        valid_until: None,
        expires_at: None,
        prints: Vec::new(),
        drafted_at: event.occurred_at,
        issued_at: None,
        ended_at: None,
        version: event.version,
        position: event.position,
    }
}

impl PrescriptionRow {
    fn take(&mut self, change: &PrescriptionEvent, event: &Recorded) {
        let (at, by) = (event.occurred_at, event.actor.user);
        match change {
            PrescriptionEvent::PrescriptionDrafted { doctor, visit, replaces, .. } => {
                (self.doctor_id, self.visit_id, self.replaces) = (*doctor, *visit, *replaces);
            }
            PrescriptionEvent::PrescriptionItemAdded { item, supply, sealed, .. } => {
                self.items.push(line(*item, supply, sealed));
            }
            PrescriptionEvent::PrescriptionItemChanged { item, supply, sealed, .. } => {
                self.line(*item).into_iter().for_each(|changed| *changed = line(*item, supply, sealed));
            }
            PrescriptionEvent::PrescriptionItemRemoved { item, .. } => self.items.retain(|line| line.id != *item),
            PrescriptionEvent::PrescriptionAlertOverridden { sealed, .. } => {
                self.overrides.extend(overridden(change, sealed.open(), by, at));
            }
            PrescriptionEvent::PrescriptionIssued {
                number, doctor, refills, valid_until, expires_at, sealed, ..
            } => {
                self.status = PrescriptionStatus::Active;
                self.number = Some(number.as_str().to_owned());
                self.doctor_id = Some(*doctor);
                self.refills_authorised = *refills;
                (self.valid_until, self.expires_at) = (Some(*valid_until), Some(*expires_at));
                self.issue(sealed.open(), at);
            }
            PrescriptionEvent::PrescriptionDispensed { item, quantity, .. } => {
                self.line(*item).into_iter().for_each(|line| {
                    line.dispensed += quantity.value;
                    line.since = Some(at);
                });
                self.dispensed.push(Dispensing { item_id: *item, quantity: quantity.clone(), by, at });
            }
            PrescriptionEvent::PrescriptionRefillAuthorised { refills, .. } => self.refills_authorised += refills,
            PrescriptionEvent::PrescriptionRefillUsed { refill, .. } => self.refills_used = *refill,
            PrescriptionEvent::PrescriptionPrinted { .. } => self.prints.push(at),
            PrescriptionEvent::PrescriptionHeld { .. }
            | PrescriptionEvent::PrescriptionReleased { .. }
            | PrescriptionEvent::PrescriptionStopped { .. }
            | PrescriptionEvent::PrescriptionReplaced { .. }
            | PrescriptionEvent::PrescriptionCancelled { .. }
            | PrescriptionEvent::PrescriptionCompleted { .. }
            | PrescriptionEvent::PrescriptionExpired { .. }
            | PrescriptionEvent::PrescriptionEnteredInError { .. } => self.take_status(change, at),
        }
    }

    fn take_status(&mut self, change: &PrescriptionEvent, at: DateTime<Utc>) {
        use PrescriptionStatus as Is;
        match change {
            PrescriptionEvent::PrescriptionHeld { reason, sealed, .. } => {
                self.status = Is::OnHold;
                self.say_why(Some(*reason), Some(sealed));
            }
            PrescriptionEvent::PrescriptionReleased { .. } => {
                self.status = Is::Active;
                self.say_why(None, None);
            }
            PrescriptionEvent::PrescriptionStopped { reason, sealed, .. } => {
                self.end(Is::Stopped, at, Some(*reason), Some(sealed));
            }
            PrescriptionEvent::PrescriptionReplaced { by, .. } => {
                self.replaced_by = Some(*by);
                self.end(Is::Stopped, at, None, None);
            }
            PrescriptionEvent::PrescriptionCancelled { reason, sealed, .. } => {
                self.end(Is::Cancelled, at, Some(*reason), Some(sealed));
            }
            PrescriptionEvent::PrescriptionCompleted { .. } => self.end(Is::Completed, at, None, None),
            PrescriptionEvent::PrescriptionExpired { .. } => self.end(Is::Expired, at, None, None),
            PrescriptionEvent::PrescriptionEnteredInError { sealed, .. } => {
                self.end(Is::EnteredInError, at, None, Some(sealed));
            }
            _ => {}
        }
    }

    fn issue(&mut self, issued: Option<&Issued>, at: DateTime<Utc>) {
        self.issued_at = Some(at);
        self.alerts = issued.map(|issued| issued.alerts.clone()).unwrap_or_default();
        for line in &mut self.items {
            let snapshot = issued.and_then(|issued| issued.items.iter().find(|item| item.item == line.id));
            line.regimen = snapshot.map(|item| item.regimen.clone());
            line.entry = snapshot.map(|item| item.entry.clone());
            line.since = Some(at);
        }
    }

    fn end(
        &mut self,
        status: PrescriptionStatus,
        at: DateTime<Utc>,
        reason: Option<StatusReason>,
        sealed: Option<&Sealed<PrescriptionReason>>,
    ) {
        self.status = status;
        self.ended_at = Some(at);
        self.say_why(reason, sealed);
    }

    fn say_why(&mut self, reason: Option<StatusReason>, sealed: Option<&Sealed<PrescriptionReason>>) {
        self.status_reason = reason;
        self.status_text = sealed.and_then(Sealed::open).and_then(|why| why.text.clone());
    }

    fn line(&mut self, item: PrescriptionItemId) -> Option<&mut PrescriptionLine> {
        self.items.iter_mut().find(|line| line.id == item)
    }
}

fn line(item: PrescriptionItemId, supply: &Supply, sealed: &Sealed<Regimen>) -> PrescriptionLine {
    let (supply, regimen) = (supply.clone(), sealed.open().cloned());
    PrescriptionLine { id: item, regimen, supply, entry: None, dispensed: Decimal::ZERO, since: None }
}

fn overridden(
    change: &PrescriptionEvent,
    said: Option<&Overridden>,
    by: Option<UserId>,
    at: DateTime<Utc>,
) -> Option<AlertOverride> {
    let PrescriptionEvent::PrescriptionAlertOverridden { alert, kind, severity, item, reason, .. } = change else {
        return None;
    };
    Some(AlertOverride {
        alert_id: alert.clone(),
        kind: *kind,
        severity: *severity,
        item_id: *item,
        alert: said.map(|said| said.alert.clone()),
        reason: *reason,
        text: said.and_then(|said| said.text.clone()),
        by,
        at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{History, tablets};

    #[test]
    fn an_issued_prescription_keeps_what_was_said_and_counts_what_is_handed_out() {
        let mut history = History::new();
        let patient = history.registered("Asha");
        let id = history.drafted(patient);
        let item = history.prescribed(id, patient, "1-0-1");
        history.issued(id, patient, &[item]);
        for _ in 0..3 {
            let quantity = tablets(2);
            history.prescription(id, PrescriptionEvent::PrescriptionDispensed { patient, item, quantity });
        }
        let row = history.row::<Prescriptions>(id.0).unwrap();
        assert_eq!((row.status, row.number.as_deref()), (PrescriptionStatus::Active, Some("RX-20260302-001")));
        assert_eq!((row.items[0].dispensed, row.dispensed.len()), (Decimal::from(6), 3));
        assert_eq!(row.items[0].entry.as_ref().map(|entry| entry.name.as_str()), Some("Mox 500"));
        assert_eq!(row.items[0].since, Some(row.dispensed[2].at));
    }

    #[test]
    fn an_erased_prescription_says_how_much_and_not_what() {
        let mut history = History::new();
        let patient = history.registered("Asha");
        let id = history.drafted(patient);
        let item = history.prescribed(id, patient, "1-0-1");
        history.issued(id, patient, &[item]);
        let row = history.erased().row::<Prescriptions>(id.0).unwrap();
        assert_eq!((&row.items[0].regimen, &row.items[0].entry), (&None, &None));
        assert_eq!(row.items[0].supply.quantity, tablets(10));
    }
}
