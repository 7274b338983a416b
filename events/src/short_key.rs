//! What can happen to a short key: an abbreviation that expands to lines of a prescription. It is about no patient.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};

use crate::{DoctorId, PrescriptionId, prescription::PrescriptionItem};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "type", content = "data")]
pub enum ShortKeyEvent {
    ShortKeyDefined {
        /// `FEVER`
        code: String,
        /// Whose it is; `None`: the clinic's.
        doctor: Option<DoctorId>,
        title: Option<String>,
        /// In the order in which they are prescribed.
        items: Vec<PrescriptionItem>,
    },
    ShortKeyItemsSet {
        items: Vec<PrescriptionItem>,
    },
    ShortKeyReordered {
        /// The places of the items in the order before, from 0: each once.
        order: Vec<usize>,
    },
    ShortKeyRetired {},
    /// It was expanded into a prescription.
    ShortKeyUsed {
        prescription: Option<PrescriptionId>,
    },
}
