//! A tooth is pulled.

use events::{DentalChartEvent, DentalProcedureId, dental_chart::DentalText};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Mouth, mouth::missing};
use crate::{
    Context, Decision, Refusal,
    values::{Reason, ToothNumber},
};

/// Records that a tooth was extracted; from then on it is missing. The answer's `extraction_id` names it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtractTooth {
    pub tooth: ToothNumber,
    /// In whose course.
    #[serde(default)]
    pub procedure_id: Option<DentalProcedureId>,
    /// Why, in words.
    #[serde(default)]
    pub reason: Option<Reason>,
}

impl ExtractTooth {
    pub(super) fn decide(self, mouth: &Mouth<'_>, context: &Context<'_>) -> Result<Decision, Refusal> {
        if !context.is_import() {
            mouth.person.may_come()?;
        }
        let tooth = self.tooth.get();
        if mouth.is_missing(tooth) {
            return Err(missing(tooth).at("/tooth"));
        }
        if let Some(procedure) = self.procedure_id {
            mouth.procedure(procedure)?;
        }
        let extracted = DentalChartEvent::ToothExtracted {
            extraction: context.new_id(0),
            tooth,
            procedure: self.procedure_id,
            sealed: DentalText { text: self.reason.map(Into::into) }.into(),
        };
        Ok(Decision::one(mouth.id, extracted))
    }
}

#[cfg(test)]
mod tests {
    use events::tooth::Tooth;
    use serde_json::json;

    use super::{
        super::sample::{PATIENT, chart, clinic, given_observed, on},
        *,
    };
    use crate::testing::{body, id};

    #[test]
    fn a_tooth_is_extracted_once() {
        let mut world = clinic();
        let extract = |tooth: u8| body::<ExtractTooth>(json!({"tooth": tooth, "reason": "impacted"}));
        on(&mut world, PATIENT, extract(48)).unwrap();
        assert!(chart(&world, PATIENT).is_missing(Tooth(48)));
        assert_eq!(on(&mut world, PATIENT, extract(48)).unwrap_err().code, "tooth-missing");
        given_observed(&mut world, PATIENT, json!({"tooth": 38, "condition": "missing"}));
        assert_eq!(on(&mut world, PATIENT, extract(38)).unwrap_err().code, "tooth-missing");
    }

    #[test]
    fn it_is_done_in_the_course_of_a_procedure_of_the_patients() {
        let other = json!({"tooth": 48, "procedure_id": id::<DentalProcedureId>(9)});
        let refused = on(&mut clinic(), PATIENT, body::<ExtractTooth>(other)).unwrap_err();
        assert_eq!((refused.class, refused.pointer), (crate::Class::NotFound, Some("/procedure_id")));
    }
}
