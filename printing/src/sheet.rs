//! What stands on every page: whose clinic, whose record, whether it may be relied on, who printed it and when.

use serde::{Serialize, Serializer};

/// The frame of a document.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sheet {
    /// `Prescription`
    pub title: String,
    /// `RX-20260314-001`; what it has instead where it has none yet.
    pub number: String,
    pub clinic: Letterhead,
    pub patient: Person,
    /// Why it is not to be relied on, or has changed; the first that has a stamp is stamped across the page.
    pub marks: Vec<Mark>,
    pub imprint: Imprint,
}

/// The clinic.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Letterhead {
    pub name: String,
    pub address: Vec<String>,
    /// Telephone, registration number, tax id, …: what each is, and what it says.
    pub contacts: Vec<Fact>,
    #[serde(serialize_with = "is_there")]
    pub logo: Option<Logo>,
}

/// A PNG or JPEG.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logo(pub Vec<u8>);

/// A template asks for the picture by its name; it has to know only whether there is one.
fn is_there<T, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bool(value.is_some())
}

/// The patient.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Person {
    pub name: String,
    pub number: String,
    /// Date of birth and age.
    pub born: Option<String>,
    pub sex: String,
}

/// A state of the document that its reader must know.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mark {
    /// `CANCELLED`: stamped across every page.
    pub stamp: Option<String>,
    pub title: String,
    /// Who, when and why.
    pub text: Option<String>,
}

/// Who printed it and when, and what of the record it shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Imprint {
    /// `21 Nov 2026, 14:05 IST`
    pub at: String,
    pub by: String,
    /// `version 4, record 118`
    pub reflects: String,
    /// `Printed twice before`
    pub copy: Option<String>,
}

/// Something said under a label.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fact {
    pub label: String,
    pub value: String,
}

impl Fact {
    pub fn new(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self { label: label.into(), value: value.into() }
    }
}

/// Whoever answers for the document with a signature.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Signatory {
    pub name: String,
    /// Qualification, speciality, licence.
    pub lines: Vec<String>,
}
