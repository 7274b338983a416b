//! A laboratory report, with every result that it has ever stated.

use events::{
    LabResultId,
    lab_report::{Comparator, LabReportStatus, ReferenceRange, ResultFlag, ResultValue},
};
use printing::{Document, EarlierResult, Fact, LabReportSheet, Mark, ReportedResult, ResultMark, words};
use read_models::{
    LabReports,
    lab_report::{LabResultEntry, ResultOrigin},
    stamp::Stamp,
};
use service_kit::Problem;

use super::{
    Desk, Printable,
    desk::{Colleagues, hint, mark},
};
use crate::routes::lab_reports::LabReport;

impl Printable for LabReports {
    const SAYS: &'static str =
        "A result that was corrected stands with each earlier value, who corrected it, when and why.";
    const PRINTED: &'static str = "laboratory report";

    async fn document(answer: LabReport, version: i64, desk: &Desk<'_>) -> Result<Document, Problem> {
        let released = answer.released.as_ref().and_then(|stamp| stamp.by).map(|id| id.0);
        let people = desk.colleagues(people_of(&answer)).await?;
        let marks = state(&answer, desk).into_iter().collect();
        let sheet = desk.sheet("Laboratory report", answer.number.clone(), marks, version, &people);
        let ordered = people.doctor(Some(answer.doctor_id)).map(|name| Fact::new("Ordered by", name));
        let registered = [Fact::new("Registered", desk.moment(answer.registered_at))];
        let given_out = answer.released.as_ref().map(|stamp| Fact::new("Released", desk.moment(stamp.at)));
        let status = Fact::new("Status", words::code(&answer.status.to_string()));
        let results = answer.results.iter().map(|result| printed(result, &answer, desk, &people)).collect();
        Ok(Document::LabReport(LabReportSheet {
            sheet,
            facts: ordered.into_iter().chain(registered).chain(given_out).chain([status]).collect(),
            results,
            released: answer.released.is_some().then(|| people.signatory(released)),
        }))
    }
}

fn people_of(answer: &LabReport) -> Vec<Option<uuid::Uuid>> {
    let by = |stamp: &Stamp| stamp.by.map(|id| id.0);
    let results = answer.results.iter().chain(&answer.replaced_results);
    let handled = results.flat_map(|result| [by(&result.recorded), result.verified.as_ref().and_then(by)]);
    let corrected = answer.corrections.iter().map(|correction| by(&correction.stamp));
    let others = [Some(answer.doctor_id.0), answer.released.as_ref().and_then(by)];
    handled.chain(corrected).chain(others).collect()
}

fn state(answer: &LabReport, desk: &Desk<'_>) -> Option<Mark> {
    use LabReportStatus as Is;
    let said = |text: &str| Some(text.to_owned());
    match answer.status {
        Is::Registered | Is::Partial | Is::Preliminary => {
            Some(mark("PRELIMINARY", "Preliminary", said("Not released: its results may change.")))
        }
        Is::Final => None,
        Is::Amended => Some(hint("AMENDED", said("Results were added after it was released."))),
        Is::Corrected => Some(hint(
            "CORRECTED",
            said("Results were corrected after it was released; see below what was reported before."),
        )),
        Is::EnteredInError => {
            let struck = answer.struck_out.as_ref();
            let when = struck.map(|struck| format!("Since {}.", desk.moment(struck.stamp.at)));
            let why = struck.and_then(|struck| struck.reason.clone());
            let text: Vec<String> = when.into_iter().chain(why).collect();
            Some(mark("ENTERED IN ERROR", "Entered in error", Some(text.join(" "))))
        }
    }
}

fn printed(result: &LabResultEntry, answer: &LabReport, desk: &Desk<'_>, people: &Colleagues) -> ReportedResult {
    let (value, unit) = measured(result.value.as_ref());
    ReportedResult {
        test: result.text.clone().unwrap_or_else(|| "–".to_owned()),
        code: result.code.clone(),
        value,
        unit,
        range: result.range.as_ref().and_then(range),
        flag: result.flag.map(flag),
        note: result.note.clone(),
        provenance: provenance(result, desk, people),
        earlier: earlier(result, answer, desk, people),
    }
}

/// A value, and its unit where it has one.
fn measured(value: Option<&ResultValue>) -> (String, Option<String>) {
    match value {
        None => ("–".to_owned(), None),
        Some(ResultValue::Quantity { value, unit, comparator }) => {
            let beyond = comparator.map(|comparator| match comparator {
                Comparator::Less => "< ",
                Comparator::AtMost => "≤ ",
                Comparator::AtLeast => "≥ ",
                Comparator::Greater => "> ",
            });
            (format!("{}{}", beyond.unwrap_or_default(), words::number(*value)), Some(words::unit(unit)))
        }
        Some(ResultValue::Text { text }) => (text.clone(), None),
        Some(ResultValue::Coded { code, text, .. }) => (text.clone().unwrap_or_else(|| code.clone()), None),
    }
}

fn range(range: &ReferenceRange) -> Option<String> {
    let usual = match (range.low, range.high) {
        (Some(low), Some(high)) => Some(format!("{} – {}", words::number(low), words::number(high))),
        (Some(low), None) => Some(format!("≥ {}", words::number(low))),
        (None, Some(high)) => Some(format!("≤ {}", words::number(high))),
        (None, None) => None,
    };
    let said: Vec<String> = usual.into_iter().chain(range.text.clone()).collect();
    (!said.is_empty()).then(|| said.join(" "))
}

fn flag(flag: ResultFlag) -> ResultMark {
    let word = match flag {
        ResultFlag::CriticallyLow => "critically low",
        ResultFlag::Low => "low",
        ResultFlag::Normal => "normal",
        ResultFlag::High => "high",
        ResultFlag::CriticallyHigh => "critically high",
        ResultFlag::Abnormal => "abnormal",
    };
    ResultMark { short: flag.to_string(), word: word.to_owned(), critical: flag.is_critical() }
}

/// `Recorded 21 Nov 2026, 14:05 by Asha; verified … by Meera`
fn provenance(result: &LabResultEntry, desk: &Desk<'_>, people: &Colleagues) -> String {
    let by = |stamp: &Stamp| format!("{} by {}", desk.moment(stamp.at), people.name(stamp.by, &stamp.name));
    let recorded = match result.origin {
        ResultOrigin::Recorded => "Recorded",
        ResultOrigin::Amended => "Added after the release",
        ResultOrigin::Corrected => "Corrected",
    };
    let verified = match &result.verified {
        Some(stamp) => format!("verified {}", by(stamp)),
        None => "not verified".to_owned(),
    };
    format!("{recorded} {}; {verified}", by(&result.recorded))
}

/// What stood there before, the latest first. What was replaced before the release was never reported.
fn earlier(result: &LabResultEntry, answer: &LabReport, desk: &Desk<'_>, people: &Colleagues) -> Vec<EarlierResult> {
    let mut before = Vec::new();
    let mut id: LabResultId = result.id;
    while let Some(correction) = answer.corrections.iter().find(|correction| correction.result_id == id) {
        let replaced = answer.replaced_results.iter().find(|earlier| earlier.id == correction.corrects);
        let (value, unit) = measured(replaced.and_then(|earlier| earlier.value.as_ref()));
        let stamp = &correction.stamp;
        let why = correction.why.clone().map(|why| format!(": {why}")).unwrap_or_default();
        let corrected = format!(
            "Corrected {} by {}. {}{why}",
            desk.moment(stamp.at),
            people.name(stamp.by, &stamp.name),
            words::code(&correction.reason.to_string()),
        );
        before.push(EarlierResult { value: [value].into_iter().chain(unit).collect::<Vec<_>>().join(" "), corrected });
        // Each correction names an earlier result than its own, so this ends.
        if before.len() > answer.corrections.len() {
            break;
        }
        id = correction.corrects;
    }
    before
}
