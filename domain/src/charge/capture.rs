//! Something is to be paid for.

use events::{
    ChargeEvent, ChargeId, DentalProcedureId, PatientId, PrescriptionId, VisitId, charge::ChargeDescription,
    dental_chart::DentalProcedureStatus,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Charge, amount};
use crate::{
    Context, Decision, Facts, Prescription, Read, Refusal,
    dental_chart::Mouth,
    patient::Group,
    values::{Price, Text, Whole},
    visit::origin,
};

/// Captures what a patient is to pay for. It is invoiced later, with others or alone.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaptureCharge {
    /// A UUIDv7; made by the server where it is left out.
    #[serde(default)]
    pub id: Option<ChargeId>,
    pub patient_id: PatientId,
    /// What it is for, as it stands on the invoice.
    pub description: Text<500>,
    /// Of one, before tax.
    pub unit_price: Price,
    /// One, where it is left out.
    #[serde(default)]
    pub quantity: Option<Whole<1, 10_000>>,
    /// Hundredths of a percent on top of the price: 1800 are 18 %. None, where it is left out.
    #[serde(default)]
    pub tax_basis_points: Option<Whole<0, 10_000>>,
    /// The dental procedure that it is for.
    #[serde(default)]
    pub procedure_id: Option<DentalProcedureId>,
    /// The visit that it is for: the consultation.
    #[serde(default)]
    pub visit_id: Option<VisitId>,
    /// The prescription whose medicines it is for.
    #[serde(default)]
    pub prescription_id: Option<PrescriptionId>,
}

impl CaptureCharge {
    pub(super) fn reads(&self, facts: &Facts) -> Vec<Read> {
        let person = match self.procedure_id {
            Some(_) => Mouth::reads(self.patient_id, facts),
            None => Group::reads(self.patient_id, facts),
        };
        let prescription = self.prescription_id.map(|id| Read::Stream(id.into()));
        person.into_iter().chain(origin::reads(self.visit_id)).chain(prescription).collect()
    }

    pub(super) fn decide(
        self,
        state: Option<&Charge>,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        if state.is_some() {
            return Err(Refusal::conflict("duplicate", "There is a charge with this id already.").at("/id"));
        }
        let person = Group::find(self.patient_id, facts).map_err(|refusal| refusal.at("/patient_id"))?;
        origin::is_of(&person, self.visit_id, facts)?;
        self.check_prescription(&person, facts)?;
        if let Some(procedure) = self.procedure_id {
            is_charged(procedure, &Mouth::of(self.patient_id, facts)?)?;
        }
        let quantity = self.quantity.map_or(1, Into::into);
        let tax_basis_points = self.tax_basis_points.map_or(0, Into::into);
        let captured = ChargeEvent::ChargeCaptured {
            patient: self.patient_id,
            amount: amount::of_line(self.unit_price.into(), quantity, tax_basis_points)?,
            procedure: self.procedure_id,
            visit: self.visit_id,
            prescription: self.prescription_id,
            sealed: ChargeDescription { description: self.description.into() }.into(),
        };
        Ok(Decision::one(context.target, captured))
    }

    /// Of this person, and issued: nothing is handed out of a draft.
    fn check_prescription(&self, person: &Group<'_>, facts: &Facts) -> Result<(), Refusal> {
        const POINTER: &str = "/prescription_id";
        let Some(id) = self.prescription_id else { return Ok(()) };
        let prescription =
            facts.get::<Prescription>(id).ok_or_else(|| Refusal::not_found("prescription").at(POINTER))?;
        if !person.contains(prescription.patient) {
            let detail = "The prescription is another patient's.";
            return Err(Refusal::rule("prescription-of-another", detail).at(POINTER));
        }
        match prescription.is_draft() {
            true => Err(Refusal::rule("not-issued", "Nothing is handed out of a draft.").at(POINTER)),
            false => Ok(()),
        }
    }
}

/// Of this patient, and not cancelled: some are paid for before they are done.
fn is_charged(procedure: DentalProcedureId, mouth: &Mouth<'_>) -> Result<(), Refusal> {
    let (_, known) = mouth.procedure(procedure)?;
    match known.status {
        DentalProcedureStatus::Cancelled => {
            let detail = "The procedure was cancelled; nobody pays for it.";
            Err(Refusal::rule("procedure-cancelled", detail).at("/procedure_id"))
        }
        DentalProcedureStatus::Planned | DentalProcedureStatus::InProgress | DentalProcedureStatus::Completed => Ok(()),
    }
}
