//! What holds of notes whatever is done to them, by whomever, in whatever order.

use events::{
    DomainEvent, NoteEvent, NoteId, Role, StreamId, UserId,
    note::{ContentHash, NoteKind, NoteStatus, NoteText},
};
use proptest::prelude::*;
use serde_json::json;

use super::{Note, NoteCommand, sample::*};
use crate::{
    Aggregate,
    testing::{World, body, id},
};

const NOTES: u128 = 3;
const WORDS: [&str; 3] = ["Seen.", "Seen twice.", "Sent home.\nRest."];

/// What somebody does to the `n`-th note.
#[derive(Clone, Debug)]
enum Step {
    Start(usize),
    Save(usize),
    /// With the digest of these words, which may be others than those that stand there.
    Sign(usize),
    Cosign(usize),
    Add,
    Amend(usize),
    Release,
    Retract,
    Expire,
}

fn steps() -> impl Strategy<Value = Vec<(u128, u128, Step)>> {
    let words = || 0..WORDS.len();
    let step = prop_oneof![
        4 => words().prop_map(Step::Start),
        3 => words().prop_map(Step::Save),
        5 => words().prop_map(Step::Sign),
        6 => words().prop_map(Step::Cosign),
        2 => Just(Step::Add),
        3 => words().prop_map(Step::Amend),
        1 => Just(Step::Release),
        1 => Just(Step::Retract),
        1 => Just(Step::Expire),
    ];
    let who = prop_oneof![3 => Just(DOCTOR), 2 => Just(COLLEAGUE), 1 => Just(NURSE)];
    proptest::collection::vec((1..=NOTES, who, step), 1..50)
}

fn digest_of(n: u128, words: usize) -> String {
    ContentHash::of_note(id(n), NoteKind::Progress, None, WORDS[words]).0
}

fn command(n: u128, step: &Step) -> Option<NoteCommand> {
    Some(match step {
        Step::Start(words) => {
            let patient = id::<events::PatientId>(PATIENT);
            NoteCommand::Start(body(json!({"patient_id": patient, "content": WORDS[*words]})))
        }
        Step::Save(words) => NoteCommand::SaveDraft(body(json!({"content": WORDS[*words]}))),
        Step::Sign(words) => NoteCommand::Sign(body(json!({"content_sha256": digest_of(n, *words)}))),
        Step::Cosign(words) => NoteCommand::Cosign(body(json!({"content_sha256": digest_of(n, *words)}))),
        Step::Add => NoteCommand::AddAddendum(body(json!({"content": "And more."}))),
        Step::Amend(words) => {
            let hash = digest_of(n, *words);
            let content = json!({"content": WORDS[*words], "content_sha256": hash, "reason": "better"});
            NoteCommand::Amend(body(content))
        }
        Step::Release => NoteCommand::Release(body(json!({}))),
        Step::Retract => NoteCommand::Retract(body(json!({"reason": "slip"}))),
        Step::Expire => return None,
    })
}

/// What a note says by its events alone, and every signature that was ever put under it.
#[derive(Clone, Debug, Default, PartialEq)]
struct Told {
    text: Option<NoteText>,
    /// Number, digest, signer.
    signatures: Vec<(i64, ContentHash, UserId)>,
}

fn told(world: &World, n: u128) -> Told {
    let mut told = Told::default();
    let own = world.log.iter().filter(|(stream, _)| *stream == StreamId::from(id::<NoteId>(n)));
    for (_, event) in own {
        let DomainEvent::Note(event) = event else { continue };
        match event {
            NoteEvent::NoteStarted { sealed, .. } | NoteEvent::NoteDraftSaved { sealed, .. } => {
                told.text = sealed.open().cloned();
            }
            NoteEvent::NoteSigned { signer, content_sha256, .. } => {
                told.signatures.push((1, content_sha256.clone(), *signer));
            }
            NoteEvent::NoteCosigned { signer, revision, content_sha256, .. } => {
                told.signatures.push((*revision, content_sha256.clone(), *signer));
            }
            NoteEvent::NoteAmended { signer, revision, content_sha256, sealed, .. } => {
                let text = sealed.open().expect("nobody is erased");
                told.text = Some(NoteText { title: text.title.clone(), content: text.content.clone() });
                told.signatures.push((*revision, content_sha256.clone(), *signer));
            }
            NoteEvent::NoteAddendumAdded { .. }
            | NoteEvent::NoteReleased { .. }
            | NoteEvent::NoteEnteredInError { .. } => {}
        }
    }
    told
}

/// Each signature that stands is of the words that stand.
fn check(world: &World, n: u128) {
    let Some(note) = world.state::<Note>(id::<NoteId>(n)) else { return };
    let told = told(world, n);
    let text = told.text.expect("a note says something");
    let says = ContentHash::of_note(id(n), note.kind, text.title.as_deref(), &text.content);
    let Some(revision) = &note.revision else {
        assert!(told.signatures.is_empty() && !note.released);
        return;
    };
    assert_eq!(revision.content_sha256, says);
    let standing = told.signatures.iter().filter(|(number, ..)| *number == revision.number);
    let signers: Vec<UserId> = standing.map(|(_, _, signer)| *signer).collect();
    assert_eq!(signers, revision.signers);
    assert!((1..signers.len()).all(|n| !signers[..n].contains(&signers[n])), "nobody signs twice");
    assert!(signers[1..].iter().all(|signer| *signer != id(NURSE)), "only doctors cosign");
    assert_ne!(note.status, NoteStatus::Draft);
}

/// What the steps lead to is measured: see `crate::lives`.
pub(crate) const LIVES: &[fn()] =
    &[what_was_signed_stays_as_it_was_signed, a_note_read_from_its_log_is_the_note_that_was_written];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_was_signed_stays_as_it_was_signed(steps in steps()) {
        let mut world = ward();
        for (n, who, step) in &steps {
            let before: Vec<Told> = (1..=NOTES).map(|n| told(&world, n)).collect();
            let length = world.log.len();
            let role = if *who == NURSE { Role::Nurse } else { Role::Doctor };
            world.acts(id(*who), &[role]);
            // Refused or not: the rules that follow hold either way.
            let refused = command(*n, step).is_some_and(|command| world.note(id(*n), command).is_err());
            prop_assert!(!refused || world.log.len() == length, "a refused command leaves no event");
            if matches!(step, Step::Expire) && *who != NURSE {
                given_expired(&mut world, *who);
            }
            for n in 1..=NOTES {
                check(&world, n);
                let (earlier, now) = (&before[n as usize - 1], told(&world, n));
                prop_assert!(now.signatures.starts_with(&earlier.signatures), "nothing removes a signature");
                if !earlier.signatures.is_empty() && earlier.signatures.len() == now.signatures.len() {
                    prop_assert_eq!(&earlier.text, &now.text, "no words change without a signature");
                }
            }
        }
    }

    #[test]
    fn a_note_read_from_its_log_is_the_note_that_was_written(steps in steps()) {
        let mut world = ward();
        for (n, who, step) in &steps {
            world.acts(id(*who), &[Role::Doctor]);
            if let Some(command) = command(*n, step) {
                let _refused_or_not = world.note(id(*n), command);
            }
        }
        for n in 1..=NOTES {
            let own = world.log.iter().filter(|(stream, _)| *stream == StreamId::from(id::<NoteId>(n)));
            let read = own.fold(None, |state, (_, event)| match event {
                DomainEvent::Note(event) => Some(Note::evolve(state, event).expect("it follows")),
                _ => state,
            });
            prop_assert_eq!(read.as_ref(), world.state::<Note>(id::<NoteId>(n)));
        }
    }
}
