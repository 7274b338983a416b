//! Against what a draft is held: everything that the person's charts say, whichever record it lies in.

use chrono::{DateTime, Utc};
use events::{
    AllergyId, MedicineId, PatientId, PrescriptionId, PrescriptionItemId, StreamId,
    medicine::MedicineEntry,
    patient::Allergy,
    prescription::{PrescriptionItem, Regimen},
};

use super::super::{Line, Prescription};
use crate::{
    Facts, Read, Refusal, medicine,
    patient::{ChartSummary, Group},
    substance,
};

/// An item of a draft, with what the clinic's catalogue says of the medicine.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    pub item: PrescriptionItemId,
    pub regimen: &'a Regimen,
    pub entry: &'a MedicineEntry,
}

/// An item of another prescription that holds now, as it was issued.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken<'a> {
    pub prescription: PrescriptionId,
    pub item: PrescriptionItemId,
    pub regimen: &'a Regimen,
    pub entry: &'a MedicineEntry,
    since: DateTime<Utc>,
}

impl Taken<'_> {
    /// Whether its course still goes on.
    pub fn goes_on(&self, now: DateTime<Utc>) -> bool {
        self.regimen.ends(self.since).is_none_or(|end| now < end)
    }
}

/// The whole charts; the catalogue's entries of the items; and what the platform knows of the substances.
pub fn reads(target: StreamId, prescription: &Prescription, facts: &Facts) -> Vec<Read> {
    let id = PrescriptionId(target.id);
    let mut reads = chart_reads(prescription.patient, facts);
    reads.extend(prescription.replaces.map(|old| Read::Stream(old.into())));
    let medicines = prescription.lines.iter().filter_map(|line| regimen(id, prescription, line, facts));
    reads.extend(medicines.flat_map(|regimen| medicine::reads(regimen.medicine)));
    let entries = entries(id, prescription, facts);
    let ingredients = entries.iter().flat_map(|entry| &entry.ingredients).map(|ingredient| ingredient.name.as_str());
    let allergens =
        allergies(prescription.patient, facts).map(|(_, allergy)| super::allergy::plain(&allergy.substance));
    let names: Vec<String> = ingredients.map(str::to_owned).chain(allergens).collect();
    reads.extend(substance::reads(names.iter().map(String::as_str), facts));
    reads
}

/// The lines of a prescription and what they say, as the chart has it; 410 where that was erased.
pub fn contents(
    id: PrescriptionId,
    prescription: &Prescription,
    facts: &Facts,
) -> Result<Vec<PrescriptionItem>, Refusal> {
    let content = |line: &Line| {
        let regimen = regimen(id, prescription, line, facts)?.clone();
        Some(PrescriptionItem { regimen, supply: line.supply.clone() })
    };
    prescription.lines.iter().map(|line| content(line).ok_or_else(Refusal::gone)).collect()
}

/// The items of a draft; refused where the clinic no longer prescribes one of the medicines.
pub fn candidates<'a>(
    id: PrescriptionId,
    prescription: &'a Prescription,
    facts: &'a Facts,
) -> Result<Vec<Candidate<'a>>, Refusal> {
    let candidate = |line: &Line| {
        let regimen = regimen(id, prescription, line, facts).ok_or_else(Refusal::gone)?;
        let entry = facts.medicine(regimen.medicine).ok_or_else(|| unavailable(line.item, regimen.medicine))?;
        Ok(Candidate { item: line.item, regimen, entry })
    };
    prescription.lines.iter().map(candidate).collect()
}

fn unavailable(item: PrescriptionItemId, medicine: MedicineId) -> Refusal {
    let detail = "A medicine of the draft was retired or hidden: change or remove the item.";
    let refusal = Refusal::rule("medicine-unavailable", detail);
    refusal.with("item_id", item.to_string()).with("medicine_id", medicine.to_string())
}

/// The person's whole charts, once it is known which records they have.
pub fn chart_reads(patient: PatientId, facts: &Facts) -> Vec<Read> {
    Group::known(patient, facts).iter().flat_map(Group::ids).map(Read::WholeChart).collect()
}

fn charts(patient: PatientId, facts: &Facts) -> impl Iterator<Item = &ChartSummary> {
    let group = Group::known(patient, facts);
    let ids: Vec<PatientId> = group.iter().flat_map(Group::ids).collect();
    ids.into_iter().filter_map(|member| facts.charts.get(&member))
}

/// What the person has to be guarded against.
pub(super) fn allergies(patient: PatientId, facts: &Facts) -> impl Iterator<Item = (AllergyId, &Allergy)> {
    let all = charts(patient, facts).flat_map(|chart| &chart.safety.allergies);
    all.filter_map(|(id, allergy)| Some((*id, allergy.as_ref()?)))
}

/// What the person has been prescribed besides, and by this draft is to go on with.
pub(super) fn taken<'a>(id: PrescriptionId, prescription: &Prescription, facts: &'a Facts) -> Vec<Taken<'a>> {
    let mut taken = Vec::new();
    for chart in charts(prescription.patient, facts) {
        let others = chart.safety.prescriptions.iter().filter(|(other, known)| {
            **other != id && Some(**other) != prescription.replaces && known.status.is_current()
        });
        taken.extend(others.flat_map(|(prescription, known)| {
            known.items.iter().filter_map(|(item, recorded)| {
                let (regimen, entry) = (recorded.regimen.as_ref()?, recorded.entry.as_ref()?);
                Some(Taken { prescription: *prescription, item: *item, regimen, entry, since: recorded.since })
            })
        }));
    }
    taken
}

/// Of the draft's items and of all that is taken besides, as far as they are known by now.
fn entries<'a>(id: PrescriptionId, prescription: &Prescription, facts: &'a Facts) -> Vec<&'a MedicineEntry> {
    let drafted = prescription.lines.iter().filter_map(|line| {
        let regimen = regimen(id, prescription, line, facts)?;
        facts.medicine(regimen.medicine)
    });
    drafted.chain(taken(id, prescription, facts).into_iter().map(|taken| taken.entry)).collect()
}

fn regimen<'a>(id: PrescriptionId, prescription: &Prescription, line: &Line, facts: &'a Facts) -> Option<&'a Regimen> {
    let known = facts.charts.get(&prescription.patient)?.safety.prescriptions.get(&id)?;
    known.items.get(&line.item)?.regimen.as_ref()
}
