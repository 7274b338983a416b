//! Issuing: the moment at which a draft becomes a prescription, and after which it never changes.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use events::{
    Number, PrescriptionEvent, Series,
    calendar::{day_of, instant},
    prescription::{Alert, AlertSeverity, Issued, IssuedItem, ItemSupply},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{
    Prescription,
    case::Case,
    safety::{self, Candidate},
};
use crate::{Decision, Refusal, values::Whole};

/// How long a prescription holds at least, where nothing is said: a month, as is usual.
const USUAL_VALIDITY_DAYS: u64 = 30;
/// No prescription holds longer than a year.
const MAX_VALIDITY_DAYS: u64 = 366;
/// So often may a prescription be filled again.
pub(super) const MAX_REFILLS: i64 = 12;

/// Issues a draft: gives it its number and keeps, with each item, what the catalogue says of the medicine now. Needs a
/// doctor with a valid licence. Refused with `alerts` while a severe one is not overridden.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IssuePrescription {
    /// So many further fillings.
    #[serde(default)]
    pub refills: Option<Whole<0, MAX_REFILLS>>,
    /// The last day on which anything is handed out; a month from now, or the end of the longest course if that is
    /// later, where it is left out.
    #[serde(default)]
    pub valid_until: Option<NaiveDate>,
}

impl IssuePrescription {
    pub(super) fn decide(self, case: &Case<'_>) -> Result<Decision, Refusal> {
        if !case.prescription.is_draft() {
            return Err(case.wrong_status("issued"));
        }
        let doctor = case.prescriber()?;
        case.person.may_come()?;
        if case.prescription.lines.is_empty() {
            return Err(Refusal::rule("no-items", "A prescription has at least one item: add it first."));
        }
        let candidates = safety::candidates(case.id, case.prescription, case.facts)?;
        let alerts = safety::alerts(case.id, case.prescription, case.facts, case.context)?;
        hold_back(&alerts, case.prescription)?;
        let refills = self.refills.map_or(0, Whole::get);
        let (valid_until, expires_at) = self.validity(&candidates, refills, case)?;
        let issued = PrescriptionEvent::PrescriptionIssued {
            patient: case.patient(),
            number: Number::Next(Series::Prescription { zone: case.context.in_clinic()?.zone() }),
            doctor,
            items: case.prescription.lines.iter().map(supply).collect(),
            refills,
            valid_until,
            expires_at,
            sealed: Issued { items: candidates.iter().map(snapshot).collect(), alerts }.into(),
        };
        Ok(replacing(case, Decision::one(case.id, issued)))
    }

    /// The last day, and the instant at which it ends.
    fn validity(
        &self,
        candidates: &[Candidate<'_>],
        refills: i64,
        case: &Case<'_>,
    ) -> Result<(NaiveDate, DateTime<Utc>), Refusal> {
        let zone = case.context.in_clinic()?.zone();
        let today = day_of(case.context.now, zone);
        let last = today.checked_add_days(Days::new(MAX_VALIDITY_DAYS)).unwrap_or(today);
        let day = self.valid_until.unwrap_or_else(|| usual(today, candidates, refills).min(last));
        if day < today || day > last {
            let detail = "A prescription holds from today on, and for a year at most.";
            return Err(Refusal::rule("validity", detail).at("/valid_until"));
        }
        let next = day.succ_opt().unwrap_or(day);
        Ok((day, instant(next, NaiveTime::MIN, zone)))
    }
}

/// A month from now, or the end of the longest course with its refills.
fn usual(today: NaiveDate, candidates: &[Candidate<'_>], refills: i64) -> NaiveDate {
    let courses = candidates.iter().filter_map(|candidate| candidate.regimen.duration);
    let days = courses.map(|course| course.count * course.unit.hours() * (1 + refills) / 24).max().unwrap_or(0);
    let days = u64::try_from(days).unwrap_or(0).max(USUAL_VALIDITY_DAYS);
    today.checked_add_days(Days::new(days)).unwrap_or(today)
}

/// 422 with all alerts, where a severe one was not overridden. They are named by ids and codes: what they say of the
/// patient is shown by a check, which is recorded.
fn hold_back(alerts: &[Alert], prescription: &Prescription) -> Result<(), Refusal> {
    let is_overridden = |alert: &Alert| prescription.overridden.contains(&alert.id);
    if alerts.iter().all(|alert| alert.severity < AlertSeverity::Severe || is_overridden(alert)) {
        return Ok(());
    }
    let named = |alert: &Alert| {
        json!({
            "id": alert.id, "kind": alert.kind, "severity": alert.severity, "item_id": alert.item,
            "cause": alert.cause, "overridden": is_overridden(alert)
        })
    };
    let detail = "There are severe alerts: change the items, or override each alert with a reason.";
    Err(Refusal::rule("alerts", detail).with("alerts", alerts.iter().map(named).collect::<Vec<_>>()))
}

fn supply(line: &super::Line) -> ItemSupply {
    ItemSupply { item: line.item, supply: line.supply.clone() }
}

fn snapshot(candidate: &Candidate<'_>) -> IssuedItem {
    let Candidate { item, regimen, entry } = *candidate;
    IssuedItem { item, regimen: regimen.clone(), entry: entry.clone() }
}

/// The prescription that this one replaces ends with it, unless it has ended by itself.
fn replacing(case: &Case<'_>, issued: Decision) -> Decision {
    let replaced = case.prescription.replaces.and_then(|old| Some((old, case.facts.get::<Prescription>(old)?)));
    match replaced.filter(|(_, old)| old.status.is_current()) {
        Some((id, old)) => {
            let (patient, was) = (old.patient, old.status);
            issued.and(id, PrescriptionEvent::PrescriptionReplaced { patient, was, by: case.id })
        }
        None => issued,
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use events::{DoctorEvent, MedicineEvent, MedicineId, Role, prescription::PrescriptionStatus};

    use super::{
        super::sample::{
            AMOXICILLIN, DOCTOR, NURSE, PARACETAMOL, as_nurse, code, doctor, event, give, given_draft, given_issued,
            issue, item, room, status,
        },
        *,
    };
    use crate::{
        prescription::{AddPrescriptionItem, ReplacePrescription, StopPrescription},
        testing::{World, at, body, id},
    };

    fn issue_with(world: &mut World, n: u128, others: serde_json::Value) -> Result<PrescriptionEvent, Refusal> {
        give(world, n, body::<IssuePrescription>(others)).map(|events| event(&events).clone())
    }

    #[test]
    fn an_issued_prescription_has_a_number_of_its_day_and_keeps_what_the_catalogue_said() {
        let mut world = room();
        world.now = at("2026-03-02T19:00:00Z");
        given_draft(&mut world, 1, &[AMOXICILLIN]);
        issue(&mut world, 1).unwrap();
        let (_, events::DomainEvent::Prescription(PrescriptionEvent::PrescriptionIssued { number, sealed, .. })) =
            world.log.last().unwrap()
        else {
            panic!("it was issued");
        };
        assert_eq!(number.as_str(), "RX-20260303-001", "by the day in the clinic's zone");
        let issued = sealed.open().unwrap();
        assert_eq!((issued.items.len(), issued.items[0].entry.name.as_str()), (1, "Mox 500"));
        assert_eq!(code(issue(&mut world, 1)), "wrong-status");
    }

    #[test]
    fn only_a_doctor_with_a_valid_licence_issues() {
        let mut world = room();
        given_draft(&mut world, 1, &[AMOXICILLIN]);
        as_nurse(&mut world);
        assert_eq!(code(issue(&mut world, 1)), "not-a-doctor");
        world.acts(id(NURSE), &[Role::Doctor]);
        assert_eq!(code(issue(&mut world, 1)), "not-a-doctor", "a role alone is no licence");
        world.acts(id(DOCTOR), &[Role::Doctor]);
        let expires = |day: &str| DoctorEvent::LicenceRecorded {
            licence_hash: events::claim::KeyedHash(day.to_owned()),
            expires: Some(day.parse().unwrap()),
            sealed: events::Sealed::Erased,
        };
        world.given(doctor(), expires("2026-03-01"));
        assert_eq!(code(issue(&mut world, 1)), "licence-expired");
        world.given(doctor(), expires("2026-03-02"));
        issue(&mut world, 1).unwrap();
    }

    #[test]
    fn a_draft_is_issued_by_whoever_signs_it() {
        let mut world = room();
        let other = world.given_doctor(0xD2);
        given_draft(&mut world, 1, &[AMOXICILLIN]);
        world.acts(id(0xD2), &[Role::Doctor]);
        let PrescriptionEvent::PrescriptionIssued { doctor, .. } = issue_with(&mut world, 1, json!({})).unwrap() else {
            panic!("it was issued");
        };
        assert_eq!(doctor, other);
    }

    #[test]
    fn there_is_something_on_it_that_the_clinic_prescribes() {
        let mut world = room();
        given_draft(&mut world, 1, &[]);
        assert_eq!(code(issue(&mut world, 1)), "no-items");
        given_draft(&mut world, 2, &[AMOXICILLIN]);
        world.given_on_platform(id::<MedicineId>(AMOXICILLIN), MedicineEvent::MedicineRetired {});
        assert_eq!(code(issue(&mut world, 2)), "medicine-unavailable");
    }

    #[test]
    fn it_holds_for_a_month_or_until_the_longest_course_is_over_or_as_is_said() {
        let months = |count: i64| json!({"duration": {"count": count, "unit": "mo"}});
        for (duration, others, expected) in [
            (json!({}), json!({}), Ok("2026-04-01")),
            (months(2), json!({}), Ok("2026-05-01")),
            (months(2), json!({"refills": 1}), Ok("2026-06-30")),
            (months(12), json!({"refills": 12}), Ok("2027-03-03")),
            (json!({}), json!({"valid_until": "2026-03-02"}), Ok("2026-03-02")),
            (json!({}), json!({"valid_until": "2026-03-01"}), Err("validity")),
            (json!({}), json!({"valid_until": "2027-03-04"}), Err("validity")),
        ] {
            let mut world = room();
            given_draft(&mut world, 1, &[]);
            let line = json!({"item": item(PARACETAMOL, duration)});
            give(&mut world, 1, body::<AddPrescriptionItem>(line)).unwrap();
            let issued = issue_with(&mut world, 1, others);
            let until = issued.map(|event| match event {
                PrescriptionEvent::PrescriptionIssued { valid_until, expires_at, .. } => {
                    let midnight = valid_until.succ_opt().unwrap().and_time(NaiveTime::MIN).and_utc();
                    assert_eq!(expires_at, midnight - TimeDelta::minutes(330));
                    valid_until.to_string()
                }
                event => panic!("{event:?}"),
            });
            assert_eq!(until.as_deref().map_err(|refusal| refusal.code), expected);
        }
    }

    #[test]
    fn a_replaced_prescription_holds_until_the_new_one_is_issued() {
        let mut world = room();
        given_issued(&mut world, 1, &[AMOXICILLIN, PARACETAMOL]);
        let replace = || body::<ReplacePrescription>(json!({"new_id": id::<events::PrescriptionId>(2)}));
        assert_eq!(give(&mut world, 1, replace()).unwrap().len(), 3);
        assert_eq!(code(give(&mut world, 1, replace())), "duplicate");
        assert_eq!((status(&world, 1), status(&world, 2)), (PrescriptionStatus::Active, PrescriptionStatus::Draft));
        let events = issue(&mut world, 2).unwrap();
        let PrescriptionEvent::PrescriptionIssued { sealed, items, .. } = event(&events) else { panic!("{events:?}") };
        assert_eq!((items.len(), sealed.open().unwrap().alerts.len()), (2, 0), "the old one is not taken beside it");
        assert_eq!((status(&world, 1), status(&world, 2)), (PrescriptionStatus::Stopped, PrescriptionStatus::Active));
        assert_eq!(code(give(&mut world, 1, body::<ReplacePrescription>(json!({})))), "wrong-status");
    }

    #[test]
    fn what_has_ended_by_itself_is_not_ended_again() {
        let mut world = room();
        given_issued(&mut world, 1, &[AMOXICILLIN]);
        let replace = body::<ReplacePrescription>(json!({"new_id": id::<events::PrescriptionId>(2)}));
        give(&mut world, 1, replace).unwrap();
        give(&mut world, 1, body::<StopPrescription>(json!({"reason": "ineffective"}))).unwrap();
        assert_eq!(issue(&mut world, 2).unwrap().len(), 1);
    }
}
