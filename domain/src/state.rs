//! The states of all aggregates behind one type, and the one place that leads an event to its aggregate.
//! A new aggregate is a line in each list here.

use derive_more::{From, TryInto};
use events::{
    DomainEvent, PatientId, StreamId,
    claim::{ClaimChange, CounterChange},
};

use crate::{
    Aggregate, Appointment, CaseStudy, Catalogue, Charge, Clinic, DentalChart, DentalTemplate, Department, Doctor,
    Document, Invoice, LabOrder, LabReport, Medicine, Note, Patient, Prescription, ShortKey, Staff, Substance, Visit,
};

/// The state of any aggregate.
#[derive(Clone, Debug, PartialEq, From, TryInto)]
#[try_into(owned, ref)]
#[expect(clippy::large_enum_variant, reason = "states are kept behind an Arc, one to an allocation")]
pub enum State {
    Clinic(Clinic),
    Staff(Staff),
    Doctor(Doctor),
    Patient(Patient),
    Appointment(Appointment),
    Document(Document),
    DentalChart(DentalChart),
    DentalTemplate(DentalTemplate),
    Charge(Charge),
    Invoice(Invoice),
    Medicine(Medicine),
    Substance(Substance),
    Catalogue(Catalogue),
    ShortKey(ShortKey),
    LabOrder(LabOrder),
    LabReport(LabReport),
    Visit(Visit),
    Department(Department),
    Prescription(Prescription),
    Note(Note),
    CaseStudy(CaseStudy),
}

impl State {
    /// The patient in whose record it stands; `None` for what is no patient's, or several patients'.
    pub fn patient(&self, stream: StreamId) -> Option<PatientId> {
        match self {
            Self::Patient(_) | Self::DentalChart(_) => Some(PatientId(stream.id)),
            Self::Appointment(appointment) => Some(appointment.slot.patient),
            Self::Document(document) => Some(document.patient),
            Self::Note(note) => Some(note.patient),
            Self::LabOrder(order) => Some(order.patient),
            Self::LabReport(report) => Some(report.patient),
            Self::Visit(visit) => Some(visit.attendance.patient),
            Self::Prescription(prescription) => Some(prescription.patient),
            Self::Charge(charge) => Some(charge.patient),
            Self::Invoice(invoice) => Some(invoice.patient),
            Self::Clinic(_) | Self::Staff(_) | Self::Doctor(_) | Self::Department(_) => None,
            Self::DentalTemplate(_) | Self::CaseStudy(_) => None,
            Self::Medicine(_) | Self::Substance(_) | Self::Catalogue(_) | Self::ShortKey(_) => None,
        }
    }

    /// The state after an event of its stream. `None`: the event cannot follow, the stream is corrupt.
    pub fn evolve(before: Option<Self>, event: &DomainEvent) -> Option<Self> {
        match event {
            DomainEvent::Clinic(event) => step::<Clinic>(before, event),
            DomainEvent::Staff(event) => step::<Staff>(before, event),
            DomainEvent::Doctor(event) => step::<Doctor>(before, event),
            DomainEvent::Patient(event) => step::<Patient>(before, event),
            DomainEvent::Appointment(event) => step::<Appointment>(before, event),
            DomainEvent::Document(event) => step::<Document>(before, event),
            DomainEvent::DentalChart(event) => step::<DentalChart>(before, event),
            DomainEvent::DentalTemplate(event) => step::<DentalTemplate>(before, event),
            DomainEvent::Charge(event) => step::<Charge>(before, event),
            DomainEvent::Invoice(event) => step::<Invoice>(before, event),
            DomainEvent::Medicine(event) => step::<Medicine>(before, event),
            DomainEvent::Substance(event) => step::<Substance>(before, event),
            DomainEvent::Catalogue(event) => step::<Catalogue>(before, event),
            DomainEvent::ShortKey(event) => step::<ShortKey>(before, event),
            DomainEvent::LabOrder(event) => step::<LabOrder>(before, event),
            DomainEvent::LabReport(event) => step::<LabReport>(before, event),
            DomainEvent::Visit(event) => step::<Visit>(before, event),
            DomainEvent::Department(event) => step::<Department>(before, event),
            DomainEvent::Prescription(event) => step::<Prescription>(before, event),
            DomainEvent::Note(event) => step::<Note>(before, event),
            DomainEvent::CaseStudy(event) => step::<CaseStudy>(before, event),
            // The access ledger has no aggregates: nothing is decided on what it holds.
            DomainEvent::Access(_) => None,
        }
    }

    /// The state after an event, and what the event does to claims and counters.
    pub fn advance(before: Option<&Self>, event: &DomainEvent) -> Option<(Self, Effects)> {
        match event {
            DomainEvent::Clinic(event) => advance::<Clinic>(before, event),
            DomainEvent::Staff(event) => advance::<Staff>(before, event),
            DomainEvent::Doctor(event) => advance::<Doctor>(before, event),
            DomainEvent::Patient(event) => advance::<Patient>(before, event),
            DomainEvent::Appointment(event) => advance::<Appointment>(before, event),
            DomainEvent::Document(event) => advance::<Document>(before, event),
            DomainEvent::DentalChart(event) => advance::<DentalChart>(before, event),
            DomainEvent::DentalTemplate(event) => advance::<DentalTemplate>(before, event),
            DomainEvent::Charge(event) => advance::<Charge>(before, event),
            DomainEvent::Invoice(event) => advance::<Invoice>(before, event),
            DomainEvent::Medicine(event) => advance::<Medicine>(before, event),
            DomainEvent::Substance(event) => advance::<Substance>(before, event),
            DomainEvent::Catalogue(event) => advance::<Catalogue>(before, event),
            DomainEvent::ShortKey(event) => advance::<ShortKey>(before, event),
            DomainEvent::LabOrder(event) => advance::<LabOrder>(before, event),
            DomainEvent::LabReport(event) => advance::<LabReport>(before, event),
            DomainEvent::Visit(event) => advance::<Visit>(before, event),
            DomainEvent::Department(event) => advance::<Department>(before, event),
            DomainEvent::Prescription(event) => advance::<Prescription>(before, event),
            DomainEvent::Note(event) => advance::<Note>(before, event),
            DomainEvent::CaseStudy(event) => advance::<CaseStudy>(before, event),
            DomainEvent::Access(_) => None,
        }
    }
}

/// What an event changes beside the log.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effects {
    pub claims: Vec<ClaimChange>,
    pub counters: Vec<CounterChange>,
}

fn step<A>(before: Option<State>, event: &A::Event) -> Option<State>
where
    A: Aggregate + TryFrom<State> + Into<State>,
{
    let before = match before {
        None => None,
        Some(state) => Some(A::try_from(state).ok()?),
    };
    A::evolve(before, event).map(Into::into)
}

fn advance<A>(before: Option<&State>, event: &A::Event) -> Option<(State, Effects)>
where
    A: Aggregate + Into<State>,
    for<'a> &'a A: TryFrom<&'a State>,
{
    let before = match before {
        None => None,
        Some(state) => Some(<&A>::try_from(state).ok()?),
    };
    let after = A::evolve(before.cloned(), event)?;
    let effects = Effects { claims: A::claims(before, &after), counters: A::counters(before, &after) };
    Some((after.into(), effects))
}
