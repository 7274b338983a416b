//! Documents people can hold: prescriptions, invoices, laboratory reports and summaries of visits, as PDF.
//!
//! Pure: typed data in, bytes out; the same data give the same bytes. What a sheet looks like is in `templates/`, in Typst.
//! The data reach a template as values and never as markup, so that whatever people typed prints as it is.

mod fonts;
mod invoice;
mod lab_report;
mod prescription;
mod sheet;
mod text;
mod visit;
pub mod words;
mod world;

use serde::Serialize;

pub use fonts::{Fonts, NotAFont};
pub use invoice::{InvoiceSheet, InvoicedLine, Movement, TaxSum};
pub use lab_report::{EarlierResult, LabReportSheet, ReportedResult, ResultMark};
pub use prescription::{AllergyNotice, PrescribedItem, PrescriptionSheet};
pub use sheet::{Fact, Imprint, Letterhead, Logo, Mark, Person, Sheet, Signatory};
pub use text::CHARS_MAX;
pub use visit::{DiagnosisLine, Listed, MeasuredSet, Sign, VisitSheet};

/// Bytes of the data of one document.
pub const DATA_BYTES_MAX: usize = 512 * 1024;

/// Something to be printed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Document {
    Prescription(PrescriptionSheet),
    Invoice(InvoiceSheet),
    LabReport(LabReportSheet),
    Visit(VisitSheet),
}

/// Why there is no PDF.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unprintable {
    #[error("the document has more than {DATA_BYTES_MAX} bytes of text")]
    TooLong,
    /// A fault of a template: no data bring it about.
    #[error("the document could not be set: {0}")]
    NotSet(String),
}

impl Document {
    pub fn sheet(&self) -> &Sheet {
        match self {
            Self::Prescription(document) => &document.sheet,
            Self::Invoice(document) => &document.sheet,
            Self::LabReport(document) => &document.sheet,
            Self::Visit(document) => &document.sheet,
        }
    }

    pub fn sheet_mut(&mut self) -> &mut Sheet {
        match self {
            Self::Prescription(document) => &mut document.sheet,
            Self::Invoice(document) => &mut document.sheet,
            Self::LabReport(document) => &mut document.sheet,
            Self::Visit(document) => &mut document.sheet,
        }
    }

    /// The template that sets it.
    fn template(&self) -> &'static str {
        match self {
            Self::Prescription(_) => "/prescription.typ",
            Self::Invoice(_) => "/invoice.typ",
            Self::LabReport(_) => "/lab-report.typ",
            Self::Visit(_) => "/visit.typ",
        }
    }
}

/// Sets documents with the fonts that it was given.
#[derive(Clone)]
pub struct Printer {
    fonts: Fonts,
}

impl Printer {
    pub fn new(fonts: Fonts) -> Self {
        Self { fonts }
    }

    /// The PDF of a document. A logo that cannot be read is left out, and the clinic's name stands alone.
    ///
    /// # Errors
    /// The document is too long.
    pub fn print(&self, document: &Document) -> Result<Vec<u8>, Unprintable> {
        let data = serde_json::to_value(document).map_err(|error| Unprintable::NotSet(error.to_string()))?;
        let data = text::fit(data).to_string();
        if data.len() > DATA_BYTES_MAX {
            return Err(Unprintable::TooLong);
        }
        let logo = document.sheet().clinic.logo.as_ref().map(|logo| logo.0.as_slice());
        match (world::pdf(&self.fonts, document.template(), data, logo), logo) {
            (Err(_), Some(_)) => {
                let mut without = document.clone();
                without.sheet_mut().clinic.logo = None;
                self.print(&without)
            }
            (done, _) => done,
        }
    }
}
