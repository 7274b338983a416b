//! Whose data an answer shows, and the record that says so.

use event_store::patients;
use events::{
    AccessEvent, EmergencyAccessId, PatientId,
    access::{Moment, Parameters, Shown},
};
use service_kit::Capability;

/// Whose data an answer shows. Each patient once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subjects {
    /// One person: the id that was asked for, and the person's other ids where records were merged.
    Person { asked: PatientId, also: Vec<PatientId> },
    /// Whoever a list or a search has found.
    Listed(Vec<PatientId>),
}

/// What else a record says.
pub(super) struct About {
    pub category: Capability,
    pub resource: Option<Shown>,
    pub parameters: Parameters,
    pub moment: Option<Moment>,
    /// The emergency access under which it is shown.
    pub emergency: Option<EmergencyAccessId>,
}

impl Subjects {
    /// `group`: everybody who is the same person, the one who was asked for among them or not.
    pub fn person(asked: PatientId, group: impl IntoIterator<Item = PatientId>) -> Self {
        Self::Person { asked, also: once(group.into_iter().filter(|id| *id != asked)) }
    }

    /// In any order, and more than once.
    pub fn listed(patients: impl IntoIterator<Item = PatientId>) -> Self {
        Self::Listed(once(patients))
    }

    /// How many ids are shown.
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Person { also, .. } => also.len() + 1,
            Self::Listed(patients) => patients.len(),
        }
    }

    /// The ids of the one person who is shown; `None` where there are several, or none.
    pub(super) fn person_shown(&self) -> Option<Vec<PatientId>> {
        match self {
            Self::Person { asked, also } => Some(also.iter().copied().chain([*asked]).collect()),
            Self::Listed(patients) => (patients.len() == 1).then(|| patients.clone()),
        }
    }

    /// The record's event, and the patients for `log.access_patient`.
    pub(super) fn recorded(self, about: About) -> (AccessEvent, Vec<PatientId>) {
        let About { category, resource, parameters, moment, emergency } = about;
        let category = category.to_string();
        match self {
            Self::Person { asked: patient, also } => {
                let (shown, emergency) = (also.clone(), emergency.map(|access| access.0));
                let event =
                    AccessEvent::PatientShown { patient, also, category, resource, parameters, moment, emergency };
                (event, shown)
            }
            Self::Listed(shown) => {
                let patients_sha256 = hex::encode(patients::digest(shown.iter().copied()));
                let count = shown.len() as i64;
                (AccessEvent::PatientsListed { category, parameters, count, patients_sha256, moment }, shown)
            }
        }
    }
}

fn once(patients: impl IntoIterator<Item = PatientId>) -> Vec<PatientId> {
    let mut patients: Vec<PatientId> = patients.into_iter().collect();
    patients.sort_unstable();
    patients.dedup();
    patients
}
