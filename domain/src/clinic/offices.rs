//! The places where a clinic receives patients, and when.

use events::{
    ClinicEvent, OfficeId,
    calendar::{OpenHours, WeeklyHours},
    clinic::Office,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Clinic, did};
use crate::{
    Context, Decision, Facts, Read, Refusal, Usage,
    bookings::{self, BookedAppointments},
    hours,
    values::{Name, Phone, PostalAddress},
};

/// Opens an office.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddOffice {
    /// Chosen by the client (UUIDv7), or else made by the server.
    #[serde(default)]
    pub id: Option<OfficeId>,
    pub name: Name,
    #[serde(default)]
    pub address: Option<PostalAddress>,
    #[serde(default)]
    pub phone: Option<Phone>,
    /// Left out: 09:00 to 18:00 from Monday to Saturday.
    #[serde(default)]
    pub hours: Option<Vec<OpenHours>>,
}

impl AddOffice {
    pub(super) fn reads(&self, facts: &Facts) -> Vec<Read> {
        Usage::Offices.read(facts).into_iter().collect()
    }

    pub(super) fn decide(self, clinic: &Clinic, facts: &Facts, context: &Context<'_>) -> Result<Decision, Refusal> {
        let id = self.id.unwrap_or_else(|| context.new_id(0));
        if clinic.office(id).is_some() || clinic.closed_offices.contains(&id) {
            return Err(Refusal::conflict("duplicate", "There is an office with this id.").at("/id"));
        }
        let room = Usage::Offices.room_for(1, clinic, facts)?;
        let office = Office {
            id,
            name: self.name.into(),
            address: self.address.map(Into::into),
            phone: self.phone.map(Into::into),
            hours: self.hours.map(checked).transpose()?.unwrap_or_default(),
        };
        Ok(did(context, ClinicEvent::OfficeAdded { office }).within(room))
    }
}

/// Closes an office for good. Refused while appointments are booked there, with their list.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseOffice {
    pub office_id: OfficeId,
}

impl CloseOffice {
    fn times(&self) -> Read {
        let always = bookings::always();
        Read::ClinicTime { office: Some(self.office_id), from: always.from, to: always.to }
    }

    pub(super) fn reads(&self, facts: &Facts) -> Vec<Read> {
        let bookings = bookings::reads(self.times(), BookedAppointments::Refuse, facts);
        bookings.into_iter().chain(Usage::Offices.read(facts)).collect()
    }

    pub(super) fn decide(self, clinic: &Clinic, facts: &Facts, context: &Context<'_>) -> Result<Decision, Refusal> {
        if clinic.closed_offices.contains(&self.office_id) {
            return Ok(Decision::already_so());
        }
        clinic.open_office(self.office_id)?;
        let one_remains = Usage::Offices.one_remains(1, facts)?;
        let booked = bookings::in_the_way(&self.times(), &bookings::always(), facts, context.now)?;
        let closed = did(context, ClinicEvent::OfficeClosed { office: self.office_id }).within([one_remains]);
        bookings::settle(closed, &booked, &bookings::Settle::Refuse)
    }
}

/// Sets when an office is open, replacing all its hours. What is booked stays.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetOfficeHours {
    pub office_id: OfficeId,
    pub hours: Vec<OpenHours>,
}

impl SetOfficeHours {
    pub(super) fn decide(self, clinic: &Clinic, context: &Context<'_>) -> Result<Decision, Refusal> {
        let office = clinic.open_office(self.office_id)?;
        let hours = checked(self.hours)?;
        if office.hours == hours {
            return Ok(Decision::already_so());
        }
        Ok(did(context, ClinicEvent::OfficeHoursSet { office: self.office_id, hours }))
    }
}

fn checked(open: Vec<OpenHours>) -> Result<WeeklyHours, Refusal> {
    hours::check(open.iter().map(|open| (open.weekday, open.from, open.to)))?;
    Ok(WeeklyHours(open))
}
