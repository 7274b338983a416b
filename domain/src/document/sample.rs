//! What the tests of documents share.

use events::{DocumentId, PatientId};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{CompleteUpload, UploadDocument};
use crate::testing::{World, body, id};

pub(super) const SIZE: i64 = 100;
pub(super) const SHA256: &str = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
pub(super) const OTHER_SHA256: &str = "fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9";

/// A clinic with the patient 1.
pub(super) fn desk() -> World {
    let mut world = World::with_clinic(chrono_tz::Asia::Kolkata);
    world.given_patient(1);
    world
}

/// The announcement of a document of the patient 1.
pub(super) fn announced(others: Value) -> UploadDocument {
    let mut all = json!({
        "patient_id": id::<PatientId>(1), "kind": "clinical", "title": "Discharge summary",
        "media_type": "application/pdf", "size": SIZE, "sha256": SHA256
    });
    all.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
    body(all)
}

pub(super) fn completed(sha256: &str) -> CompleteUpload {
    CompleteUpload { upload: Uuid::from_u128(0xB17E5), sha256: sha256.parse().unwrap() }
}

pub(super) fn given_uploaded(world: &mut World, n: u128, patient: u128) {
    let document: DocumentId = id(n);
    world.document(document, announced(json!({"patient_id": id::<PatientId>(patient)}))).unwrap();
    world.document(document, completed(SHA256)).unwrap();
}
