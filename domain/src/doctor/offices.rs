//! Where a doctor works.

use events::{DoctorEvent, DoctorId, OfficeId};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Doctor, did, register::MAX_OFFICES};
use crate::{
    Context, Decision, Facts, Read, Refusal,
    bookings::{self, BookedAppointments, Settle},
};

/// Assigns the doctor to a further office.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignOffice {
    pub office_id: OfficeId,
}

impl AssignOffice {
    pub(super) fn decide(self, doctor: &Doctor, context: &Context<'_>) -> Result<Decision, Refusal> {
        context.in_clinic()?.open_office(self.office_id)?;
        if doctor.works_in(self.office_id) {
            return Ok(Decision::already_so());
        }
        if doctor.offices.len() >= MAX_OFFICES {
            let detail = format!("A doctor works in 1 to {MAX_OFFICES} offices.");
            return Err(Refusal::rule("number-of-offices", detail));
        }
        Ok(did(context, DoctorEvent::OfficeAssigned { office: self.office_id }))
    }
}

/// Ends the doctor's work in an office. Refused while the doctor has working hours or booked appointments
/// there, and for the only office.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnassignOffice {
    pub office_id: OfficeId,
}

impl UnassignOffice {
    pub(super) fn reads(&self, doctor: DoctorId, facts: &Facts) -> Vec<Read> {
        bookings::reads(times(doctor), BookedAppointments::Refuse, facts)
    }

    pub(super) fn decide(self, doctor: &Doctor, facts: &Facts, context: &Context<'_>) -> Result<Decision, Refusal> {
        let office = self.office_id;
        if !doctor.works_in(office) {
            return Ok(Decision::already_so());
        }
        if doctor.offices.len() == 1 {
            let detail = format!("A doctor works in 1 to {MAX_OFFICES} offices.");
            return Err(Refusal::rule("number-of-offices", detail));
        }
        if doctor.hours.iter().any(|hours| hours.office_id == office) {
            return Err(Refusal::rule("hours-in-office", "The doctor has working hours there; set others first."));
        }
        let id = DoctorId(context.target.id);
        let booked = bookings::in_the_way(&times(id), &bookings::always(), facts, context.now)?;
        let there: Vec<_> = booked.into_iter().filter(|booking| booking.office() == office).collect();
        bookings::settle(did(context, DoctorEvent::OfficeUnassigned { office }), &there, &Settle::Refuse)
    }
}

fn times(doctor: DoctorId) -> Read {
    bookings::time_of(doctor, bookings::always())
}

/// Makes an office of the doctor the primary one.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetPrimaryOffice {
    pub office_id: OfficeId,
}

impl SetPrimaryOffice {
    pub(super) fn decide(self, doctor: &Doctor, context: &Context<'_>) -> Result<Decision, Refusal> {
        let office = self.office_id;
        context.in_clinic()?.open_office(office)?;
        assigned(doctor, office)?;
        if doctor.offices.first() == Some(&office) {
            return Ok(Decision::already_so());
        }
        Ok(did(context, DoctorEvent::PrimaryOfficeSet { office }))
    }
}

/// That the doctor works in the office.
pub(super) fn assigned(doctor: &Doctor, office: OfficeId) -> Result<(), Refusal> {
    if doctor.works_in(office) {
        Ok(())
    } else {
        Err(Refusal::rule("office-not-assigned", "The doctor is not assigned to this office."))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        DoctorCommand,
        doctor::SetWorkingHours,
        testing::{World, body, id},
    };

    const NORTH: OfficeId = OfficeId(uuid::Uuid::from_u128(2));

    fn start() -> (World, DoctorId) {
        let mut world = World::registered();
        world.given_office(NORTH);
        let doctor = world.given_doctor(3);
        (world, doctor)
    }

    fn give(
        world: &mut World,
        doctor: DoctorId,
        command: impl Into<DoctorCommand>,
    ) -> Result<Vec<events::DomainEvent>, Refusal> {
        world.when::<Doctor>(doctor, command)
    }

    #[test]
    fn offices_are_assigned_and_one_is_primary() {
        let (mut world, doctor) = start();
        assert_eq!(
            give(&mut world, doctor, SetPrimaryOffice { office_id: NORTH }).unwrap_err().code,
            "office-not-assigned"
        );
        give(&mut world, doctor, AssignOffice { office_id: NORTH }).unwrap();
        assert!(give(&mut world, doctor, AssignOffice { office_id: NORTH }).unwrap().is_empty(), "already so");
        give(&mut world, doctor, SetPrimaryOffice { office_id: NORTH }).unwrap();
        assert!(give(&mut world, doctor, SetPrimaryOffice { office_id: NORTH }).unwrap().is_empty(), "already so");
        assert_eq!(world.state::<Doctor>(doctor).unwrap().offices, [NORTH, world.office()]);
        let nowhere = give(&mut world, doctor, AssignOffice { office_id: id(9) }).unwrap_err();
        assert_eq!(nowhere.class, crate::Class::NotFound);
    }

    #[test]
    fn the_only_office_and_one_with_hours_stay_assigned() {
        let (mut world, doctor) = start();
        let main = world.office();
        assert_eq!(give(&mut world, doctor, UnassignOffice { office_id: main }).unwrap_err().code, "number-of-offices");
        give(&mut world, doctor, AssignOffice { office_id: NORTH }).unwrap();
        let hours = json!({"hours": [{"office_id": NORTH, "weekday": "mon", "from": "09:00", "to": "10:00"}]});
        give(&mut world, doctor, body::<SetWorkingHours>(hours)).unwrap();
        assert_eq!(give(&mut world, doctor, UnassignOffice { office_id: NORTH }).unwrap_err().code, "hours-in-office");
        give(&mut world, doctor, UnassignOffice { office_id: main }).unwrap();
        assert!(give(&mut world, doctor, UnassignOffice { office_id: main }).unwrap().is_empty(), "already so");
    }
}
