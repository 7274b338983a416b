//! Which lists were imported into the platform's catalogue: one stream for each kind of list.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantNames};
use uuid::Uuid;

use crate::CatalogueId;

/// What the ids of lists are counted from; never changed.
const LISTS: Uuid = Uuid::from_u128(0x6361_7461_6c6f_6775_8000_0000_0000_0001);

/// What a list holds.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Display, EnumString, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum CatalogueList {
    Medicines,
    Substances,
    Interactions,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "type", content = "data")]
pub enum CatalogueEvent {
    /// A list was read to its end.
    CatalogueImported {
        list: CatalogueList,
        /// Where it comes from, in the words of the mapping.
        source: String,
        /// Of the file, in hexadecimal digits.
        sha256: String,
        /// Lines that are in the catalogue now.
        count: i64,
        /// Lines that are not.
        refused: i64,
    },
}

impl CatalogueId {
    pub fn of(list: CatalogueList) -> Self {
        Self(Uuid::new_v5(&LISTS, list.to_string().as_bytes()))
    }
}
