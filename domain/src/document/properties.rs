//! What holds of documents whatever is done to them, in whatever order. The clinic in memory also checks, at each
//! event, that it follows with its sealed part open and erased.

use chrono::TimeDelta;
use events::{
    DocumentId, PatientId,
    clinic::{Limits, Plan},
    document::{DocumentStatus, UploadFailure},
};
use proptest::prelude::*;
use serde_json::json;
use strum::VariantArray;

use super::{
    ClassifyDocument, Document, DocumentCommand, EnterDocumentInError, FailUpload, ReceiveContent, ReleaseDocument,
    ReviewDocument, SupersedeDocument, sample::*,
};
use crate::{
    State,
    patient::{ApproveErasure, RequestErasure},
    testing::{World, body, id},
};

const DOCUMENTS: u128 = 5;
const PATIENTS: u128 = 2;
/// Room for not quite three of them.
const LIMIT: i64 = 290;

#[derive(Clone, Debug)]
enum Step {
    On(u128, DocumentCommand),
    Pass(i64),
    Erase(u128),
}

fn command() -> impl Strategy<Value = DocumentCommand> {
    let announce = |patient: u128, size: i64| announced(json!({"patient_id": id::<PatientId>(patient), "size": size}));
    prop_oneof![
        4 => (1..=PATIENTS, 1..150_i64).prop_map(move |(patient, size)| announce(patient, size).into()),
        4 => Just(completed(SHA256).into()),
        1 => Just(completed(OTHER_SHA256).into()),
        1 => Just(ReceiveContent {}.into()),
        2 => proptest::sample::select(UploadFailure::VARIANTS).prop_map(|failure| FailUpload { failure }.into()),
        1 => Just(body::<ClassifyDocument>(json!({"kind": "referral", "title": "A letter"})).into()),
        4 => (1..=DOCUMENTS).prop_map(|by| {
            body::<SupersedeDocument>(json!({"by_document_id": id::<DocumentId>(by)})).into()
        }),
        1 => Just(body::<ReviewDocument>(json!({"remark": "read"})).into()),
        1 => Just(ReleaseDocument {}.into()),
        1 => Just(body::<EnterDocumentInError>(json!({"reason": "a slip"})).into()),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => (1..=DOCUMENTS, command()).prop_map(|(document, command)| Step::On(document, command)),
        2 => (1..90_i64).prop_map(Step::Pass),
        1 => (1..=PATIENTS).prop_map(Step::Erase),
    ]
}

fn start() -> World {
    let mut world = World::registered();
    world.given_settings(json!({"retention": {"clinical_years": 0, "past_majority_years": 0}}));
    for n in 1..=PATIENTS {
        world.given_patient(n);
    }
    let limits = Limits { storage: Some(LIMIT), ..Plan::Enterprise.limits() };
    world.given(world.clinic, events::ClinicEvent::LimitsSet { limits: Some(limits) });
    world
}

fn erase(world: &mut World, patient: u128) {
    let administrator = world.actor.clone();
    let _asked = world.patient(id(patient), body::<RequestErasure>(json!({})));
    world.actor = events::Actor::anonymous();
    world.acts(id(0xFFFF), &[events::Role::PlatformAdmin]);
    let _agreed = world.patient(id(patient), ApproveErasure {});
    world.actor = administrator;
}

fn documents(world: &World) -> impl Iterator<Item = (DocumentId, &Document)> {
    world.states().filter_map(|(stream, state)| match state {
        State::Document(document) => Some((DocumentId(stream.id), document)),
        _ => None,
    })
}

/// The counter is what a count of the states gives, and no more than there is room for.
fn storage_is_counted(world: &World) {
    let held: i64 = documents(world).map(|(_, document)| document.bytes_held()).sum();
    assert_eq!(world.counter("usage/storage"), held);
    assert!(held <= LIMIT, "{held} of {LIMIT}");
}

/// Whoever follows the replacements comes to an end, at a document of the same person.
fn replacements_end(world: &World) {
    for (first, document) in documents(world) {
        let (mut at, mut links) = (document, 0);
        while let (DocumentStatus::Superseded, Some(next)) = (at.status, at.superseded_by) {
            at = world.state::<Document>(next).expect("what takes a place is there");
            assert_eq!(at.patient, document.patient);
            links += 1;
            assert!(links <= DOCUMENTS, "{first} is replaced in a circle");
        }
    }
}

/// Content is known of exactly where it came and was not erased.
fn content_is_known(world: &World) {
    for (id, document) in documents(world) {
        let has = matches!(
            document.status,
            DocumentStatus::Current | DocumentStatus::Superseded | DocumentStatus::EnteredInError
        );
        assert_eq!(document.upload.is_some(), has, "{id}: {document:?}");
    }
}

/// What the steps lead to is measured: see `crate::lives`.
pub(crate) const LIVES: &[fn()] = &[documents_are_sound_whatever_is_done, an_erased_person_holds_no_bytes];

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn documents_are_sound_whatever_is_done(steps in proptest::collection::vec(step(), 1..60)) {
        let mut world = start();
        for step in steps {
            let before = world.log.len();
            match step {
                Step::On(document, command) => {
                    if world.document(id(document), command).is_err() {
                        prop_assert_eq!(world.log.len(), before, "a refused command leaves no event");
                    }
                }
                Step::Pass(minutes) => world.now += TimeDelta::minutes(minutes),
                Step::Erase(patient) => erase(&mut world, patient),
            }
            storage_is_counted(&world);
            replacements_end(&world);
            content_is_known(&world);
        }
    }

    #[test]
    fn an_erased_person_holds_no_bytes(steps in proptest::collection::vec(step(), 1..40)) {
        let mut world = start();
        for step in steps {
            if let Step::On(document, command) = step {
                let _refused_or_not = world.document(id(document), command);
            }
        }
        // What the record has to be kept for was long ago.
        world.now += TimeDelta::days(2);
        erase(&mut world, 1);
        for (document, state) in documents(&world).filter(|(_, document)| document.patient == id(1)) {
            prop_assert_eq!(state.bytes_held(), 0, "{}", document);
        }
        storage_is_counted(&world);
    }
}
