//! The lines of a draft.

use events::{
    MedicineId, PrescriptionEvent, PrescriptionItemId,
    prescription::{self as said, FoodTiming, PrescriptionItem, Regimen, Supply, TimeUnit},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::case::Case;
use crate::{
    Decision, Facts, Read, Refusal, medicine,
    values::{Amount, Price, Text, Whole},
};

/// A prescription has so many lines, and no more.
pub const MAX_ITEMS: usize = 40;

/// A line of a prescription: which medicine, how it is taken, and how much is handed out.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemBody {
    pub medicine_id: MedicineId,
    /// Each time.
    #[serde(default)]
    pub dose: Option<Amount>,
    /// The catalogue's, where it is left out.
    #[serde(default)]
    pub route: Option<Text<64>>,
    /// Once, where it is left out.
    #[serde(default)]
    pub frequency: Option<FrequencyBody>,
    /// Until it is stopped, where it is left out.
    #[serde(default)]
    pub duration: Option<PeriodBody>,
    /// When in relation to food.
    #[serde(default)]
    pub timing: Option<FoodTiming>,
    #[serde(default)]
    pub instructions: Option<Text<500>>,
    /// What is handed out with each filling.
    pub quantity: Amount,
    #[serde(default)]
    pub substitution_allowed: bool,
    /// Of one unit of the quantity.
    #[serde(default)]
    pub unit_price: Option<Price>,
}

/// Three times in one day: `{"times": 3, "every": {"count": 1, "unit": "d"}}`.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FrequencyBody {
    pub times: Whole<1, 24>,
    pub every: PeriodBody,
    /// Only when it is needed, and then no more often than this.
    #[serde(default)]
    pub as_needed: bool,
}

/// So many hours (`h`), days (`d`), weeks (`wk`) or months of 30 days (`mo`).
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PeriodBody {
    pub count: Whole<1, 400>,
    pub unit: TimeUnit,
}

/// Adds a line to a draft.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddPrescriptionItem {
    pub item: ItemBody,
}

/// Replaces a line of a draft.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePrescriptionItem {
    pub item_id: PrescriptionItemId,
    pub item: ItemBody,
}

/// Takes a line out of a draft.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemovePrescriptionItem {
    pub item_id: PrescriptionItemId,
}

impl From<PeriodBody> for said::Period {
    fn from(period: PeriodBody) -> Self {
        Self { count: period.count.get(), unit: period.unit }
    }
}

impl From<FrequencyBody> for said::Frequency {
    fn from(frequency: FrequencyBody) -> Self {
        let FrequencyBody { times, every, as_needed } = frequency;
        Self { times: times.get(), every: every.into(), as_needed }
    }
}

impl ItemBody {
    pub(super) fn reads(&self) -> Vec<Read> {
        medicine::reads(self.medicine_id).into()
    }

    /// The line, as far as it says so itself.
    pub fn written(self) -> PrescriptionItem {
        let regimen = Regimen {
            medicine: self.medicine_id,
            dose: self.dose.map(Into::into),
            route: self.route.map(Into::into),
            frequency: self.frequency.map(Into::into),
            duration: self.duration.map(Into::into),
            timing: self.timing,
            instructions: self.instructions.map(Into::into),
        };
        let supply = Supply {
            quantity: self.quantity.into(),
            substitution_allowed: self.substitution_allowed,
            unit_price: self.unit_price.map(Into::into),
        };
        PrescriptionItem { regimen, supply }
    }

    /// The line, with what the catalogue says where it says nothing. The medicine is one that the clinic prescribes.
    pub(super) fn checked(self, facts: &Facts) -> Result<PrescriptionItem, Refusal> {
        let entry = facts.medicine(self.medicine_id);
        let entry = entry.ok_or_else(|| Refusal::not_found("medicine").at("/item/medicine_id"))?;
        let mut item = self.written();
        item.regimen.route = item.regimen.route.or_else(|| entry.route.clone());
        Ok(item)
    }
}

impl AddPrescriptionItem {
    pub(super) fn decide(self, case: &Case<'_>) -> Result<Decision, Refusal> {
        case.in_draft()?;
        case.person.may_come()?;
        if case.prescription.lines.len() >= MAX_ITEMS {
            return Err(too_many());
        }
        let PrescriptionItem { regimen, supply } = self.item.checked(case.facts)?;
        let (patient, item, sealed) = (case.patient(), case.context.new_id(0), regimen.into());
        case.record(PrescriptionEvent::PrescriptionItemAdded { patient, item, supply, sealed })
    }
}

impl ChangePrescriptionItem {
    pub(super) fn decide(self, case: &Case<'_>) -> Result<Decision, Refusal> {
        case.in_draft()?;
        case.person.may_come()?;
        case.line(self.item_id)?;
        let PrescriptionItem { regimen, supply } = self.item.checked(case.facts)?;
        let (patient, item, sealed) = (case.patient(), self.item_id, regimen.into());
        case.record(PrescriptionEvent::PrescriptionItemChanged { patient, item, supply, sealed })
    }
}

impl RemovePrescriptionItem {
    pub(super) fn decide(self, case: &Case<'_>) -> Result<Decision, Refusal> {
        case.in_draft()?;
        let item = case.line(self.item_id)?.item;
        case.record(PrescriptionEvent::PrescriptionItemRemoved { patient: case.patient(), item })
    }
}

pub(super) fn too_many() -> Refusal {
    Refusal::rule("too-many-items", format!("A prescription has at most {MAX_ITEMS} items: issue another one."))
}
