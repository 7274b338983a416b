//! Which surfaces a tooth has.

use events::tooth::{Surface, Tooth};

use crate::Refusal;

/// The surfaces of a tooth, in their order and each once. Palatal are upper teeth alone, lingual lower ones; incisors
/// and canines (places 1 to 3) have an incisal edge, premolars and molars (4 to 8) an occlusal surface.
pub(super) fn of_tooth(tooth: Tooth, surfaces: &[Surface]) -> Result<Vec<Surface>, Refusal> {
    let mut surfaces = surfaces.to_vec();
    surfaces.sort_unstable();
    surfaces.dedup();
    match surfaces.iter().find(|surface| !has(tooth, **surface)) {
        None => Ok(surfaces),
        Some(surface) => Err(Refusal::rule("no-such-surface", format!("Tooth {tooth} has no {surface} surface."))
            .with("tooth", tooth.0)
            .with("surface", surface.to_string())),
    }
}

fn has(tooth: Tooth, surface: Surface) -> bool {
    match surface {
        Surface::Palatal => tooth.is_upper(),
        Surface::Lingual => !tooth.is_upper(),
        Surface::Incisal => tooth.place() <= 3,
        Surface::Occlusal => tooth.place() >= 4,
        Surface::Mesial | Surface::Distal | Surface::Buccal => true,
    }
}

#[cfg(test)]
mod tests {
    use strum::VariantArray;

    use super::*;

    #[test]
    fn every_tooth_has_five_surfaces() {
        for tooth in (0..=u8::MAX).map(Tooth).filter(|tooth| tooth.exists()) {
            assert_eq!(Surface::VARIANTS.iter().filter(|surface| has(tooth, **surface)).count(), 5, "{tooth}");
        }
    }

    #[test]
    fn what_a_tooth_has_depends_on_where_it_is() {
        let refused = [
            (16, Surface::Lingual),
            (36, Surface::Palatal),
            (61, Surface::Lingual),
            (75, Surface::Palatal),
            (16, Surface::Incisal),
            (13, Surface::Occlusal),
            (53, Surface::Occlusal),
            (54, Surface::Incisal),
            (44, Surface::Incisal),
        ];
        for (tooth, surface) in refused {
            assert_eq!(of_tooth(Tooth(tooth), &[surface]).unwrap_err().code, "no-such-surface", "{tooth} {surface}");
        }
        let twice = [Surface::Palatal, Surface::Mesial, Surface::Palatal];
        assert_eq!(of_tooth(Tooth(16), &twice).unwrap(), [Surface::Mesial, Surface::Palatal]);
    }
}
