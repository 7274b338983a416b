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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{World, body, id};

    /// A clinic that may have two offices.
    fn start() -> World {
        let mut world = World::registered();
        let limits = serde_json::from_value(json!({"offices": 2})).unwrap();
        world.given(world.clinic, ClinicEvent::LimitsSet { limits: Some(limits) });
        world
    }

    fn add(world: &mut World, office: Value) -> Result<Vec<events::DomainEvent>, Refusal> {
        world.when::<Clinic>(world.clinic, body::<AddOffice>(office))
    }

    fn close(world: &mut World, office_id: OfficeId) -> Result<Vec<events::DomainEvent>, Refusal> {
        world.when::<Clinic>(world.clinic, CloseOffice { office_id })
    }

    fn set_hours(world: &mut World, hours: Value) -> Result<Vec<events::DomainEvent>, Refusal> {
        let office = world.office();
        world.when::<Clinic>(world.clinic, body::<SetOfficeHours>(json!({"office_id": office, "hours": hours})))
    }

    #[test]
    fn a_new_office_is_open_from_monday_to_saturday() {
        let mut world = start();
        add(&mut world, json!({"id": id::<OfficeId>(2), "name": "North"})).unwrap();
        let clinic = world.state::<Clinic>(world.clinic).unwrap();
        assert_eq!(clinic.office(id(2)).unwrap().hours.0.len(), 6);
        assert_eq!(world.counter("usage/offices"), 2);
        assert_eq!(add(&mut world, json!({"id": id::<OfficeId>(2), "name": "North"})).unwrap_err().code, "duplicate");
    }

    #[test]
    fn offices_past_the_plan_are_refused_with_limit_and_use() {
        let mut world = World::registered();
        let refused = add(&mut world, json!({"name": "North"})).unwrap_err();
        assert_eq!((refused.class, refused.code), (crate::Class::Forbidden, "quota-exceeded"));
        assert_eq!(refused.extra, [("limit", 1.into()), ("used", 1.into())]);
    }

    #[test]
    fn the_last_office_stays_open() {
        let mut world = start();
        let first = world.office();
        assert_eq!(close(&mut world, first).unwrap_err().code, "last-office");
        add(&mut world, json!({"id": id::<OfficeId>(2), "name": "North"})).unwrap();
        close(&mut world, first).unwrap();
        assert!(close(&mut world, first).unwrap().is_empty(), "already so");
        assert_eq!(close(&mut world, id(2)).unwrap_err().code, "last-office");
        assert_eq!(close(&mut world, id(3)).unwrap_err().class, crate::Class::NotFound);
        assert_eq!(add(&mut world, json!({"id": first, "name": "Again"})).unwrap_err().code, "duplicate");
    }

    #[test]
    fn hours_run_forward_and_do_not_overlap() {
        let mut world = start();
        let block = |weekday: &str, from: &str, to: &str| json!({"weekday": weekday, "from": from, "to": to});
        let refused = set_hours(&mut world, json!([block("mon", "12:00", "12:00")])).unwrap_err();
        assert_eq!(refused.code, "hours-backwards");
        let overlap = json!([block("mon", "13:00", "18:00"), block("mon", "09:00", "13:01")]);
        assert_eq!(set_hours(&mut world, overlap).unwrap_err().code, "hours-overlap");
        let week = vec![block("mon", "09:00", "10:00"); 99];
        assert_eq!(set_hours(&mut world, json!(week)).unwrap_err().code, "too-many-hours");
        let noon =
            json!([block("mon", "13:00", "18:00"), block("mon", "09:00", "13:00"), block("tue", "09:00", "18:00")]);
        set_hours(&mut world, noon.clone()).unwrap();
        assert!(set_hours(&mut world, noon).unwrap().is_empty(), "already so");
    }
}
