//! A patient's record as the clinic sees it.

mod entries;

use chrono::{DateTime, NaiveDate, Utc};
use events::{
    DomainEvent, PatientEvent, PatientId, Recorded, Sealed,
    patient::{Confidentiality, Death, Demographics, EmergencyContact, PatientStatus},
    values::{Address, BirthDate, Gender},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use entries::{AllergyEntry, AllergyStatus, ConsentEntry, FamilyMember, Identifier, ProblemEntry};

use crate::{Projection, search};

/// `read.patient_1`: one row per patient, a merged one included: it keeps what was recorded under its own
/// id, and a query joins the group by `merged_into` and `merged_ids`.
pub struct Patients;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PatientRow {
    pub id: PatientId,
    pub number: String,
    /// Empty once erased, like everything here that says something about the person.
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub birth_date: Option<BirthDate>,
    pub birth_year: Option<i32>,
    pub gender: Gender,
    pub phone: Option<String>,
    pub email: Option<String>,
    pub address: Option<Address>,
    pub blood_group: Option<String>,
    pub marital_status: Option<String>,
    pub language: Option<String>,
    pub identifiers: Vec<Identifier>,
    pub emergency_contact: Option<EmergencyContact>,
    pub family: Vec<FamilyMember>,
    pub allergies: Vec<AllergyEntry>,
    /// When it was asserted, where nothing has been recorded since.
    pub no_known_allergies: Option<DateTime<Utc>>,
    pub problems: Vec<ProblemEntry>,
    pub consents: Vec<ConsentEntry>,
    pub confidentiality: Confidentiality,
    pub status: PatientStatus,
    /// Read on there.
    pub merged_into: Option<PatientId>,
    /// Patients merged into this one, directly.
    pub merged_ids: Vec<PatientId>,
    pub died_on: Option<NaiveDate>,
    pub cause_of_death: Option<String>,
    pub registered_at: DateTime<Utc>,
    /// See [`search::search_text`].
    pub search_text: String,
    pub version: i64,
    pub position: i64,
}

impl Projection for Patients {
    const NAME: &'static str = "patient";
    const REVISION: i32 = 1;
    const TABLE: &'static str = "read.patient_1";
    const ONE_STREAM: bool = true;
    type Key = Uuid;
    type Row = PatientRow;

    fn keys(event: &Recorded) -> Vec<Uuid> {
        match event.event {
            DomainEvent::Patient(_) => vec![event.stream.id],
            _ => Vec::new(),
        }
    }

    fn fold(row: Option<PatientRow>, _: &Uuid, event: &Recorded) -> Option<PatientRow> {
        let DomainEvent::Patient(change) = &event.event else { return row };
        let mut row = match (row, change) {
            (None, PatientEvent::PatientRegistered { number, .. }) => empty(number.as_str(), event),
            (row, _) => row?,
        };
        row.take(change, event.occurred_at);
        row.version = event.version;
        row.position = event.position;
        Some(row)
    }
}

fn empty(number: &str, event: &Recorded) -> PatientRow {
    PatientRow {
        id: PatientId(event.stream.id),
        number: number.to_owned(),
        first_name: None,
        last_name: None,
        birth_date: None,
        birth_year: None,
        gender: Gender::Unknown,
        phone: None,
        email: None,
        address: None,
        blood_group: None,
        marital_status: None,
        language: None,
        identifiers: Vec::new(),
        emergency_contact: None,
        family: Vec::new(),
        allergies: Vec::new(),
        no_known_allergies: None,
        problems: Vec::new(),
        consents: Vec::new(),
        confidentiality: Confidentiality::Normal,
        status: PatientStatus::Active,
        merged_into: None,
        merged_ids: Vec::new(),
        died_on: None,
        cause_of_death: None,
        registered_at: event.occurred_at,
        search_text: String::new(),
        version: event.version,
        position: event.position,
    }
}

impl PatientRow {
    fn take(&mut self, change: &PatientEvent, at: DateTime<Utc>) {
        match change {
            PatientEvent::PatientRegistered { gender, birth_year, sealed, .. }
            | PatientEvent::DemographicsUpdated { gender, birth_year, sealed, .. } => {
                self.gender = *gender;
                self.birth_year = *birth_year;
                self.set_demographics(sealed.open().cloned());
            }
            PatientEvent::EmergencyContactSet { sealed } => self.emergency_contact = sealed.open().cloned(),
            PatientEvent::RecordRestricted { confidentiality, .. } => self.confidentiality = *confidentiality,
            PatientEvent::PatientDeactivated { .. } => self.set_status(PatientStatus::Inactive),
            PatientEvent::PatientReactivated { .. } => self.set_status(PatientStatus::Active),
            PatientEvent::DeathRecorded { sealed, .. } => self.die(sealed),
            PatientEvent::PatientMerged { source, .. } => self.merged_ids.push(*source),
            PatientEvent::PatientUnmerged { source, .. } => self.merged_ids.retain(|kept| kept != source),
            PatientEvent::PatientMergedInto { survivor, .. } => {
                self.status = PatientStatus::Merged;
                self.merged_into = Some(*survivor);
            }
            PatientEvent::PatientUnmergedFrom { again, .. } => {
                self.status = again.status;
                self.merged_into = None;
            }
            PatientEvent::ErasureRequested { .. } | PatientEvent::ErasureRefused { .. } => {}
            PatientEvent::PatientErased { .. } => self.erase(),
            PatientEvent::IdentifierAdded { .. }
            | PatientEvent::IdentifierEnded { .. }
            | PatientEvent::FamilyLinked { .. }
            | PatientEvent::AllergyRecorded { .. }
            | PatientEvent::AllergyVerified { .. }
            | PatientEvent::AllergyRefuted { .. }
            | PatientEvent::AllergyResolved { .. }
            | PatientEvent::NoKnownAllergiesAsserted {}
            | PatientEvent::ProblemAdded { .. }
            | PatientEvent::ProblemResolved { .. }
            | PatientEvent::ConsentGiven { .. }
            | PatientEvent::ConsentWithdrawn { .. } => self.take_entry(change, at),
        }
    }

    fn set_demographics(&mut self, demographics: Option<Demographics>) {
        let person = demographics.unwrap_or_default();
        self.first_name = Some(person.first_name).filter(|name| !name.is_empty());
        self.last_name = person.last_name;
        self.birth_date = person.birth_date;
        self.phone = person.phone;
        self.email = person.email;
        self.address = person.address;
        self.blood_group = person.blood_group;
        self.marital_status = person.marital_status;
        self.language = person.language;
        let names = (self.first_name.as_deref(), self.last_name.as_deref());
        self.search_text = search::search_text(names.0, names.1, &self.number, self.phone.as_deref());
    }

    /// A merged record stays merged; what it would be shows when it is unmerged.
    fn set_status(&mut self, status: PatientStatus) {
        if self.status != PatientStatus::Merged {
            self.status = status;
        }
    }

    /// As if nothing that was sealed had ever been readable: what a rebuild makes once the key is destroyed.
    fn erase(&mut self) {
        self.status = PatientStatus::Erased;
        self.set_demographics(None);
        (self.emergency_contact, self.died_on, self.cause_of_death) = (None, None, None);
        self.erase_entries();
    }

    fn die(&mut self, sealed: &Sealed<Death>) {
        self.set_status(PatientStatus::Deceased);
        self.died_on = sealed.open().and_then(|death| death.died_on);
        self.cause_of_death = sealed.open().and_then(|death| death.cause.clone());
    }
}

#[cfg(test)]
mod tests;
