//! The purpose of use of a request that does not say one.

use events::{Actor, ActorKind, Purpose, Role};

/// Patients act for themselves, staff treat or run the clinic.
pub fn purpose_of(actor: &Actor) -> Purpose {
    match actor.kind {
        ActorKind::Person if actor.has(Role::Patient) => Purpose::Patrqt,
        ActorKind::Person if actor.has(Role::Doctor) || actor.has(Role::Nurse) => Purpose::Treat,
        ActorKind::Person | ActorKind::System | ActorKind::Import => Purpose::Hoperat,
    }
}
