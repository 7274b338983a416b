//! What the rules know of a medicine, and how each event changes it.

use events::{MedicineEvent, medicine::MedicineEntry};

#[derive(Clone, Debug, PartialEq)]
pub struct Medicine {
    /// `None`: as the platform says.
    pub entry: Option<MedicineEntry>,
    /// It belongs to the catalogue whose ledger it lies in; otherwise it is what a clinic says of one of the
    /// platform's.
    pub is_own: bool,
    pub retired: bool,
    /// The clinic does not want to see it.
    pub hidden: bool,
}

impl Medicine {
    /// The entry of the catalogue that it belongs to, unless it was retired.
    pub(super) fn listed(&self) -> Option<&MedicineEntry> {
        self.entry.as_ref().filter(|_| self.is_own && !self.retired)
    }

    /// The state after the first event.
    pub(super) fn from_first(event: &MedicineEvent) -> Option<Self> {
        let (entry, is_own, hidden) = match event {
            MedicineEvent::MedicineAdded { entry } => (Some(entry.clone()), true, false),
            MedicineEvent::MedicineOverridden { entry } => (Some(entry.clone()), false, false),
            MedicineEvent::MedicineHidden {} => (None, false, true),
            MedicineEvent::MedicineUpdated { .. }
            | MedicineEvent::MedicineRetired {}
            | MedicineEvent::MedicineOverrideLifted {}
            | MedicineEvent::MedicineShown {} => return None,
        };
        Some(Self { entry, is_own, retired: false, hidden })
    }

    /// The state after an event; `None`: it cannot follow.
    pub(super) fn apply(mut self, event: &MedicineEvent) -> Option<Self> {
        let possible = match event {
            MedicineEvent::MedicineAdded { .. } => false,
            MedicineEvent::MedicineUpdated { .. } | MedicineEvent::MedicineRetired {} => self.is_own && !self.retired,
            MedicineEvent::MedicineOverridden { .. } => !self.is_own,
            MedicineEvent::MedicineOverrideLifted {} => !self.is_own && self.entry.is_some(),
            MedicineEvent::MedicineHidden {} => !self.is_own && !self.hidden,
            MedicineEvent::MedicineShown {} => self.hidden,
        };
        match event {
            _ if !possible => return None,
            MedicineEvent::MedicineAdded { entry }
            | MedicineEvent::MedicineUpdated { entry }
            | MedicineEvent::MedicineOverridden { entry } => self.entry = Some(entry.clone()),
            MedicineEvent::MedicineOverrideLifted {} => self.entry = None,
            MedicineEvent::MedicineRetired {} => self.retired = true,
            MedicineEvent::MedicineHidden {} => self.hidden = true,
            MedicineEvent::MedicineShown {} => self.hidden = false,
        }
        Some(self)
    }
}
