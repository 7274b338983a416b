//! The steps of a line: registering the patient with their first one, booking, and what became of it.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    Appointment, AppointmentCommand, Patient,
    appointment::{BookAppointment, CancelAppointment, CheckIn, CompleteAppointment, MarkNoShow, StartAppointment},
    patient::RegisterPatient,
    values::VisitMinutes,
};
use events::{AppointmentId, DoctorId, OfficeId, PatientId, appointment::AppointmentKind};

use super::{
    entry::Entry,
    give::{Giver, Order, Stop},
    mapping::Outcome,
    plan::Row,
    report::Stage,
};

/// Where the rows of a clinic are given.
pub struct Desk<'a> {
    pub giver: &'a Giver,
    pub office: OfficeId,
    /// By the places that the rows name.
    pub doctors: &'a [DoctorId],
    pub minutes: VisitMinutes,
}

impl Desk<'_> {
    /// Does what earlier runs have not done for the line.
    pub async fn take(&self, row: &Row) -> Result<(), Stop> {
        let patient: PatientId = self.giver.ids.id("patient", row.patient.line, 0, row.patient.at);
        if row.registers() {
            self.register(row, patient).await?;
        }
        let appointment: AppointmentId = self.giver.ids.id("appointment", row.entry.line, 0, row.entry.scheduled_at);
        let recorded = if self.giver.fresh { Vec::new() } else { self.giver.recorded(appointment.into()).await? };
        for (stage, command, occurred_at) in self.steps(row, patient) {
            if recorded.contains(&stage.event_type()) {
                continue;
            }
            let target = appointment.into();
            let order = Order { stage, line: row.entry.line, n: 0, target, command, occurred_at, secret: None };
            self.giver.give::<Appointment>(order).await?;
        }
        Ok(())
    }

    async fn register(&self, row: &Row, patient: PatientId) -> Result<(), Stop> {
        let stage = Stage::RegisterPatient;
        if !self.giver.fresh && self.giver.recorded(patient.into()).await?.contains(&stage.event_type()) {
            return Ok(());
        }
        let command = registration(&row.entry, patient).into();
        let (line, occurred_at) = (row.entry.line, row.entry.scheduled_at);
        let order = Order { stage, line, n: 0, target: patient.into(), command, occurred_at, secret: None };
        self.giver.give::<Patient>(order).await
    }

    fn steps(&self, row: &Row, patient_id: PatientId) -> Vec<(Stage, AppointmentCommand, DateTime<Utc>)> {
        let book = BookAppointment {
            id: None,
            patient_id,
            doctor_id: self.doctors[row.doctor],
            office_id: self.office,
            start: row.start,
            minutes: Some(self.minutes),
            kind: AppointmentKind::Routine,
            reason: None,
        };
        let end = row.start + TimeDelta::minutes(self.minutes.get());
        let mut steps = vec![(Stage::Book, book.into(), row.entry.scheduled_at)];
        match row.entry.outcome {
            Outcome::Booked => {}
            Outcome::Fulfilled => steps.extend([
                (Stage::CheckIn, CheckIn {}.into(), row.start),
                (Stage::Start, StartAppointment {}.into(), row.start),
                (Stage::Complete, CompleteAppointment {}.into(), end),
            ]),
            Outcome::NoShow => steps.push((Stage::MarkNoShow, MarkNoShow {}.into(), end)),
            Outcome::Cancelled => {
                let cancel = CancelAppointment { reason: None, by: None };
                steps.push((Stage::Cancel, cancel.into(), row.entry.scheduled_at));
            }
        }
        steps
    }
}

fn registration(entry: &Entry, patient: PatientId) -> RegisterPatient {
    RegisterPatient {
        id: Some(patient),
        first_name: entry.first_name.clone(),
        last_name: entry.last_name.clone(),
        birth_date: entry.birth_date,
        gender: entry.gender,
        phone: entry.phone.clone(),
        email: None,
        address: None,
        blood_group: None,
        marital_status: None,
        language: None,
        emergency_contact: None,
        identifiers: Vec::new(),
    }
}
