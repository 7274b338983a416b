//! Teeth and what is seen on them, as a dental chart writes it.

use derive_more::Display;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

/// A tooth in FDI two-digit notation (ISO 3950): the quadrant, then the place counted from the midline. Permanent teeth
/// are 11–18, 21–28, 31–38 and 41–48, primary ones 51–55, 61–65, 71–75 and 81–85.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Display, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Tooth(pub u8);

impl Tooth {
    /// 1 to 8: upper right, upper left, lower left, lower right; 5 to 8 of primary teeth.
    pub fn quadrant(self) -> u8 {
        self.0 / 10
    }

    /// 1 is the central incisor.
    pub fn place(self) -> u8 {
        self.0 % 10
    }

    /// A tooth that falls out when a permanent one comes.
    pub fn is_primary(self) -> bool {
        self.quadrant() > 4
    }

    pub fn is_upper(self) -> bool {
        matches!(self.quadrant(), 1 | 2 | 5 | 6)
    }

    /// Whether there is such a tooth.
    pub fn exists(self) -> bool {
        match self.quadrant() {
            1..=4 => (1..=8).contains(&self.place()),
            5..=8 => (1..=5).contains(&self.place()),
            _ => false,
        }
    }
}

/// A side of a tooth.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Surface {
    /// Where a premolar or molar chews.
    Occlusal,
    /// Where an incisor or canine bites.
    Incisal,
    Mesial,
    Distal,
    Buccal,
    /// Towards the tongue, of a lower tooth.
    Lingual,
    /// Towards the palate, of an upper tooth.
    Palatal,
}

#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ToothCondition {
    Cavity,
    Decay,
    Fracture,
    Crack,
    Discoloration,
    Wear,
    Erosion,
    Abscess,
    GumDisease,
    RootExposure,
    Sensitivity,
    Missing,
    Impacted,
    Other,
}

#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ToothSeverity {
    Mild,
    Moderate,
    Severe,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_thirty_two_permanent_and_twenty_primary_teeth() {
        let all: Vec<Tooth> = (0..=u8::MAX).map(Tooth).filter(|tooth| tooth.exists()).collect();
        let primary = all.iter().filter(|tooth| tooth.is_primary()).count();
        assert_eq!((all.len() - primary, primary), (32, 20));
        assert_eq!(all.iter().filter(|tooth| tooth.is_upper()).count(), 26);
    }
}
