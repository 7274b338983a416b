//! A prescription, as its patient takes it to the pharmacy.

use events::{MedicineId, medicine::MedicineEntry, prescription::PrescriptionStatus};
use printing::{Document, Fact, Mark, PrescribedItem, PrescriptionSheet, words};
use read_models::{PrescriptionLine, Prescriptions};
use service_kit::Problem;

use super::{
    Desk, Printable,
    desk::{mark, reason},
};
use crate::routes::{medicines::entries, prescriptions::Prescription};

impl Printable for Prescriptions {
    const SAYS: &'static str = "`POST …/print` is how the clinic records, in the prescription itself, that it is put on paper: \
         give that command first, then ask here with `Casebook-Min-Position`. The sheet says which print it is, and from the \
         second on that it is a copy.";
    const PRINTED: &'static str = "prescription";

    async fn document(mut answer: Prescription, version: i64, desk: &Desk<'_>) -> Result<Document, Problem> {
        name_what_is_drafted(&mut answer, desk).await?;
        let doctor = answer.doctor_id.map(|id| id.0);
        let people = desk.colleagues([doctor]).await?;
        let number = answer.number.clone().unwrap_or_else(|| "Draft".to_owned());
        let marks = state(&answer, desk).into_iter().chain(copy(&answer)).collect();
        let mut sheet = desk.sheet("Prescription", number, marks, version, &people);
        sheet.imprint.copy = Some(prints(&answer, desk));
        Ok(Document::Prescription(PrescriptionSheet {
            sheet,
            facts: facts(&answer, desk),
            prescriber: people.signatory(doctor),
            allergies: desk.allergies(),
            items: answer.items.into_iter().map(|item| printed(item.line)).collect(),
        }))
    }
}

fn medicine(line: &PrescriptionLine) -> Option<MedicineId> {
    Some(line.regimen.as_ref()?.medicine)
}

/// What was issued has its entry of the catalogue with it; a draft has today's.
async fn name_what_is_drafted(answer: &mut Prescription, desk: &Desk<'_>) -> Result<(), Problem> {
    let lines = answer.items.iter().map(|item| &item.line);
    let unnamed: Vec<MedicineId> = lines.filter(|line| line.entry.is_none()).filter_map(medicine).collect();
    if unnamed.is_empty() {
        return Ok(());
    }
    let entries = entries(desk.reader, unnamed).await?;
    for line in answer.items.iter_mut().map(|item| &mut item.line).filter(|line| line.entry.is_none()) {
        line.entry = medicine(line).and_then(|id| entries.get(&id).cloned());
    }
    Ok(())
}

/// That nothing is to be handed out for it, and why.
fn state(answer: &Prescription, desk: &Desk<'_>) -> Option<Mark> {
    use PrescriptionStatus as Is;
    let why = reason(answer.status_reason.map(|code| code.to_string()), answer.status_text.as_deref());
    let since = answer.ended_at.map(|at| format!("Since {}.", desk.moment(at)));
    let replaced = answer.replaced_by.map(|_| "Another prescription stands in its place.".to_owned());
    let said: Vec<String> = since.into_iter().chain(replaced).chain(why).collect();
    let text = (!said.is_empty()).then(|| said.join(" "));
    match answer.status {
        Is::Active => None,
        Is::Draft => Some(mark("DRAFT", "Draft", Some("Not issued: nothing is handed out for it.".to_owned()))),
        Is::OnHold => Some(mark("ON HOLD", "On hold", text)),
        Is::Completed => Some(mark("COMPLETED", "Completed", text)),
        Is::Stopped => Some(mark("STOPPED", "Stopped", text)),
        Is::Cancelled => Some(mark("CANCELLED", "Cancelled", text)),
        Is::Expired => Some(mark("EXPIRED", "Expired", text)),
        Is::EnteredInError => Some(mark("ENTERED IN ERROR", "Entered in error", text)),
    }
}

/// That another one is on paper.
fn copy(answer: &Prescription) -> Option<Mark> {
    let count = answer.prints.len();
    (count > 1).then(|| mark("COPY", "Copy", Some(format!("This prescription was put on paper {count} times."))))
}

/// Which print it is, for the foot of the page.
fn prints(answer: &Prescription, desk: &Desk<'_>) -> String {
    match answer.prints.as_slice() {
        [] => "For the record: not put on paper for the patient.".to_owned(),
        [at] => format!("Print 1, recorded {}.", desk.moment(*at)),
        [first, .., last] => {
            let (count, first, last) = (answer.prints.len(), desk.moment(*first), desk.moment(*last));
            format!("Copy: print {count}, recorded {last}; first printed {first}.")
        }
    }
}

fn facts(answer: &Prescription, desk: &Desk<'_>) -> Vec<Fact> {
    let issued = answer.issued_at.map(|at| Fact::new("Issued", desk.moment(at)));
    let drafted = answer.issued_at.is_none().then(|| Fact::new("Drafted", desk.moment(answer.drafted_at)));
    let until = answer.valid_until.map(|day| Fact::new("Valid until", words::day(day)));
    let refills = match answer.refills_authorised {
        0 => "none".to_owned(),
        allowed => format!("{allowed} ({} used)", answer.refills_used),
    };
    issued.into_iter().chain(drafted).chain(until).chain([Fact::new("Refills", refills)]).collect()
}

fn printed(line: PrescriptionLine) -> PrescribedItem {
    let regimen = line.regimen.as_ref();
    let dose = regimen.and_then(|regimen| regimen.dose.as_ref()).map(words::quantity);
    let route = regimen.and_then(|regimen| regimen.route.clone());
    let often = regimen.and_then(|regimen| regimen.frequency).map(words::frequency);
    let food = regimen.and_then(|regimen| regimen.timing).map(|timing| words::food(timing).to_owned());
    let course = regimen.and_then(|regimen| regimen.duration).map(|period| format!("for {}", words::period(period)));
    let joined = |first: Option<String>, then: Option<String>| {
        let parts: Vec<String> = first.into_iter().chain(then).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    };
    PrescribedItem {
        medicine: line.entry.as_ref().map_or_else(|| "–".to_owned(), |entry| entry.name.clone()),
        composition: line.entry.as_ref().and_then(composition),
        dose: joined(dose, route),
        when: joined(often, food),
        course,
        instructions: regimen.and_then(|regimen| regimen.instructions.clone()),
        quantity: words::quantity(&line.supply.quantity),
        substitution: line.supply.substitution_allowed,
    }
}

/// What acts in it: `amoxicillin 500mg + clavulanic acid 125mg`.
fn composition(entry: &MedicineEntry) -> Option<String> {
    let ingredients = entry.ingredients.iter().map(|part| match &part.strength {
        Some(strength) => format!("{} {strength}", part.name),
        None => part.name.clone(),
    });
    let acting: Vec<String> = ingredients.collect();
    let is_said = entry.ingredients.iter().any(|part| part.strength.is_some());
    let strength = entry.strength.clone().filter(|_| !is_said);
    let of_pack = strength.into_iter().chain(entry.form.clone());
    let parts: Vec<String> = (!acting.is_empty()).then(|| acting.join(" + ")).into_iter().chain(of_pack).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// What stands on one line of a summary.
pub(super) fn in_short(line: PrescriptionLine) -> String {
    let item = printed(line);
    let parts = [Some(item.medicine), item.dose, item.when, item.course];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
