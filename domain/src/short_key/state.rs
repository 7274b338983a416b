//! What the rules know of a short key, and how each event changes it.

use events::{DoctorId, ShortKeyEvent, claim::ClaimKey, prescription::PrescriptionItem};

#[derive(Clone, Debug, PartialEq)]
pub struct ShortKey {
    pub code: String,
    /// `None`: the clinic's.
    pub doctor: Option<DoctorId>,
    pub items: Vec<PrescriptionItem>,
    pub retired: bool,
    pub uses: i64,
}

impl ShortKey {
    /// No two short keys of one owner have one code.
    pub(crate) fn held(&self) -> Vec<ClaimKey> {
        (!self.retired).then(|| code_claim(self.doctor, &self.code)).into_iter().collect()
    }

    /// The state after the first event.
    pub(super) fn from_first(event: &ShortKeyEvent) -> Option<Self> {
        let ShortKeyEvent::ShortKeyDefined { code, doctor, items, .. } = event else { return None };
        Some(Self { code: code.clone(), doctor: *doctor, items: items.clone(), retired: false, uses: 0 })
    }

    /// The state after an event; `None`: it cannot follow.
    pub(super) fn apply(mut self, event: &ShortKeyEvent) -> Option<Self> {
        if self.retired {
            return None;
        }
        match event {
            ShortKeyEvent::ShortKeyDefined { .. } => return None,
            ShortKeyEvent::ShortKeyItemsSet { items } => self.items.clone_from(items),
            ShortKeyEvent::ShortKeyReordered { order } => {
                let moved: Option<Vec<_>> = order.iter().map(|place| self.items.get(*place).cloned()).collect();
                self.items = moved.filter(|moved| moved.len() == self.items.len())?;
            }
            ShortKeyEvent::ShortKeyRetired {} => self.retired = true,
            ShortKeyEvent::ShortKeyUsed { .. } => self.uses += 1,
        }
        Some(self)
    }
}

pub(super) fn code_claim(doctor: Option<DoctorId>, code: &str) -> ClaimKey {
    let owner = doctor.map_or_else(|| "clinic".to_owned(), |doctor| doctor.to_string());
    ClaimKey::clinic("short-key", format!("{owner}/{code}"))
}
