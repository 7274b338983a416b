//! What every sheet needs beside the resource itself: the clinic, the patient, who did what, who prints.

use std::collections::HashMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use events::{DoctorId, UserId, calendar::day_of};
use printing::{Fact, Imprint, Letterhead, Logo, Mark, Person, Sheet, Signatory, words};
use read_models::{ClinicLogoRow, ClinicRow, patient::AllergyStatus};
use serde::Deserialize;
use service_kit::Problem;
use uuid::Uuid;

use crate::{
    past::Past,
    reader::Reader,
    routes::patients::{Group, Patient},
    scope::Select,
    sql::Sql,
};

/// What a document is made from.
pub(crate) struct Desk<'a> {
    pub reader: &'a Reader,
    pub past: Option<&'a Past>,
    pub clinic: ClinicRow,
    pub logo: Option<Logo>,
    pub patient: Patient,
    /// All ids of that person.
    pub group: Vec<Uuid>,
    /// What time it is.
    pub now: DateTime<Utc>,
}

#[derive(Deserialize)]
struct House {
    clinic: ClinicRow,
    logo: Option<ClinicLogoRow>,
}

/// A doctor, or whoever else has a login.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Colleague {
    id: Uuid,
    name: Option<String>,
    qualification: Option<String>,
    specialisation: Option<String>,
    licence_number: Option<String>,
}

/// People by their ids.
pub(crate) struct Colleagues(HashMap<Uuid, Colleague>);

impl Colleagues {
    /// The name, or what stood for it where the login had none.
    pub fn name(&self, id: Option<UserId>, otherwise: &str) -> String {
        let known = id.and_then(|id| self.0.get(&id.0)).and_then(|known| known.name.clone());
        known.unwrap_or_else(|| otherwise.to_owned())
    }

    pub fn doctor(&self, id: Option<DoctorId>) -> Option<String> {
        self.0.get(&id?.0)?.name.clone()
    }

    /// Who signs: with qualification, speciality and licence, as far as the clinic knows them.
    pub fn signatory(&self, id: Option<Uuid>) -> Signatory {
        let Some(known) = id.and_then(|id| self.0.get(&id)) else { return Signatory::default() };
        let licence = known.licence_number.as_ref().map(|number| format!("Licence {number}"));
        let skills = [&known.qualification, &known.specialisation].into_iter().flatten().cloned();
        Signatory { name: known.name.clone().unwrap_or_default(), lines: skills.chain(licence).collect() }
    }
}

impl<'a> Desk<'a> {
    pub async fn of(reader: &'a Reader, past: Option<&'a Past>, group: &Group) -> Result<Self, Problem> {
        let sql = Sql::new(
            "to_jsonb(c) AS clinic, to_jsonb(l) AS logo FROM read.clinic_1 c \
             LEFT JOIN read.clinic_logo_1 l ON l.clinic_id = s.clinic AND l.id = s.clinic \
             WHERE c.clinic_id = s.clinic AND c.id = s.clinic",
        );
        let House { clinic, logo } =
            reader.one::<House>(Select::new(&["clinic_1", "clinic_logo_1"], sql)).await?.found()?.value;
        let picture = logo.and_then(|row| row.logo).and_then(|logo| BASE64_STANDARD.decode(logo.data).ok());
        let (now, group_ids) = (reader.now(), group.ids().into_iter().map(|id| id.0).collect());
        let patient = group.shown_to(reader, now);
        Ok(Self { reader, past, clinic, logo: picture.map(Logo), patient, group: group_ids, now })
    }

    pub fn zone(&self) -> Tz {
        self.clinic.time_zone
    }

    pub fn moment(&self, at: DateTime<Utc>) -> String {
        words::moment(at, self.zone())
    }

    pub fn today(&self) -> NaiveDate {
        day_of(self.now, self.zone())
    }

    /// The people with these ids, and whoever prints.
    pub async fn colleagues(&self, ids: impl IntoIterator<Item = Option<Uuid>>) -> Result<Colleagues, Problem> {
        let me = self.reader.scope().user().0;
        let ids: Vec<Uuid> = ids.into_iter().flatten().chain([me]).collect();
        let sql = Sql::new(
            "u.id, coalesce(d.name, u.name) AS name, d.qualification, d.specialisation, d.licence_number \
             FROM read.staff_1 u LEFT JOIN read.doctor_1 d ON d.clinic_id = s.clinic AND d.id = u.id \
             WHERE u.clinic_id = s.clinic AND u.id = ANY(",
        )
        .bind(ids)
        .push(")");
        let found = self.reader.all::<Colleague>(Select::new(&["staff_1", "doctor_1"], sql)).await?.value;
        Ok(Colleagues(found.into_iter().map(|known| (known.id, known)).collect()))
    }

    /// The frame of a document. `marks` say how it stands, `version` which one of it is shown.
    pub fn sheet(&self, title: &str, number: String, marks: Vec<Mark>, version: i64, people: &Colleagues) -> Sheet {
        let past = self.past.map(|past| {
            let (at, position) = (self.moment(past.moment.recorded_at), past.moment.position);
            let text = format!("What the record said at {at} (position {position}). It may have changed since.");
            mark("PAST STATE", "An earlier state", Some(text))
        });
        Sheet {
            title: title.to_owned(),
            number,
            clinic: self.letterhead(),
            patient: self.person(),
            marks: past.into_iter().chain(marks).collect(),
            imprint: self.imprint(version, people),
        }
    }

    fn letterhead(&self) -> Letterhead {
        let clinic = &self.clinic;
        let contacts = [
            ("Phone", &clinic.phone),
            ("E-mail", &Some(clinic.email.clone())),
            ("Web", &clinic.website),
            ("Reg. no.", &clinic.registration_number),
            ("Tax id", &clinic.tax_id),
        ];
        let said = |(label, value): (&str, &Option<String>)| Some(Fact::new(label, value.clone()?));
        Letterhead {
            name: clinic.name.clone(),
            address: clinic.address.as_ref().map(words::address).unwrap_or_default(),
            contacts: contacts.into_iter().filter_map(said).collect(),
            logo: self.logo.clone(),
        }
    }

    pub fn patient_name(&self) -> String {
        let names = [&self.patient.first_name, &self.patient.last_name];
        names.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    fn person(&self) -> Person {
        let patient = &self.patient;
        let on = patient.died_on.unwrap_or_else(|| self.today());
        let born = patient.birth_date.map(|born| format!("{}, {}", words::birth_date(born), words::age(born, on)));
        let died = patient.died_on.map(|day| format!("died {}", words::day(day)));
        Person {
            name: self.patient_name(),
            number: patient.number.clone(),
            born: match (born, died) {
                (Some(born), Some(died)) => Some(format!("{born}; {died}")),
                (born, died) => born.or(died),
            },
            sex: words::gender(patient.gender).to_owned(),
        }
    }

    fn imprint(&self, version: i64, people: &Colleagues) -> Imprint {
        let (scope, position) = (self.reader.scope(), self.past.map(|past| past.moment.position));
        let of_then = position.map(|position| format!(", as of position {position}")).unwrap_or_default();
        Imprint {
            at: words::moment_and_zone(self.now, self.zone()),
            by: people.name(Some(scope.user()), &scope.actor().name),
            reflects: format!("version {version}{of_then}"),
            copy: None,
        }
    }

    /// Allergies that were not refuted or resolved.
    pub fn allergies(&self) -> printing::AllergyNotice {
        use printing::AllergyNotice as Notice;
        let Some(known) = &self.patient.clinical.allergies else { return Notice::Withheld };
        let stands = |status| matches!(status, AllergyStatus::Unconfirmed | AllergyStatus::Confirmed);
        let to: Vec<String> = known
            .items
            .iter()
            .filter(|allergy| stands(allergy.status))
            .filter_map(|allergy| {
                let details = [
                    allergy.reaction.clone(),
                    (allergy.status == AllergyStatus::Unconfirmed).then(|| "unconfirmed".to_owned()),
                ];
                Some(with_details(allergy.substance.clone()?, details.into_iter().flatten()))
            })
            .collect();
        match (to.is_empty(), known.none_known_since) {
            (false, _) => Notice::Some { to },
            (true, Some(since)) => Notice::None { since: words::day(day_of(since, self.zone())) },
            (true, None) => Notice::NotAsked,
        }
    }
}

/// `penicillin (rash, unconfirmed)`
pub(super) fn with_details(what: String, details: impl Iterator<Item = String>) -> String {
    let details: Vec<String> = details.collect();
    if details.is_empty() { what } else { format!("{what} ({})", details.join(", ")) }
}

/// That it does not stand: stamped across each page.
pub(super) fn mark(stamp: &str, title: &str, text: Option<String>) -> Mark {
    Mark { stamp: Some(stamp.to_owned()), title: title.to_owned(), text }
}

/// Something that its reader must know, while it stands.
pub(super) fn hint(title: &str, text: Option<String>) -> Mark {
    Mark { stamp: None, title: title.to_owned(), text }
}

/// A code and words, as far as there are any: `Adverse reaction: a rash`.
pub(super) fn reason(code: Option<String>, text: Option<&str>) -> Option<String> {
    let parts: Vec<String> = code.map(|code| words::code(&code)).into_iter().chain(text.map(str::to_owned)).collect();
    (!parts.is_empty()).then(|| parts.join(": "))
}
