//! Whether the property tests prove anything: a generator whose commands are always refused proves nothing. Each
//! aggregate's are run here, and everything that its commands can bring about has to have happened.
//!
//! That what was decided can be replayed is asserted at each event, in every world: see `testing::log`.

use std::thread;

use events::AggregateKind;
use strum::{VariantArray, VariantNames};

use crate::{
    Aggregate, Appointment, CaseStudy, Catalogue, Charge, Clinic, DentalChart, DentalTemplate, Department, Doctor,
    Document, Invoice, LabOrder, LabReport, Medicine, Note, Patient, Prescription, ShortKey, Staff, Substance, Visit,
    appointment, case_study, catalogue, clinic, dental_chart, dental_template, department, document, invariants,
    invoice, lab_order, lab_report, medicine, note, patient, prescription, short_key, staff, substance,
    testing::decided, visit,
};

/// Chance brings about what is rare. A generator that has to be given more chances than these proves next to nothing.
const ROUNDS_MAX: usize = 8;

/// The property tests in which an aggregate lives, and what can happen to it.
struct Lives {
    tests: Vec<fn()>,
    events: &'static [&'static str],
}

impl Lives {
    fn of<A: Aggregate>(tests: &[&[fn()]]) -> Self
    where
        A::Event: VariantNames,
    {
        Self { tests: tests.concat(), events: A::Event::VARIANTS }
    }

    /// What never happened, after as many rounds as it takes.
    fn missing(&self) -> Vec<&'static str> {
        let mut missing = self.events.to_vec();
        decided();
        for _ in 0..ROUNDS_MAX {
            self.tests.iter().for_each(|test| test());
            let decided = decided();
            missing.retain(|event| !decided.contains_key(event));
            if missing.is_empty() {
                break;
            }
        }
        missing
    }
}

/// A new kind does not compile before it has lives; `None` for what is no aggregate.
fn lives(kind: AggregateKind) -> Option<Lives> {
    Some(match kind {
        AggregateKind::Clinic => {
            Lives::of::<Clinic>(&[invariants::LIVES, clinic::properties::LIVES, clinic::ending::LIVES])
        }
        AggregateKind::Staff => {
            Lives::of::<Staff>(&[invariants::LIVES, staff::properties::LIVES, department::properties::LIVES])
        }
        AggregateKind::Doctor => Lives::of::<Doctor>(&[invariants::LIVES]),
        AggregateKind::Patient => {
            Lives::of::<Patient>(&[patient::properties::LIVES, patient::erasure::properties::LIVES])
        }
        AggregateKind::Appointment => Lives::of::<Appointment>(&[appointment::properties::LIVES]),
        AggregateKind::Document => Lives::of::<Document>(&[document::properties::LIVES]),
        AggregateKind::DentalChart => Lives::of::<DentalChart>(&[dental_chart::properties::LIVES]),
        AggregateKind::DentalTemplate => Lives::of::<DentalTemplate>(&[dental_template::properties::LIVES]),
        AggregateKind::Charge => Lives::of::<Charge>(&[invoice::properties::LIVES]),
        AggregateKind::Invoice => Lives::of::<Invoice>(&[invoice::properties::LIVES]),
        AggregateKind::Medicine => Lives::of::<Medicine>(&[medicine::properties::LIVES]),
        AggregateKind::Substance => Lives::of::<Substance>(&[substance::properties::LIVES]),
        AggregateKind::Catalogue => Lives::of::<Catalogue>(&[catalogue::properties::LIVES]),
        AggregateKind::ShortKey => Lives::of::<ShortKey>(&[short_key::properties::LIVES]),
        AggregateKind::LabOrder => {
            Lives::of::<LabOrder>(&[lab_order::properties::LIVES, lab_report::properties::LIVES])
        }
        AggregateKind::LabReport => Lives::of::<LabReport>(&[lab_report::properties::LIVES]),
        AggregateKind::Visit => Lives::of::<Visit>(&[visit::properties::LIVES]),
        AggregateKind::Department => Lives::of::<Department>(&[department::properties::LIVES]),
        AggregateKind::Prescription => Lives::of::<Prescription>(&[prescription::properties::LIVES]),
        AggregateKind::Note => Lives::of::<Note>(&[note::properties::LIVES]),
        AggregateKind::CaseStudy => Lives::of::<CaseStudy>(&[case_study::properties::LIVES]),
        AggregateKind::Access => return None,
    })
}

#[test]
fn everything_that_can_happen_to_an_aggregate_happens_in_its_properties() {
    // Each kind in a thread of its own, in which its events are counted.
    let never: Vec<String> = thread::scope(|scope| {
        let kinds = AggregateKind::VARIANTS.iter().filter_map(|kind| Some((kind, lives(*kind)?)));
        let runs: Vec<_> = kinds.map(|(kind, lives)| (kind, scope.spawn(move || lives.missing()))).collect();
        let missing = runs.into_iter().flat_map(|(kind, run)| {
            let missing = run.join().expect("the properties hold");
            missing.into_iter().map(move |event| format!("{kind:?}: {event}"))
        });
        missing.collect()
    });
    assert!(never.is_empty(), "never happens: {never:#?}");
}
