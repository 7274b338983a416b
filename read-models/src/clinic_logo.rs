//! The picture that a clinic prints on its documents. By itself, since the clinic's row is read with every other query.

use events::{ClinicEvent, ClinicId, DomainEvent, Recorded, clinic::ClinicLogo};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Projection;

/// `read.clinic_logo_1`: one row per clinic that has had a logo.
pub struct ClinicLogos;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClinicLogoRow {
    pub id: ClinicId,
    /// `None`: it was removed.
    pub logo: Option<ClinicLogo>,
    /// Of the clinic, with the last change of the logo.
    pub version: i64,
    pub position: i64,
}

impl Projection for ClinicLogos {
    const NAME: &'static str = "clinic_logo";
    const REVISION: i32 = 1;
    const TABLE: &'static str = "read.clinic_logo_1";
    const ONE_STREAM: bool = true;
    type Key = Uuid;
    type Row = ClinicLogoRow;

    fn keys(event: &Recorded) -> Vec<Uuid> {
        match event.event {
            DomainEvent::Clinic(ClinicEvent::ClinicLogoSet { .. } | ClinicEvent::ClinicLogoRemoved {}) => {
                vec![event.stream.id]
            }
            _ => Vec::new(),
        }
    }

    fn fold(row: Option<ClinicLogoRow>, _: &Uuid, event: &Recorded) -> Option<ClinicLogoRow> {
        let logo = match &event.event {
            DomainEvent::Clinic(ClinicEvent::ClinicLogoSet { logo }) => Some(logo.clone()),
            DomainEvent::Clinic(ClinicEvent::ClinicLogoRemoved {}) => None,
            _ => return row,
        };
        Some(ClinicLogoRow { id: ClinicId(event.stream.id), logo, version: event.version, position: event.position })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::History;

    #[test]
    fn the_last_logo_stands_until_it_is_removed() {
        let mut history = History::new();
        history.clinic_registered();
        assert!(history.row::<ClinicLogos>(history.clinic.0).is_none());
        for sha256 in ["a", "b"] {
            let logo = ClinicLogo { media_type: "image/png".into(), sha256: sha256.into(), data: "AAAA".into() };
            history.clinic(ClinicEvent::ClinicLogoSet { logo });
        }
        let row = history.row::<ClinicLogos>(history.clinic.0).unwrap();
        assert_eq!((row.logo.map(|logo| logo.sha256).as_deref(), row.version), (Some("b"), 3));
        history.clinic(ClinicEvent::ClinicLogoRemoved {});
        assert_eq!(history.row::<ClinicLogos>(history.clinic.0).unwrap().logo, None);
    }
}
