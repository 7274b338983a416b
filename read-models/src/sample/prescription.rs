//! Prescriptions that are drafted, issued, handed out and ended.

use chrono::TimeDelta;
use events::{
    AggregateKind, AllergyId, DoctorId, MedicineId, Number, PatientId, PrescriptionEvent, PrescriptionId,
    PrescriptionItemId, Sealed,
    medicine::MedicineEntry,
    prescription::{
        Alert, AlertCause, AlertId, AlertKind, AlertSeverity, Amount, Issued, IssuedItem, ItemSupply, Overridden,
        OverrideReason, PrescriptionReason, PrescriptionStatus, Regimen, StatusReason, Supply,
    },
};
use uuid::Uuid;

use super::{
    History,
    life::{Chance, Life, NAMES},
};
use crate::{PrescriptionRow, Prescriptions};

const DOCTOR: DoctorId = DoctorId(Uuid::from_u128(1));

impl History {
    pub fn prescription(&mut self, prescription: PrescriptionId, event: PrescriptionEvent) {
        self.push(prescription.into(), event);
    }

    pub fn drafted(&mut self, patient: PatientId) -> PrescriptionId {
        let prescription = PrescriptionId(self.fresh());
        let (doctor, visit, replaces) = (None, None, None);
        let drafted = PrescriptionEvent::PrescriptionDrafted { patient, doctor, visit, replaces };
        self.prescription(prescription, drafted);
        prescription
    }

    /// Ten tablets, twice a day until they are stopped.
    pub fn prescribed(&mut self, prescription: PrescriptionId, patient: PatientId, how: &str) -> PrescriptionItemId {
        let item = PrescriptionItemId(self.fresh());
        let sealed = Sealed::Open(regimen(how));
        let added = PrescriptionEvent::PrescriptionItemAdded { patient, item, supply: supply(), sealed };
        self.prescription(prescription, added);
        item
    }

    pub fn issued(&mut self, prescription: PrescriptionId, patient: PatientId, items: &[PrescriptionItemId]) {
        let snapshot =
            |item: &PrescriptionItemId| IssuedItem { item: *item, regimen: regimen("1-0-1"), entry: entry() };
        let alerts = items.iter().copied().map(alert).collect();
        let sealed = Issued { items: items.iter().map(snapshot).collect(), alerts };
        let (doctor, refills, now) = (DOCTOR, 1, self.now);
        self.prescription(
            prescription,
            PrescriptionEvent::PrescriptionIssued {
                patient,
                number: Number::Given("RX-20260302-001".to_owned()),
                doctor,
                items: items.iter().map(|item| ItemSupply { item: *item, supply: supply() }).collect(),
                refills,
                valid_until: now.date_naive() + TimeDelta::days(30),
                expires_at: now + TimeDelta::days(30),
                sealed: sealed.into(),
            },
        );
    }
}

pub fn tablets(n: i64) -> Amount {
    Amount { value: n.into(), unit: "{tablet}".to_owned() }
}

fn supply() -> Supply {
    Supply { quantity: tablets(10), substitution_allowed: true, unit_price: None }
}

fn regimen(how: &str) -> Regimen {
    Regimen {
        medicine: MedicineId(Uuid::from_u128(7)),
        dose: Some(tablets(1)),
        route: None,
        frequency: None,
        duration: None,
        timing: None,
        instructions: Some(how.to_owned()),
    }
}

fn entry() -> MedicineEntry {
    serde_json::from_value(serde_json::json!({"name": "Mox 500"})).expect("a name is an entry")
}

impl Life {
    pub(super) fn prescription_changes(&mut self, chance: &mut Chance) {
        let Some(patient) = self.patients.get(chance.of(self.patients.len())).map(|person| person.id) else { return };
        let drafted = self.history.events().filter(|event| event.stream.kind == AggregateKind::Prescription);
        let last = drafted.last().map(|event| event.stream.id);
        match last.and_then(|id| self.history.row::<Prescriptions>(id)).filter(|_| chance.of(4) > 0) {
            Some(row) => self.prescription_goes_on(&row, chance),
            None => {
                self.history.drafted(patient);
            }
        }
    }

    fn prescription_goes_on(&mut self, row: &PrescriptionRow, chance: &mut Chance) {
        use PrescriptionStatus as Is;
        let (id, patient, was) = (row.id, row.patient_id, row.status);
        let text = chance.pick(&NAMES);
        let sealed = Sealed::Open(PrescriptionReason { text: Some(text.to_owned()) });
        let reason = StatusReason::Ineffective;
        let items: Vec<PrescriptionItemId> = row.items.iter().map(|line| line.id).collect();
        let event = match (was, items.first().copied(), chance.of(6)) {
            (Is::Draft, _, 0 | 1) => {
                self.history.prescribed(id, patient, text);
                return;
            }
            (Is::Draft, Some(item), 2) => overridden(patient, item, text),
            (Is::Draft, Some(item), 3) => PrescriptionEvent::PrescriptionItemRemoved { patient, item },
            (Is::Draft, Some(_), _) => return self.history.issued(id, patient, &items),
            (Is::Draft, None, _) => PrescriptionEvent::PrescriptionCancelled { patient, was, reason, sealed },
            (Is::Active, Some(item), 0..3) => {
                PrescriptionEvent::PrescriptionDispensed { patient, item, quantity: tablets(1) }
            }
            (Is::Active, _, 3) => PrescriptionEvent::PrescriptionHeld { patient, reason, sealed },
            (Is::Active, _, 4) => PrescriptionEvent::PrescriptionPrinted { patient },
            (Is::OnHold, _, 0..3) => PrescriptionEvent::PrescriptionReleased { patient },
            (Is::Active | Is::OnHold, ..) => PrescriptionEvent::PrescriptionStopped { patient, was, reason, sealed },
            (Is::Stopped, ..) => PrescriptionEvent::PrescriptionEnteredInError { patient, was, sealed },
            (Is::Completed | Is::Cancelled | Is::Expired | Is::EnteredInError, ..) => {
                self.history.drafted(patient);
                return;
            }
        };
        self.history.prescription(id, event);
    }
}

fn overridden(patient: PatientId, item: PrescriptionItemId, text: &str) -> PrescriptionEvent {
    PrescriptionEvent::PrescriptionAlertOverridden {
        patient,
        alert: AlertId("1".to_owned()),
        kind: AlertKind::AllergyClass,
        severity: AlertSeverity::Severe,
        item,
        reason: OverrideReason::NoAlternative,
        sealed: Sealed::Open(Overridden { alert: text.to_owned(), text: None }),
    }
}

fn alert(item: PrescriptionItemId) -> Alert {
    Alert {
        id: AlertId("1".to_owned()),
        kind: AlertKind::AllergyClass,
        severity: AlertSeverity::Severe,
        item,
        cause: AlertCause::Allergy { allergy: AllergyId(Uuid::from_u128(9)) },
        text: "The patient is allergic to penicillin.".to_owned(),
    }
}
