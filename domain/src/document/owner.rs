//! What a document belongs to: itself, or something else in the record of the same person.

use events::{CaseStudyId, NoteId, PatientId, case_study::CaseStudyStatus, document::Owner};

use crate::{CaseStudy, Context, Facts, Note, Read, Refusal, dental_chart::Mouth, patient::Group};

/// What the announcement rests on besides the person.
pub(super) fn reads(owner: Owner, person: PatientId, facts: &Facts) -> Vec<Read> {
    match owner {
        Owner::Document => Vec::new(),
        Owner::Note { id } => vec![Read::Stream(id.into())],
        Owner::Observation { .. } | Owner::Procedure { .. } => Mouth::reads(person, facts),
        Owner::CaseStudy { id } => vec![Read::Stream(id.into())],
    }
}

/// That there is such an owner in the record of this person.
pub(super) fn check(owner: Owner, person: &Group<'_>, facts: &Facts, context: &Context<'_>) -> Result<(), Refusal> {
    match owner {
        Owner::Document => Ok(()),
        Owner::Note { id } => check_note(id, person, facts, context),
        Owner::Observation { id } => Mouth::of(person.survivor().0, facts)?.observation(id).map(drop),
        Owner::Procedure { id } => Mouth::of(person.survivor().0, facts)?.procedure(id).map(drop),
        Owner::CaseStudy { id } => check_study(id, person, facts, context),
    }
    .map_err(|refusal| refusal.at("/owner/id"))
}

/// A draft is its author's alone, and nobody else is told of it.
fn check_note(id: NoteId, person: &Group<'_>, facts: &Facts, context: &Context<'_>) -> Result<(), Refusal> {
    let note = facts.get::<Note>(id).filter(|note| note.status.is_signed() || context.actor.user == Some(note.author));
    let note = note.ok_or_else(|| Refusal::not_found("note"))?;
    match person.contains(note.patient) {
        true => Ok(()),
        false => Err(of_another("note")),
    }
}

/// Its author draws pictures into it as long as it is not approved.
fn check_study(id: CaseStudyId, person: &Group<'_>, facts: &Facts, context: &Context<'_>) -> Result<(), Refusal> {
    let study = facts.get::<CaseStudy>(id).ok_or_else(|| Refusal::not_found("case study"))?;
    if !study.parts.keys().any(|patient| person.contains(*patient)) {
        return Err(of_another("case study"));
    }
    if context.actor.user != Some(study.author) {
        return Err(Refusal::forbidden("not-the-author", "Only its author adds to a case study."));
    }
    match study.status {
        CaseStudyStatus::Draft | CaseStudyStatus::DeIdentified => Ok(()),
        CaseStudyStatus::Approved | CaseStudyStatus::Published | CaseStudyStatus::Withdrawn => {
            Err(Refusal::conflict("wrong-status", "Nothing is added to a case study once it is approved."))
        }
    }
}

fn of_another(what: &str) -> Refusal {
    Refusal::rule("owner-of-another", format!("The {what} is not of this patient."))
}

#[cfg(test)]
mod tests {
    use events::{DentalChartId, DocumentId, DomainEvent, Role, UserId, document::DocumentEvent};
    use serde_json::{Value, json};

    use super::{super::sample::announced, *};
    use crate::{
        Class, DentalChart, NoteCommand,
        note::{SignNote, StartNote},
        testing::{World, body, id},
    };

    const DOCTOR: u128 = 0xD1;
    const COLLEAGUE: u128 = 0xD2;

    /// A clinic with the patients 1 and 2, and two doctors, of whom the first acts.
    fn ward() -> World {
        let mut world = super::super::sample::desk();
        world.given_patient(2);
        for doctor in [DOCTOR, COLLEAGUE] {
            world.given_doctor(doctor);
        }
        world.acts(id::<UserId>(DOCTOR), &[Role::Doctor]);
        world
    }

    fn announce(world: &mut World, n: u128, owner: Value) -> Result<Vec<DomainEvent>, Refusal> {
        world.document(id::<DocumentId>(n), announced(json!({"owner": owner})))
    }

    fn note(world: &mut World, n: u128, command: impl Into<NoteCommand>) -> Vec<DomainEvent> {
        world.when::<Note>(id::<NoteId>(n), command).unwrap()
    }

    fn start(patient: u128) -> StartNote {
        body(json!({"patient_id": id::<PatientId>(patient), "content": "Seen."}))
    }

    #[test]
    fn what_belongs_to_nothing_else_belongs_to_itself() {
        let mut world = ward();
        let events = world.document(id::<DocumentId>(1), announced(json!({}))).unwrap();
        let DomainEvent::Document(DocumentEvent::DocumentRegistered { owner, .. }) = &events[0] else { panic!() };
        assert_eq!(*owner, Owner::Document);
    }

    #[test]
    fn a_note_has_attachments_of_its_own_patient_and_a_draft_those_of_its_author() {
        let mut world = ward();
        note(&mut world, 7, start(1));
        note(&mut world, 8, start(2));
        let of = |n: u128| json!({"kind": "note", "id": id::<NoteId>(n)});
        announce(&mut world, 1, of(7)).unwrap();
        let other = announce(&mut world, 2, of(8)).unwrap_err();
        assert_eq!((other.code, other.pointer), ("owner-of-another", Some("/owner/id")));
        assert_eq!(announce(&mut world, 2, of(9)).unwrap_err().class, Class::NotFound);
        world.acts(id::<UserId>(COLLEAGUE), &[Role::Doctor]);
        assert_eq!(announce(&mut world, 2, of(7)).unwrap_err().class, Class::NotFound);
        world.acts(id::<UserId>(DOCTOR), &[Role::Doctor]);
        let hash = events::note::ContentHash::of_note(id(7), events::note::NoteKind::default(), None, "Seen.");
        note(&mut world, 7, body::<SignNote>(json!({"content_sha256": hash})));
        world.acts(id::<UserId>(COLLEAGUE), &[Role::Doctor]);
        announce(&mut world, 2, of(7)).unwrap();
    }

    #[test]
    fn a_picture_belongs_to_an_observation_or_a_procedure_of_the_persons_charts() {
        let mut world = ward();
        let seen = json!({"tooth": 16, "surfaces": ["occlusal"], "condition": "cavity", "severity": "mild"});
        let chart: DentalChartId = id(1);
        let recorded = world.when::<DentalChart>(chart, body::<crate::dental_chart::RecordObservation>(seen)).unwrap();
        let DomainEvent::DentalChart(events::DentalChartEvent::ObservationRecorded { observation, .. }) = &recorded[0]
        else {
            panic!("{recorded:?}")
        };
        announce(&mut world, 1, json!({"kind": "observation", "id": observation})).unwrap();
        for kind in ["observation", "procedure"] {
            let unknown = announce(&mut world, 2, json!({"kind": kind, "id": id::<NoteId>(0xBAD)})).unwrap_err();
            assert_eq!((unknown.class, unknown.pointer), (Class::NotFound, Some("/owner/id")));
        }
        world.given_merge(id(1), id(2));
        let of_survivor =
            announced(json!({"patient_id": id::<PatientId>(2), "owner": {"kind": "observation", "id": observation}}));
        world.document(id::<DocumentId>(3), of_survivor).unwrap();
    }
}
