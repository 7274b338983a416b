//! What can happen to a clinic's template of dental treatment: what is usually done about a finding. It is about
//! nobody, so nothing of it is sealed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};

use crate::{
    tooth::{Surface, Tooth, ToothCondition},
    values::Money,
};

/// What a finding must be for the template to fit. What is `None` fits everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FindingPattern {
    /// The quadrant, 1 to 8.
    pub quadrant: Option<u8>,
    /// The place in the quadrant, 1 to 8.
    pub place: Option<u8>,
    /// One of the finding's surfaces.
    pub surface: Option<Surface>,
    pub condition: Option<ToothCondition>,
}

/// What naming the condition counts: more than all else together.
const CONDITION: u8 = 6;
/// What naming the surface counts: more than naming the tooth.
const SURFACE: u8 = 3;
/// What naming the quadrant, or the place, counts.
const DIGIT: u8 = 1;

impl FindingPattern {
    /// How closely the pattern fits; `None`: it does not. A pattern that names more fits more closely: what is wrong
    /// counts more than where on the tooth, and that more than on which tooth.
    pub fn score(&self, tooth: Tooth, surfaces: &[Surface], condition: ToothCondition) -> Option<u8> {
        let named = [
            (self.condition.map(|named| named == condition), CONDITION),
            (self.surface.map(|named| surfaces.contains(&named)), SURFACE),
            (self.quadrant.map(|named| named == tooth.quadrant()), DIGIT),
            (self.place.map(|named| named == tooth.place()), DIGIT),
        ];
        named.into_iter().try_fold(0, |score, (fits, counts)| match fits {
            None => Some(score),
            Some(true) => Some(score + counts),
            Some(false) => None,
        })
    }
}

/// A procedure that a template proposes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProposedProcedure {
    /// CDT, `D2391`.
    pub code: String,
    pub description: Option<String>,
    pub estimate: Option<Money>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "type", content = "data")]
pub enum DentalTemplateEvent {
    DentalTemplateDefined {
        name: String,
        pattern: FindingPattern,
        /// In the order in which they are done.
        procedures: Vec<ProposedProcedure>,
    },
    /// It proposes nothing any more.
    DentalTemplateRetired {},
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(pattern: FindingPattern) -> Option<u8> {
        pattern.score(Tooth(16), &[Surface::Mesial, Surface::Occlusal], ToothCondition::Cavity)
    }

    #[test]
    fn what_names_more_fits_more_closely() {
        let any = FindingPattern::default();
        let condition = FindingPattern { condition: Some(ToothCondition::Cavity), ..any };
        let surface = FindingPattern { surface: Some(Surface::Occlusal), ..any };
        let tooth = FindingPattern { quadrant: Some(1), place: Some(6), ..any };
        let place = FindingPattern { place: Some(6), ..any };
        let all = FindingPattern { condition: condition.condition, surface: surface.surface, ..tooth };
        let surface_and_tooth = FindingPattern { surface: surface.surface, ..tooth };
        let closest_first = [all, condition, surface_and_tooth, surface, tooth, place, any];
        assert!(closest_first.map(score).is_sorted_by(|closer, other| closer > other));
        assert_eq!(score(any), Some(0));
    }

    #[test]
    fn what_names_something_else_does_not_fit() {
        let any = FindingPattern::default();
        assert_eq!(score(FindingPattern { condition: Some(ToothCondition::Decay), ..any }), None);
        assert_eq!(score(FindingPattern { surface: Some(Surface::Distal), ..any }), None);
        assert_eq!(score(FindingPattern { quadrant: Some(2), place: Some(6), ..any }), None);
        assert_eq!(score(FindingPattern { place: Some(7), condition: Some(ToothCondition::Cavity), ..any }), None);
    }
}
