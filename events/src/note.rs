//! What can happen to a clinical note. Who wrote and who signed, when, and the digest of what was signed are clear;
//! what the note says is sealed under the patient's key.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use strum::{Display, EnumString, IntoStaticStr, VariantArray, VariantNames};

use crate::{AddendumId, NoteId, PatientId, Sealed, UserId, VisitId, claim::KeyedHash, patient::Reason};

/// What a note is for.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum NoteKind {
    #[default]
    Progress,
    /// Subjective, objective, assessment, plan.
    Soap,
    /// History and physical examination.
    History,
    Consultation,
    Procedure,
    Referral,
    Discharge,
    Nursing,
    Telephone,
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
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum NoteStatus {
    /// The author's alone.
    Draft,
    Signed,
    /// Signed by another doctor as well.
    Cosigned,
    /// Signed anew, with other words; the earlier ones stay.
    Amended,
    EnteredInError,
}

impl NoteStatus {
    /// Whether it carries a signature that stands.
    pub fn is_signed(self) -> bool {
        match self {
            Self::Signed | Self::Cosigned | Self::Amended => true,
            Self::Draft | Self::EnteredInError => false,
        }
    }
}

/// Why a note was amended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum AmendmentCode {
    /// Something in it was wrong.
    Correction,
    /// Something was missing.
    Omission,
    Clarification,
    #[default]
    Other,
}

/// Why a note was struck out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum RetractionCode {
    WrongPatient,
    WrongContent,
    Duplicate,
    #[default]
    Other,
}

/// What a note says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NoteText {
    pub title: Option<String>,
    pub content: String,
}

/// What a note says after an amendment, and why it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AmendedText {
    pub title: Option<String>,
    pub content: String,
    pub reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AddendumText {
    pub content: String,
}

/// SHA-256, in 64 lower-case hexadecimal digits.
#[derive(
    Clone, Debug, PartialEq, Eq, Hash, derive_more::Display, derive_more::From, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct ContentHash(pub String);

impl ContentHash {
    fn of(parts: &[&str]) -> Self {
        Self(Sha256::digest(parts.join("\n")).iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// What whoever signs a note states: the SHA-256 of the UTF-8 of `casebook-note-1`, the note's id, its kind, its
    /// title (empty where it has none) and its content, with a line feed between each and the next. Only the content
    /// may have lines of its own, so no two notes have one form.
    pub fn of_note(note: NoteId, kind: NoteKind, title: Option<&str>, content: &str) -> Self {
        Self::of(&["casebook-note-1", &note.to_string(), kind.into(), title.unwrap_or_default(), content])
    }

    /// Of an addendum: `casebook-addendum-1`, the note's id, the addendum's and its content, joined as those of a note.
    pub fn of_addendum(note: NoteId, addendum: AddendumId, content: &str) -> Self {
        Self::of(&["casebook-addendum-1", &note.to_string(), &addendum.to_string(), content])
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "type", content = "data")]
pub enum NoteEvent {
    NoteStarted {
        patient: PatientId,
        visit: Option<VisitId>,
        kind: NoteKind,
        author: UserId,
        /// Of the [`ContentHash`] of the draft: it can be compared with what somebody wants to sign, and tells nothing
        /// to who has not the clinic's key.
        draft: KeyedHash,
        #[serde(default)]
        sealed: Sealed<NoteText>,
    },
    NoteDraftSaved {
        patient: PatientId,
        kind: NoteKind,
        draft: KeyedHash,
        #[serde(default)]
        sealed: Sealed<NoteText>,
    },
    /// Of the last draft; it is revision 1.
    NoteSigned { patient: PatientId, signer: UserId, content_sha256: ContentHash },
    NoteCosigned {
        patient: PatientId,
        signer: UserId,
        /// 1, 2, 3 …: the one that was signed once more.
        revision: i64,
        content_sha256: ContentHash,
    },
    NoteAddendumAdded {
        patient: PatientId,
        addendum: AddendumId,
        author: UserId,
        content_sha256: ContentHash,
        #[serde(default)]
        sealed: Sealed<AddendumText>,
    },
    /// A new revision, signed by who made it.
    NoteAmended {
        patient: PatientId,
        signer: UserId,
        revision: i64,
        reason: AmendmentCode,
        content_sha256: ContentHash,
        #[serde(default)]
        sealed: Sealed<AmendedText>,
    },
    /// From here on the patient sees it.
    NoteReleased { patient: PatientId },
    NoteEnteredInError {
        patient: PatientId,
        was: NoteStatus,
        reason: RetractionCode,
        #[serde(default)]
        sealed: Sealed<Reason>,
    },
}

impl NoteEvent {
    pub fn patient(&self) -> PatientId {
        match self {
            Self::NoteStarted { patient, .. }
            | Self::NoteDraftSaved { patient, .. }
            | Self::NoteSigned { patient, .. }
            | Self::NoteCosigned { patient, .. }
            | Self::NoteAddendumAdded { patient, .. }
            | Self::NoteAmended { patient, .. }
            | Self::NoteReleased { patient }
            | Self::NoteEnteredInError { patient, .. } => *patient,
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_is_signed_has_one_form_that_anybody_can_make() {
        let note = NoteId(Uuid::from_u128(0x018f_0000_0000_7000_8000_0000_0000_0001));
        // printf 'casebook-note-1\n018f0000-0000-7000-8000-000000000001\nsoap\nCough\nS: cough\nP: rest' | sha256sum
        let hash = ContentHash::of_note(note, NoteKind::Soap, Some("Cough"), "S: cough\nP: rest");
        assert_eq!(hash.0, "ebb805bdc81fec67d0932ada45d123fa05b6afd86c8847863a01e9c447274ee0");
        let others = [
            ContentHash::of_note(note, NoteKind::Progress, Some("Cough"), "S: cough\nP: rest"),
            ContentHash::of_note(note, NoteKind::Soap, None, "Cough\nS: cough\nP: rest"),
            ContentHash::of_note(NoteId(Uuid::nil()), NoteKind::Soap, Some("Cough"), "S: cough\nP: rest"),
        ];
        assert!(!others.contains(&hash));
    }
}
