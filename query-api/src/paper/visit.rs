//! The summary of a visit, to be taken home or to another doctor.

use events::visit::{VisitStatus, VitalSign};
use printing::{DiagnosisLine, Document, Fact, Listed, Mark, MeasuredSet, Sign, VisitSheet, words};
use read_models::{LabOrders, Prescriptions, Visits, visit::DiagnosisVersion};
use service_kit::Problem;
use uuid::Uuid;

use super::{
    Desk, Printable,
    desk::{Colleagues, hint, mark, reason},
    prescription::in_short,
};
use crate::{
    clinical::of_visit,
    routes::visits::{Findings, Visit, VisitDiagnosis, VitalSet, VitalValue},
};

impl Printable for Visits {
    const SAYS: &'static str = "Vital signs, diagnoses, prescriptions and orders of the visit are on it as far as whoever asks may \
         read them; for the desk alone who came to whom and when.";
    const PRINTED: &'static str = "summary of a visit";

    async fn document(answer: Visit, version: i64, desk: &Desk<'_>) -> Result<Document, Problem> {
        let doctor = answer.doctor_id.map(|id| id.0);
        let to = answer.follow_up.as_ref().and_then(|planned| planned.doctor_id).map(|id| id.0);
        let people = desk.colleagues([doctor, to]).await?;
        let marks = state(&answer, desk).into_iter().collect();
        let sheet = desk.sheet("Visit summary", answer.number.clone(), marks, version, &people);
        let (facts, follow_up) = (facts(&answer, desk, &people), follow_up(&answer, &people));
        let triage = triage(&answer);
        let findings = answer.findings;
        Ok(Document::Visit(VisitSheet {
            sheet,
            facts,
            complaint: findings.as_ref().and_then(|findings| findings.chief_complaint.clone()),
            triage,
            prescribed: prescribed(findings.as_ref(), answer.id.0, desk).await?,
            ordered: ordered(findings.as_ref(), answer.id.0, desk).await?,
            vitals: findings.as_ref().and_then(|findings| Some(vitals(findings.vitals.as_ref()?, desk))),
            diagnoses: findings.as_ref().and_then(|findings| Some(diagnoses(findings.diagnoses.as_ref()?))),
            follow_up,
            doctor: doctor.map(|id| people.signatory(Some(id))),
        }))
    }
}

fn state(answer: &Visit, desk: &Desk<'_>) -> Option<Mark> {
    let ended = answer.ended_at.map(|at| format!("Since {}.", desk.moment(at)));
    let findings = answer.findings.as_ref();
    let said = |why: Option<String>| Some(ended.iter().cloned().chain(why).collect::<Vec<_>>().join(" "));
    match answer.status {
        VisitStatus::Finished => None,
        VisitStatus::Planned | VisitStatus::Arrived | VisitStatus::Triaged | VisitStatus::InProgress => {
            Some(mark("DRAFT", "Not finished", Some("The visit goes on: what stands here may change.".to_owned())))
        }
        VisitStatus::Cancelled => {
            let text = findings.and_then(|findings| findings.cancellation_text.as_deref());
            Some(mark("CANCELLED", "Cancelled", said(reason(answer.cancellation.map(|code| code.to_string()), text))))
        }
        VisitStatus::EnteredInError => {
            let why = findings.and_then(|findings| findings.entered_in_error.as_ref()?.reason.clone());
            Some(mark("ENTERED IN ERROR", "Entered in error", said(why)))
        }
    }
    .or_else(|| reopened(findings?, desk))
}

fn reopened(findings: &Findings, desk: &Desk<'_>) -> Option<Mark> {
    let last = findings.reopened.last()?;
    let why = last.reason.clone().map(|why| format!(": {why}")).unwrap_or_default();
    Some(hint("AMENDED", Some(format!("Reopened {}{why}", desk.moment(last.done.at)))))
}

fn facts(answer: &Visit, desk: &Desk<'_>, people: &Colleagues) -> Vec<Fact> {
    let office = desk.clinic.offices.iter().find(|entry| entry.office.id == answer.office_id);
    let at = |label, at: Option<_>| at.map(|at| Fact::new(label, desk.moment(at)));
    let facts = [
        Some(Fact::new("Date", words::day(answer.day))),
        people.doctor(answer.doctor_id).map(|name| Fact::new("Doctor", name)),
        office.map(|entry| Fact::new("Office", entry.office.name.clone())),
        Some(Fact::new("Status", words::code(&answer.status.to_string()))),
        at("Arrived", answer.arrived_at),
        at("Seen", answer.started_at),
        at("Ended", answer.ended_at),
    ];
    facts.into_iter().flatten().collect()
}

fn triage(answer: &Visit) -> Vec<Fact> {
    let priority = answer.priority.map(|priority| Fact::new("Priority", words::code(&priority.to_string())));
    let note = answer.findings.as_ref().and_then(|findings| findings.triage_note.clone());
    priority.into_iter().chain(note.map(|note| Fact::new("Note", note))).collect()
}

fn follow_up(answer: &Visit, people: &Colleagues) -> Vec<Fact> {
    let Some(planned) = &answer.follow_up else { return Vec::new() };
    let with = people.doctor(planned.doctor_id).map(|name| Fact::new("With", name));
    let told = planned.instructions.clone().map(|said| Fact::new("Instructions", said));
    [Fact::new("On", words::day(planned.on))].into_iter().chain(with).chain(told).collect()
}

/// Those that were not struck out.
fn vitals(sets: &[VitalSet], desk: &Desk<'_>) -> Vec<MeasuredSet> {
    let standing = sets.iter().filter(|set| set.entered_in_error.is_none());
    standing
        .map(|set| MeasuredSet { at: desk.moment(set.measured_at), signs: signs(&set.signs), note: set.note.clone() })
        .collect()
}

/// The two blood pressures as one.
fn signs(values: &[VitalValue]) -> Vec<Sign> {
    let of = |sign: VitalSign| values.iter().find(|value| value.sign == sign);
    let diastolic = of(VitalSign::BloodPressureDiastolic);
    let mut signs = Vec::new();
    for value in values {
        let flag = value.flag.map(|flag| words::code(&flag.to_string()).to_lowercase());
        let (number, unit) = (words::number(value.value), words::unit(&value.unit));
        let sign = match (value.sign, diastolic) {
            (VitalSign::BloodPressureDiastolic, _) if of(VitalSign::BloodPressureSystolic).is_some() => continue,
            (VitalSign::BloodPressureSystolic, Some(lower)) => {
                let below = lower.flag.map(|flag| words::code(&flag.to_string()).to_lowercase());
                Sign {
                    name: "Blood pressure".to_owned(),
                    value: format!("{number}/{} {unit}", words::number(lower.value)),
                    flag: flag.or(below),
                }
            }
            (sign, _) => {
                let value = format!("{number} {unit}").trim_end().to_owned();
                Sign { name: words::code(&sign.to_string()), value, flag }
            }
        };
        signs.push(sign);
    }
    signs
}

/// Those that were not struck out, the principal one first.
fn diagnoses(all: &[VisitDiagnosis]) -> Vec<DiagnosisLine> {
    let standing = all.iter().filter(|diagnosis| diagnosis.entered_in_error.is_none());
    let text = |version: &DiagnosisVersion| version.text.clone().unwrap_or_else(|| "–".to_owned());
    let line = |diagnosis: &VisitDiagnosis| DiagnosisLine {
        text: text(&diagnosis.now),
        code: diagnosis.now.code.clone(),
        certainty: words::code(&diagnosis.now.certainty.to_string()),
        earlier: diagnosis
            .corrections
            .iter()
            .map(|correction| {
                let code = correction.was.code.clone().map(|code| format!(" ({code})")).unwrap_or_default();
                let why = correction.reason.clone().map(|why| format!(": {why}")).unwrap_or_default();
                format!("Corrected; before: {}{code}{why}", text(&correction.was))
            })
            .collect(),
    };
    standing.map(line).collect()
}

/// What was issued in this visit.
async fn prescribed(findings: Option<&Findings>, visit: Uuid, desk: &Desk<'_>) -> Result<Option<Vec<Listed>>, Problem> {
    if findings.is_none() {
        return Ok(None);
    }
    let rows = of_visit::<Prescriptions>(desk.reader, desk.past, &desk.group, visit, |row| {
        row.visit_id.map(|id| id.0) == Some(visit) && row.issued_at.is_some()
    });
    let listed = |row: read_models::PrescriptionRow| Listed {
        title: format!("{} ({})", row.number.clone().unwrap_or_default(), words::code(&row.status.to_string())),
        lines: row.items.into_iter().map(in_short).collect(),
    };
    Ok(rows.await?.map(|rows| rows.into_iter().map(listed).collect()))
}

/// What the laboratory was asked.
async fn ordered(findings: Option<&Findings>, visit: Uuid, desk: &Desk<'_>) -> Result<Option<Vec<Listed>>, Problem> {
    if findings.is_none() {
        return Ok(None);
    }
    let rows = of_visit::<LabOrders>(desk.reader, desk.past, &desk.group, visit, |row| {
        row.visit_id.map(|id| id.0) == Some(visit) && row.activated.is_some()
    });
    let listed = |row: read_models::lab_order::LabOrderRow| Listed {
        title: format!("{} ({})", row.number, words::code(&row.status.to_string())),
        lines: row.tests.into_iter().map(|test| test.text).collect(),
    };
    Ok(rows.await?.map(|rows| rows.into_iter().map(listed).collect()))
}
