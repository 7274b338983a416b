//! Which values of a change the reader may see: those that the reader's other rights show, of records that are
//! not restricted for them. Of all others the name of the field is told, and that it is withheld.

use std::collections::HashSet;

use event_store::StoredRow;
use events::PatientId;
use read_models::changes::Change;
use service_kit::{Capability, Limit, Problem};
use uuid::Uuid;

use super::{content::Content, page::same_person};
use crate::{
    audience::{erased, sees_restricted, unrestricted},
    reader::Reader,
};

/// What one must be allowed to read to see a member of a read model; `None`: nobody sees it here.
fn capability(model: &str, field: &str) -> Option<Capability> {
    Some(match (model, field) {
        ("patient", "allergies" | "no_known_allergies") => Capability::Allergies,
        ("patient", "problems" | "cause_of_death") => Capability::Problems,
        ("patient", "consents") => Capability::Consent,
        ("patient", "confidentiality") => Capability::Restriction,
        ("patient", _) => Capability::PatientRead,
        ("appointment", _) => Capability::Appointments,
        ("document", _) => Capability::Documents,
        ("dental_chart" | "dental_template", _) => Capability::DentalChart,
        ("charge" | "invoice", _) => Capability::Billing,
        ("lab_order", _) => Capability::Prescribe,
        ("lab_report", _) => Capability::LabResults,
        ("visit", "vitals") => Capability::Vitals,
        ("visit", "diagnoses") => Capability::Prescribe,
        ("visit", _) => Capability::Visits,
        ("prescription", _) => Capability::Prescribe,
        // Of the last draft, which is its author's alone; what was signed is in the revisions.
        ("note", "title" | "content") => return None,
        ("note", _) => Capability::Notes,
        // Of several patients, of whom the reader may see one and not another.
        ("case_study", "parts") => return None,
        ("case_study", _) => Capability::CaseStudies,
        ("medicine", _) => Capability::Medicines,
        ("short_key", _) => Capability::ShortKeys,
        ("staff", _) => Capability::Staff,
        ("doctor", _) => Capability::DoctorHours,
        ("clinic" | "clinic_logo", _) => Capability::ClinicProfile,
        ("erasure", _) => Capability::Erasure,
        // Those who review it.
        ("emergency_access", _) => Capability::Audit,
        _ => return None,
    })
}

/// What of a page's rows is open to the reader.
pub(crate) struct Veil<'a> {
    reader: &'a Reader,
    /// Patients whose records are not restricted; `None`: the reader sees restricted ones.
    open: Option<HashSet<Uuid>>,
    /// Under these ids lies what is the reader's own: a merge makes several records one person's.
    own: HashSet<Uuid>,
    /// And under these what the reader has opened by breaking the glass.
    opened: HashSet<Uuid>,
    /// Patients who were erased. For a moment their keys still open what they sealed; nobody is shown it.
    erased: HashSet<Uuid>,
}

impl<'a> Veil<'a> {
    pub(crate) async fn of(reader: &'a Reader, rows: &[StoredRow]) -> Result<Self, Problem> {
        let patients: HashSet<Uuid> = rows.iter().filter_map(|row| row.patient).map(|patient| patient.0).collect();
        let patients: Vec<Uuid> = patients.into_iter().collect();
        let erased = erased(reader, patients.clone()).await?;
        let open = match sees_restricted(reader) {
            true => None,
            false => Some(unrestricted(reader, patients).await?),
        };
        let own = people(reader, reader.scope().patient()).await?;
        let opened = people(reader, reader.opened()).await?;
        Ok(Self { reader, open, own, opened, erased })
    }

    pub(super) fn is_erased(&self, patient: Option<PatientId>) -> bool {
        patient.is_some_and(|patient| self.erased.contains(&patient.0))
    }

    /// What is said of a row's sealed part, of which `found` is what became of it.
    pub(super) fn content(&self, row: &StoredRow, found: Content) -> Content {
        match found {
            Content::Sealed if self.is_erased(row.patient) => Content::Erased,
            found => found,
        }
    }

    /// Whether what a row says about this patient may be shown. Of somebody whom no read model knows, it may not.
    pub(crate) fn is_open(&self, patient: Option<PatientId>) -> bool {
        match (&self.open, patient) {
            _ if self.is_erased(patient) => false,
            (None, _) | (_, None) => true,
            (Some(open), Some(patient)) => open.contains(&patient.0),
        }
    }

    pub(super) fn shows(&self, patient: Option<PatientId>, change: &Change) -> bool {
        let Some(capability) = capability(change.model, &change.field) else { return false };
        let is_among = |ids: &HashSet<Uuid>| patient.is_some_and(|patient| ids.contains(&patient.0));
        if self.is_erased(patient) || is_among(&self.opened) {
            return !self.is_erased(patient);
        }
        let reach = self.reader.grant(capability).read;
        // A patient reads their own, restricted or not; what of it was not released is not among the rows.
        let is_own = is_among(&self.own) && (reach.covers(Limit::Own) || reach.covers(Limit::Released));
        is_own || self.is_open(patient) && reach.is_everything()
    }
}

/// All ids of these people.
async fn people(reader: &Reader, patients: impl IntoIterator<Item = PatientId>) -> Result<HashSet<Uuid>, Problem> {
    let mut ids = HashSet::new();
    for patient in patients {
        if !ids.contains(&patient.0) {
            ids.extend(same_person(reader, patient).await?);
        }
    }
    Ok(ids)
}

/// Whether the reader may see what is not sealed in this row.
pub(crate) async fn is_open(reader: &Reader, row: &StoredRow) -> Result<bool, Problem> {
    Ok(Veil::of(reader, std::slice::from_ref(row)).await?.is_open(row.patient))
}

#[cfg(test)]
mod tests {
    use read_models::{Projection, Visitor, each};

    use super::*;

    struct OfOneStream;

    impl Visitor for OfOneStream {
        type Output = Option<&'static str>;

        fn visit<P: Projection>(&mut self) -> Self::Output {
            P::ONE_STREAM.then_some(P::NAME)
        }
    }

    #[test]
    fn every_read_model_whose_changes_are_told_has_a_capability() {
        for model in each(&mut OfOneStream).into_iter().flatten() {
            assert!(capability(model, "").is_some(), "{model} needs a line here");
        }
    }
}
