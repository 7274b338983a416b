//! What the rules know of a patient, and how each event changes it. Nothing of it is sealed.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use events::{
    AllergyId, ConsentId, PatientEvent, PatientId, ProblemId, UserId,
    claim::{ClaimKey, KeyedHash},
    patient::{Confidentiality, ConsentScope, IdentifierEntry, PatientStatus, Standing},
    values::Gender,
};

use crate::Refusal;

/// Where a record stands by itself. A merge leaves it as it is, so that it shows again after an unmerge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    Active,
    Inactive,
    Deceased,
    /// What was known of the person is gone.
    Erased,
}

/// How far a wish to be forgotten has come. A refused one leaves no trace here: it may be asked again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Erasure {
    #[default]
    None,
    /// Waits for a second person.
    Requested {
        by: Option<UserId>,
    },
    Done,
}

impl From<Life> for PatientStatus {
    fn from(life: Life) -> Self {
        match life {
            Life::Active => Self::Active,
            Life::Inactive => Self::Inactive,
            Life::Deceased => Self::Deceased,
            Life::Erased => Self::Erased,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllergyStatus {
    Unconfirmed,
    Confirmed,
    Refuted,
    Resolved,
}

impl AllergyStatus {
    /// Whether the patient has to be guarded against it.
    pub fn is_active(self) -> bool {
        matches!(self, Self::Unconfirmed | Self::Confirmed)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Patient {
    pub life: Life,
    /// The patient that this one was found to be; read on there.
    pub merged_into: Option<PatientId>,
    /// Patients merged into this one.
    pub merged: BTreeSet<PatientId>,
    pub gender: Gender,
    pub birth_year: Option<i32>,
    /// Not ended.
    pub identifiers: Vec<IdentifierEntry>,
    pub relatives: BTreeSet<PatientId>,
    pub allergies: BTreeMap<AllergyId, AllergyStatus>,
    /// Asserted, and nothing recorded since.
    pub no_known_allergies: bool,
    /// `true` while active.
    pub problems: BTreeMap<ProblemId, bool>,
    /// Given and not withdrawn.
    pub consents: BTreeMap<ConsentId, ConsentScope>,
    /// Withdrawn, and not given again since.
    pub objections: HashSet<ConsentScope>,
    pub confidentiality: Confidentiality,
    pub erasure: Erasure,
}

impl Patient {
    pub fn status(&self) -> PatientStatus {
        match (self.life, self.merged_into) {
            (Life::Erased, _) => PatientStatus::Erased,
            (_, Some(_)) => PatientStatus::Merged,
            (life, None) => life.into(),
        }
    }

    /// Whether the record counts as a patient of the clinic: neither merged nor erased.
    pub(super) fn is_counted(&self) -> bool {
        self.merged_into.is_none() && self.life != Life::Erased
    }

    /// 410 for who is erased: nothing is done with the record any more.
    pub(crate) fn not_erased(&self) -> Result<(), Refusal> {
        match self.life {
            Life::Erased => Err(Refusal::gone()),
            Life::Active | Life::Inactive | Life::Deceased => Ok(()),
        }
    }

    /// What the statistics count now.
    pub fn standing(&self) -> Standing {
        Standing { status: self.status(), gender: self.gender, birth_year: self.birth_year }
    }

    /// What the patient holds that no other may have. A merge moves nothing: the claim is held for the group.
    pub(super) fn held(&self) -> Vec<ClaimKey> {
        self.identifiers.iter().filter_map(|identifier| identifier.hash.as_ref()).map(identifier_claim).collect()
    }

    /// The state after the first event.
    pub(super) fn from_first(event: &PatientEvent) -> Option<Self> {
        let PatientEvent::PatientRegistered { gender, birth_year, .. } = event else { return None };
        Some(Self {
            life: Life::Active,
            merged_into: None,
            merged: BTreeSet::new(),
            gender: *gender,
            birth_year: *birth_year,
            identifiers: Vec::new(),
            relatives: BTreeSet::new(),
            allergies: BTreeMap::new(),
            no_known_allergies: false,
            problems: BTreeMap::new(),
            consents: BTreeMap::new(),
            objections: HashSet::new(),
            confidentiality: Confidentiality::Normal,
            erasure: Erasure::None,
        })
    }

    /// The state after an event; `None`: it cannot follow.
    pub(super) fn apply(mut self, event: &PatientEvent) -> Option<Self> {
        if self.life == Life::Erased {
            return None;
        }
        match event {
            PatientEvent::PatientRegistered { .. } => return None,
            PatientEvent::DemographicsUpdated { gender, birth_year, .. } => {
                (self.gender, self.birth_year) = (*gender, *birth_year);
            }
            PatientEvent::IdentifierAdded { identifier, .. } => self.identifiers.push(identifier.clone()),
            PatientEvent::IdentifierEnded { identifier } => {
                let at = self.identifiers.iter().position(|known| known.id == identifier.id)?;
                self.identifiers.remove(at);
            }
            PatientEvent::EmergencyContactSet { .. } => {}
            PatientEvent::FamilyLinked { relative, .. } => drop(self.relatives.insert(*relative)),
            PatientEvent::AllergyRecorded { allergy, .. } => {
                self.allergies.insert(*allergy, AllergyStatus::Unconfirmed);
                self.no_known_allergies = false;
            }
            PatientEvent::AllergyVerified { allergy } => self.allergy_is(*allergy, AllergyStatus::Confirmed)?,
            PatientEvent::AllergyRefuted { allergy, .. } => self.allergy_is(*allergy, AllergyStatus::Refuted)?,
            PatientEvent::AllergyResolved { allergy, .. } => self.allergy_is(*allergy, AllergyStatus::Resolved)?,
            PatientEvent::NoKnownAllergiesAsserted {} => self.no_known_allergies = true,
            PatientEvent::ProblemAdded { problem, .. } => drop(self.problems.insert(*problem, true)),
            PatientEvent::ProblemResolved { problem, .. } => *self.problems.get_mut(problem)? = false,
            PatientEvent::ConsentGiven { consent, scope, .. } => {
                self.objections.remove(scope);
                self.consents.insert(*consent, *scope);
            }
            PatientEvent::ConsentWithdrawn { consent, .. } => {
                let scope = self.consents.remove(consent)?;
                self.objections.insert(scope);
            }
            PatientEvent::RecordRestricted { confidentiality, .. } => self.confidentiality = *confidentiality,
            PatientEvent::PatientDeactivated { .. } => self.life = Life::Inactive,
            PatientEvent::PatientReactivated { .. } => self.life = Life::Active,
            PatientEvent::DeathRecorded { .. } => self.life = Life::Deceased,
            PatientEvent::PatientMerged { source, .. } => self.merged.insert(*source).then_some(())?,
            PatientEvent::PatientMergedInto { survivor, .. } => {
                self.merged_into.replace(*survivor).is_none().then_some(())?;
            }
            PatientEvent::PatientUnmerged { source, .. } => self.merged.remove(source).then_some(())?,
            PatientEvent::PatientUnmergedFrom { survivor, .. } => {
                (self.merged_into.take() == Some(*survivor)).then_some(())?;
            }
            PatientEvent::ErasureRequested { by, .. } => self.erasure = Erasure::Requested { by: *by },
            PatientEvent::ErasureRefused { .. } => self.erasure = Erasure::None,
            PatientEvent::PatientErased { .. } => (self.life, self.erasure) = (Life::Erased, Erasure::Done),
        }
        Some(self)
    }

    fn allergy_is(&mut self, allergy: AllergyId, status: AllergyStatus) -> Option<()> {
        *self.allergies.get_mut(&allergy)? = status;
        Some(())
    }
}

/// Type and value of an identifier, in a clinic's keyed hash.
pub(super) fn identifier_claim(hash: &KeyedHash) -> ClaimKey {
    ClaimKey::clinic("identifier", hash)
}
