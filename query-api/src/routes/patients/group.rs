//! A patient together with those who were found to be the same person.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use events::{
    PatientId,
    calendar::day_of,
    patient::{Confidentiality, PatientStatus},
};
use read_models::PatientRow;
use serde::Deserialize;
use service_kit::{Capability, Problem};

use super::{
    MODELS,
    body::{Age, Allergies, Clinical, Patient},
};
use crate::{
    past::Past,
    reader::Reader,
    scope::{Reflected, Select},
    sql::Sql,
};

/// Everybody who was merged, over any number of steps, into the one who stands for all.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    asked: PatientId,
    /// The one who was asked for among them.
    members: Vec<PatientRow>,
    zone: Tz,
}

/// Which clinical parts of a record the asker's roles show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct View {
    pub allergies: bool,
    pub problems: bool,
    pub consents: bool,
}

impl View {
    pub(super) fn of(reader: &Reader) -> Self {
        let sees = |capability| reader.grant(capability).allows_read();
        Self {
            allergies: sees(Capability::Allergies),
            problems: sees(Capability::Problems),
            consents: sees(Capability::Consent),
        }
    }
}

/// A record, and the zone in which its clinic's days are cut.
#[derive(Deserialize)]
struct Found {
    #[serde(flatten)]
    row: PatientRow,
    time_zone: Option<Tz>,
}

fn row(patient: PatientId) -> Select {
    let sql = Sql::new(
        "p.*, c.time_zone FROM read.patient_1 p LEFT JOIN read.clinic_1 c ON c.clinic_id = s.clinic AND c.id = s.clinic \
         WHERE p.clinic_id = s.clinic AND p.id = ",
    );
    Select::new(MODELS, sql.bind(patient.0))
}

/// Up to the one who stands for all, and from there down to all.
fn members(patient: PatientId) -> Select {
    let sql = Sql::new(
        "g.* FROM (WITH RECURSIVE up(id, merged_into) AS ( \
         SELECT p.id, p.merged_into FROM read.patient_1 p WHERE p.clinic_id = s.clinic AND p.id = ",
    )
    .bind(patient.0)
    .push(
        " UNION SELECT p.id, p.merged_into FROM up JOIN read.patient_1 p ON p.clinic_id = s.clinic AND p.id = up.merged_into), \
         member(id) AS (SELECT id FROM up WHERE merged_into IS NULL \
         UNION SELECT kept.id::uuid FROM member \
         JOIN read.patient_1 p ON p.clinic_id = s.clinic AND p.id = member.id \
         CROSS JOIN LATERAL jsonb_array_elements_text(p.merged_ids) kept(id)) \
         SELECT p.*, c.time_zone FROM member JOIN read.patient_1 p ON p.clinic_id = s.clinic AND p.id = member.id \
         LEFT JOIN read.clinic_1 c ON c.clinic_id = s.clinic AND c.id = s.clinic) g",
    );
    Select::new(MODELS, sql)
}

impl Group {
    /// The group of a patient; `None` where there is no such patient.
    pub(crate) async fn read(reader: &Reader, patient: PatientId) -> Result<Reflected<Option<Self>>, Problem> {
        let alone = reader.all::<Found>(row(patient)).await?;
        let of_many = |found: &Found| found.row.merged_into.is_some() || !found.row.merged_ids.is_empty();
        let all = match alone.value.iter().any(of_many) {
            true => reader.all::<Found>(members(patient)).await?,
            false => alone,
        };
        Ok(all.map(|found| {
            let zone = found.iter().find_map(|found| found.time_zone).unwrap_or(Tz::UTC);
            Self::new(patient, found.into_iter().map(|found| found.row).collect(), zone)
        }))
    }

    /// As the record said then.
    pub(crate) fn of_past(patient: PatientId, past: &Past) -> Option<Self> {
        Self::new(patient, past.members(), past.moment.zone())
    }

    /// `None` where the one asked for is not among them.
    fn new(asked: PatientId, members: Vec<PatientRow>, zone: Tz) -> Option<Self> {
        let there = members.iter().any(|row| row.id == asked);
        there.then_some(Self { asked, members, zone })
    }

    /// 410 where the person was erased: also of what the record said before.
    pub(crate) fn not_erased(&self) -> Result<(), Problem> {
        match self.members.iter().any(|row| row.status == PatientStatus::Erased) {
            true => Err(Problem::erased()),
            false => Ok(()),
        }
    }

    /// 410 for who is erased by now, where a replay is asked in which they were not yet.
    pub(crate) async fn not_erased_since(reader: &Reader, patient: PatientId) -> Result<(), Problem> {
        let Some(present) = reader.present() else { return Ok(()) };
        Self::read(&present, patient).await?.value.map_or(Ok(()), |group| group.not_erased())
    }

    pub(crate) fn ids(&self) -> Vec<PatientId> {
        self.members.iter().map(|row| row.id).collect()
    }

    pub(crate) fn is_restricted(&self) -> bool {
        self.confidentiality() == Confidentiality::Restricted
    }

    /// Restricted where one of them is.
    pub(crate) fn confidentiality(&self) -> Confidentiality {
        let restricted = self.members.iter().any(|row| row.confidentiality == Confidentiality::Restricted);
        if restricted { Confidentiality::Restricted } else { Confidentiality::Normal }
    }

    /// The position of the last change of what is shown.
    pub(super) fn position(&self) -> i64 {
        self.members.iter().map(|row| row.position).max().unwrap_or(0)
    }

    pub(super) fn asked(&self) -> &PatientRow {
        let asked = self.members.iter().find(|row| row.id == self.asked);
        asked.unwrap_or(&self.members[0])
    }

    /// Whose demographics stand for all.
    fn survivor(&self) -> &PatientRow {
        self.members.iter().find(|row| row.merged_into.is_none()).unwrap_or_else(|| self.asked())
    }

    /// As far as the asker may see the record.
    pub(crate) fn shown_to(&self, reader: &Reader, now: DateTime<Utc>) -> Patient {
        self.shown(View::of(reader), now)
    }

    pub(super) fn shown(&self, view: View, now: DateTime<Utc>) -> Patient {
        let (asked, person) = (self.asked(), self.survivor().clone());
        let is_survivor = asked.id == person.id;
        let others = self.members.iter().map(|row| row.id).filter(|id| *id != asked.id);
        Patient {
            id: asked.id,
            number: asked.number.clone(),
            status: asked.status,
            version: asked.version,
            registered_at: asked.registered_at,
            merged_into: (!is_survivor).then_some(person.id),
            merged_ids: others.filter(|_| is_survivor).collect(),
            clinical: self.clinical(view),
            identifiers: self.union(|row| &row.identifiers),
            family: self.union(|row| &row.family),
            confidentiality: self.confidentiality(),
            age: Age::of(person.birth_date, person.died_on, day_of(now, self.zone)),
            first_name: person.first_name,
            last_name: person.last_name,
            birth_date: person.birth_date,
            gender: person.gender,
            phone: person.phone,
            email: person.email,
            address: person.address,
            blood_group: person.blood_group,
            marital_status: person.marital_status,
            language: person.language,
            emergency_contact: person.emergency_contact,
            died_on: person.died_on,
        }
    }

    fn clinical(&self, view: View) -> Clinical {
        Clinical {
            allergies: view.allergies.then(|| self.allergies()),
            problems: view.problems.then(|| self.union(|row| &row.problems)),
            cause_of_death: self.survivor().cause_of_death.clone().filter(|_| view.problems),
            consents: view.consents.then(|| self.union(|row| &row.consents)),
        }
    }

    fn allergies(&self) -> Allergies {
        let items = self.union(|row| &row.allergies);
        let last_recorded: Option<DateTime<Utc>> = items.iter().map(|allergy| allergy.recorded_at).max();
        let denied = self.members.iter().filter_map(|row| row.no_known_allergies).max();
        Allergies { items, none_known_since: denied.filter(|denied| Some(*denied) >= last_recorded) }
    }

    fn union<T: Clone>(&self, part: impl Fn(&PatientRow) -> &Vec<T>) -> Vec<T> {
        self.members.iter().flat_map(|row| part(row).iter().cloned()).collect()
    }
}
