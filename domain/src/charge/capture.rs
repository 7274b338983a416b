//! Something is to be paid for.

use events::{
    ChargeEvent, ChargeId, DentalProcedureId, PatientId, charge::ChargeDescription, dental_chart::DentalProcedureStatus,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Charge, amount};
use crate::{
    Context, Decision, Facts, Read, Refusal,
    dental_chart::Mouth,
    patient::Group,
    values::{Price, Text, Whole},
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
}

impl CaptureCharge {
    pub(super) fn reads(&self, facts: &Facts) -> Vec<Read> {
        match self.procedure_id {
            Some(_) => Mouth::reads(self.patient_id, facts),
            None => Group::reads(self.patient_id, facts),
        }
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
        Group::find(self.patient_id, facts).map_err(|refusal| refusal.at("/patient_id"))?;
        if let Some(procedure) = self.procedure_id {
            is_charged(procedure, &Mouth::of(self.patient_id, facts)?)?;
        }
        let quantity = self.quantity.map_or(1, Into::into);
        let tax_basis_points = self.tax_basis_points.map_or(0, Into::into);
        let captured = ChargeEvent::ChargeCaptured {
            patient: self.patient_id,
            amount: amount::of_line(self.unit_price.into(), quantity, tax_basis_points)?,
            procedure: self.procedure_id,
            sealed: ChargeDescription { description: self.description.into() }.into(),
        };
        Ok(Decision::one(context.target, captured))
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
