//! Putting another prescription in the place of one. The old one holds until the new one is issued, so that the patient
//! is never without.

use events::{PrescriptionEvent, PrescriptionId};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Prescription, case::Case, draft::with_items, safety};
use crate::{Decision, Facts, Read, Refusal};

/// Drafts a prescription in the place of this one, with the same items. This one is stopped when the new one is issued,
/// and holds until then.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplacePrescription {
    /// Of the new prescription: a UUIDv7; made by the server where it is left out.
    #[serde(default)]
    pub new_id: Option<PrescriptionId>,
}

impl ReplacePrescription {
    /// Also the charts, which say what the items are.
    pub(super) fn reads(&self, prescription: &Prescription, facts: &Facts) -> Vec<Read> {
        let new = self.new_id.map(|id| Read::Stream(id.into()));
        new.into_iter().chain(safety::chart_reads(prescription.patient, facts)).collect()
    }

    pub(super) fn decide(self, case: &Case<'_>) -> Result<Decision, Refusal> {
        if !case.prescription.status.is_current() {
            return Err(case.wrong_status("replaced"));
        }
        case.person.may_come()?;
        let id = self.new_id.unwrap_or_else(|| case.context.new_id(0));
        if case.facts.get::<Prescription>(id).is_some() {
            return Err(Refusal::conflict("duplicate", "There is a prescription with this id already.").at("/new_id"));
        }
        let drafted = PrescriptionEvent::PrescriptionDrafted {
            patient: case.patient(),
            doctor: case.prescription.doctor,
            visit: None,
            replaces: Some(case.id),
        };
        let items = safety::contents(case.id, case.prescription, case.facts)?;
        Ok(with_items(id, drafted, items, case.context))
    }
}
