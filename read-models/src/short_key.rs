//! Short keys: what they stand for, whose they are, and how often they were used.

use chrono::{DateTime, Utc};
use events::{DoctorId, DomainEvent, Recorded, ShortKeyEvent, ShortKeyId, prescription::PrescriptionItem};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Projection;

/// `read.short_key_1`: one row per short key.
pub struct ShortKeys;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShortKeyRow {
    pub id: ShortKeyId,
    pub code: String,
    /// `None`: the clinic's.
    pub doctor_id: Option<DoctorId>,
    pub title: Option<String>,
    pub items: Vec<PrescriptionItem>,
    pub retired: bool,
    pub uses: i64,
    pub last_used_at: Option<DateTime<Utc>>,
    pub version: i64,
    pub position: i64,
}

impl Projection for ShortKeys {
    const NAME: &'static str = "short_key";
    const REVISION: i32 = 1;
    const TABLE: &'static str = "read.short_key_1";
    const ONE_STREAM: bool = true;
    type Key = Uuid;
    type Row = ShortKeyRow;

    fn keys(event: &Recorded) -> Vec<Uuid> {
        match event.event {
            DomainEvent::ShortKey(_) => vec![event.stream.id],
            _ => Vec::new(),
        }
    }

    fn fold(row: Option<ShortKeyRow>, _: &Uuid, event: &Recorded) -> Option<ShortKeyRow> {
        let DomainEvent::ShortKey(change) = &event.event else { return row };
        let mut row = match (row, change) {
            (None, ShortKeyEvent::ShortKeyDefined { code, doctor, title, items }) => ShortKeyRow {
                id: ShortKeyId(event.stream.id),
                code: code.clone(),
                doctor_id: *doctor,
                title: title.clone(),
                items: items.clone(),
                retired: false,
                uses: 0,
                last_used_at: None,
                version: event.version,
                position: event.position,
            },
            (row, _) => row?,
        };
        row.take(change, event.occurred_at);
        row.version = event.version;
        row.position = event.position;
        Some(row)
    }
}

impl ShortKeyRow {
    fn take(&mut self, change: &ShortKeyEvent, at: DateTime<Utc>) {
        match change {
            ShortKeyEvent::ShortKeyDefined { .. } => {}
            ShortKeyEvent::ShortKeyItemsSet { items } => self.items.clone_from(items),
            ShortKeyEvent::ShortKeyReordered { order } => {
                self.items = order.iter().filter_map(|place| self.items.get(*place).cloned()).collect();
            }
            ShortKeyEvent::ShortKeyRetired {} => self.retired = true,
            ShortKeyEvent::ShortKeyUsed { .. } => {
                self.uses += 1;
                self.last_used_at = Some(at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use events::{
        MedicineId,
        prescription::{Amount, Regimen, Supply},
    };

    use super::*;
    use crate::sample::History;

    fn item(n: u128) -> PrescriptionItem {
        let (medicine, unit) = (MedicineId(Uuid::from_u128(n)), "{tablet}".to_owned());
        let regimen = Regimen {
            medicine,
            dose: None,
            route: None,
            frequency: None,
            duration: None,
            timing: None,
            instructions: None,
        };
        let quantity = Amount { value: 10.into(), unit };
        PrescriptionItem { regimen, supply: Supply { quantity, substitution_allowed: false, unit_price: None } }
    }

    #[test]
    fn a_short_key_is_put_into_order_and_its_uses_are_counted() {
        let mut history = History::new();
        let key = ShortKeyId(history.fresh());
        let items = vec![item(1), item(2)];
        let defined = ShortKeyEvent::ShortKeyDefined { code: "FEVER".into(), doctor: None, title: None, items };
        history.push(key.into(), defined);
        history.push(key.into(), ShortKeyEvent::ShortKeyReordered { order: vec![1, 0] });
        history.push(key.into(), ShortKeyEvent::ShortKeyUsed { prescription: None });
        history.push(key.into(), ShortKeyEvent::ShortKeyUsed { prescription: None });
        let row = history.row::<ShortKeys>(key.0).unwrap();
        assert_eq!(row.items, [item(2), item(1)]);
        assert_eq!((row.uses, row.last_used_at.is_some(), row.version), (2, true, 4));
        history.push(key.into(), ShortKeyEvent::ShortKeyRetired {});
        assert!(history.row::<ShortKeys>(key.0).unwrap().retired);
    }
}
