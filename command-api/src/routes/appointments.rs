//! Commands on appointments.

use aide::axum::ApiRouter;
use domain::{
    Appointment, AppointmentCommand,
    appointment::{
        BookAppointment, CancelAppointment, CheckIn, CompleteAppointment, ConfirmAppointment, EnterAppointmentInError,
        MarkNoShow, OverbookAppointment, RescheduleAppointment, StartAppointment, WaitlistAppointment,
    },
};
use events::DoctorId;
use service_kit::{Authenticated, Capability, Limit};

use super::{
    collection::{Collection, creates},
    needs::Needs,
};
use crate::{app::App, execute::Reached};

const STAFF: Needs<Appointment> = Needs::all(Capability::Appointments);
/// Patients book, move and cancel their own.
const OWN: Needs<Appointment> = Needs::within(Capability::Appointments, &[(Limit::Own, is_own_patient)]);
const CHECK_IN: Needs<Appointment> = Needs::all(Capability::CheckIn);
/// Doctors overbook their own time.
const OVERBOOK: Needs<Appointment> = Needs::within(Capability::Overbook, &[(Limit::Own, is_own_time)]);

pub fn routes() -> ApiRouter<App> {
    Collection::of_clinic("/appointments")
        .create::<BookAppointment>(OWN)
        .create_at::<WaitlistAppointment>("/waitlist", OWN)
        .create_at::<OverbookAppointment>("/overbook", OVERBOOK)
        .action::<ConfirmAppointment>("confirm", STAFF)
        .action::<RescheduleAppointment>("reschedule", OWN)
        .action::<CancelAppointment>("cancel", OWN)
        .action::<CheckIn>("check-in", CHECK_IN)
        .action::<StartAppointment>("start", STAFF)
        .action::<CompleteAppointment>("complete", STAFF)
        .action::<MarkNoShow>("no-show", STAFF)
        .action::<EnterAppointmentInError>("enter-in-error", STAFF)
        .router()
}

/// The patient of a portal login is the one whom the appointment is for.
fn is_own_patient(who: &Authenticated, reached: &Reached<'_, Appointment>) -> bool {
    let patient = match reached.command {
        AppointmentCommand::Book(book) => Some(book.patient_id),
        AppointmentCommand::Waitlist(waitlist) => Some(waitlist.patient_id),
        _ => reached.state.map(|appointment| appointment.slot.patient),
    };
    patient.is_some() && patient == who.patient()
}

fn is_own_time(who: &Authenticated, reached: &Reached<'_, Appointment>) -> bool {
    match reached.command {
        AppointmentCommand::Overbook(overbook) => overbook.doctor_id == DoctorId::from(who.user()),
        _ => false,
    }
}

creates!(Appointment: BookAppointment, WaitlistAppointment, OverbookAppointment);
