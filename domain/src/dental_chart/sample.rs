//! A clinic to test in, with one patient.

use events::{DentalChartId, DentalObservationId, DomainEvent, PatientId};
use serde_json::Value;
use uuid::Uuid;

use super::{DentalChart, DentalChartCommand, RecordObservation};
use crate::{
    Refusal,
    testing::{World, body},
};

pub(super) const PATIENT: PatientId = PatientId(Uuid::from_u128(1));

pub(super) fn clinic() -> World {
    let mut world = World::with_clinic(chrono_tz::Asia::Kolkata);
    world.given_patient(1);
    world
}

/// Runs a command on a patient's chart.
pub(super) fn on(
    world: &mut World,
    patient: PatientId,
    command: impl Into<DentalChartCommand>,
) -> Result<Vec<DomainEvent>, Refusal> {
    world.when::<DentalChart>(DentalChartId::from(patient), command)
}

pub(super) fn given_observed(world: &mut World, patient: PatientId, content: Value) -> DentalObservationId {
    on(world, patient, body::<RecordObservation>(content)).expect("it is recorded");
    *chart(world, patient).observations.keys().next_back().expect("an observation")
}

pub(super) fn chart(world: &World, patient: PatientId) -> &DentalChart {
    world.state::<DentalChart>(DentalChartId::from(patient)).expect("a chart")
}
