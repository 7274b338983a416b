//! What a chart says that a prescriber has to know: allergies, and what is prescribed. It is sealed, so it is in no
//! state that is kept: a decision reads it with the whole chart, and rests on that.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use events::{
    AllergyId, DomainEvent, PatientEvent, PrescriptionEvent, PrescriptionId, PrescriptionItemId, StreamId,
    medicine::MedicineEntry,
    patient::Allergy,
    prescription::{PrescriptionStatus, Regimen},
};

/// Folded over one chart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SafetyRecord {
    /// Those that the patient has to be guarded against; `None`: it was erased what it is.
    pub allergies: BTreeMap<AllergyId, Option<Allergy>>,
    pub prescriptions: BTreeMap<PrescriptionId, RecordedPrescription>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedPrescription {
    pub status: PrescriptionStatus,
    pub items: BTreeMap<PrescriptionItemId, RecordedItem>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedItem {
    pub regimen: Option<Regimen>,
    /// As it was issued.
    pub entry: Option<MedicineEntry>,
    /// When it was last written, issued or handed out: its course begins then.
    pub since: DateTime<Utc>,
}

impl SafetyRecord {
    pub(crate) fn take(&mut self, stream: StreamId, event: &DomainEvent, occurred_at: DateTime<Utc>) {
        match event {
            DomainEvent::Patient(event) => self.take_allergy(event),
            DomainEvent::Prescription(event) => self.take_prescription(stream.id.into(), event, occurred_at),
            _ => {}
        }
    }

    fn take_allergy(&mut self, event: &PatientEvent) {
        match event {
            PatientEvent::AllergyRecorded { allergy, sealed } => {
                self.allergies.insert(*allergy, sealed.open().cloned());
            }
            PatientEvent::AllergyRefuted { allergy, .. } | PatientEvent::AllergyResolved { allergy, .. } => {
                self.allergies.remove(allergy);
            }
            _ => {}
        }
    }

    fn take_prescription(&mut self, id: PrescriptionId, event: &PrescriptionEvent, at: DateTime<Utc>) {
        use PrescriptionStatus as Is;
        if let PrescriptionEvent::PrescriptionDrafted { .. } = event {
            self.prescriptions.insert(id, RecordedPrescription { status: Is::Draft, items: BTreeMap::new() });
        }
        let Some(known) = self.prescriptions.get_mut(&id) else { return };
        match event {
            PrescriptionEvent::PrescriptionItemAdded { item, sealed, .. }
            | PrescriptionEvent::PrescriptionItemChanged { item, sealed, .. } => {
                let regimen = sealed.open().cloned();
                known.items.insert(*item, RecordedItem { regimen, entry: None, since: at });
            }
            PrescriptionEvent::PrescriptionItemRemoved { item, .. } => drop(known.items.remove(item)),
            PrescriptionEvent::PrescriptionIssued { sealed, .. } => {
                known.status = Is::Active;
                known.items.values_mut().for_each(|item| item.since = at);
                for issued in sealed.open().map_or(&[][..], |issued| &issued.items) {
                    if let Some(item) = known.items.get_mut(&issued.item) {
                        item.entry = Some(issued.entry.clone());
                    }
                }
            }
            PrescriptionEvent::PrescriptionDispensed { item, .. } => {
                known.items.get_mut(item).into_iter().for_each(|item| item.since = at);
            }
            PrescriptionEvent::PrescriptionHeld { .. } => known.status = Is::OnHold,
            PrescriptionEvent::PrescriptionReleased { .. } => known.status = Is::Active,
            PrescriptionEvent::PrescriptionStopped { .. } | PrescriptionEvent::PrescriptionReplaced { .. } => {
                known.status = Is::Stopped;
            }
            PrescriptionEvent::PrescriptionCancelled { .. } => known.status = Is::Cancelled,
            PrescriptionEvent::PrescriptionCompleted { .. } => known.status = Is::Completed,
            PrescriptionEvent::PrescriptionExpired { .. } => known.status = Is::Expired,
            PrescriptionEvent::PrescriptionEnteredInError { .. } => known.status = Is::EnteredInError,
            PrescriptionEvent::PrescriptionDrafted { .. }
            | PrescriptionEvent::PrescriptionAlertOverridden { .. }
            | PrescriptionEvent::PrescriptionRefillAuthorised { .. }
            | PrescriptionEvent::PrescriptionRefillUsed { .. }
            | PrescriptionEvent::PrescriptionPrinted { .. } => {}
        }
    }
}
