//! The prescription that a command names, and the person whom it is for.

use events::{DoctorId, PatientId, PrescriptionEvent, PrescriptionId, PrescriptionItemId};

use super::{Line, Prescription};
use crate::{Context, Decision, Facts, Refusal, doctor::who_practises, patient::Group};

pub(super) struct Case<'a> {
    pub id: PrescriptionId,
    pub prescription: &'a Prescription,
    pub person: Group<'a>,
    pub facts: &'a Facts,
    pub context: &'a Context<'a>,
}

impl<'a> Case<'a> {
    /// 404 for a prescription that is not there, 410 for a person who is erased.
    pub fn of(state: Option<&'a Prescription>, facts: &'a Facts, context: &'a Context<'a>) -> Result<Self, Refusal> {
        let prescription = state.ok_or_else(|| Refusal::not_found("prescription"))?;
        let person = Group::find(prescription.patient, facts)?;
        Ok(Self { id: context.target.id.into(), prescription, person, facts, context })
    }

    pub fn patient(&self) -> PatientId {
        self.prescription.patient
    }

    /// One event of the prescription.
    pub fn record(&self, event: PrescriptionEvent) -> Result<Decision, Refusal> {
        Ok(Decision::one(self.id, event))
    }

    /// The doctor who gives the command, with a licence that is valid today.
    pub fn prescriber(&self) -> Result<DoctorId, Refusal> {
        who_practises(self.facts, self.context)
    }

    /// Only a draft is written at.
    pub fn in_draft(&self) -> Result<(), Refusal> {
        match self.prescription.is_draft() {
            true => Ok(()),
            false => {
                let detail = "A prescription never changes once it is issued: stop it, or replace it by another one.";
                Err(self.refusal(detail))
            }
        }
    }

    pub fn line(&self, item: PrescriptionItemId) -> Result<&'a Line, Refusal> {
        self.prescription.line(item).ok_or_else(|| Refusal::not_found("item").at("/item_id"))
    }

    /// What may not be done to a prescription as it stands.
    pub fn wrong_status(&self, what: &str) -> Refusal {
        self.refusal(format!("A prescription that is {} cannot be {what}.", self.prescription.status))
    }

    fn refusal(&self, detail: impl Into<String>) -> Refusal {
        Refusal::conflict("wrong-status", detail).with("status", self.prescription.status.to_string())
    }
}
