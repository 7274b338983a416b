//! What a group comes to: each member is admitted, in the order of arrival, on top of those before it.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use events::{AggregateKind, ClinicEvent, ClinicId, DomainEvent, Number, PatientEvent, PatientId, claim::CounterKey};

use super::{
    draft::{Draft, Drafted, is_within},
    effects::{Effects, NetClaims, Source, TakenHere},
    member::Member,
    memory::{Head, LedgerId},
    needs::Memories,
    rows::{NewKeys, Written, sealed_mails},
};
use crate::{
    append::{Append, AppendError, Appended, Idempotency, NewEvent},
    idempotency,
    row::{Hash, StoredRow},
    vault::{GroupKeys, Vault},
};

/// What becomes of a member, if the group commits.
pub(super) enum Verdict {
    Admitted(Appended),
    Failed(AppendError),
    /// Goes into the next group.
    Deferred,
    /// Failed in an earlier attempt of its group (`Member::lost`).
    Lost,
}

enum Stop {
    Fail(AppendError),
    Defer,
}

impl From<AppendError> for Stop {
    fn from(error: AppendError) -> Self {
        Self::Fail(error)
    }
}

/// An answer to be stored.
pub(super) struct AnswerRow {
    pub(super) member: usize,
    pub(super) clinic: ClinicId,
    pub(super) user: uuid::Uuid,
    pub(super) key_hash: Hash,
    pub(super) fingerprint: Hash,
    pub(super) encrypted: Vec<u8>,
}

/// A group that is ready to be written. Nothing in it is true before it has committed.
pub(super) struct Batch {
    pub(super) now: DateTime<Utc>,
    pub(super) rows: Vec<StoredRow>,
    pub(super) verdicts: Vec<Verdict>,
    /// Sorted by clinic and ledger; only those that move. With each, the head that it moves from.
    pub(super) moves: Vec<(Head, Drafted)>,
    pub(super) effects: Effects,
    pub(super) answers: Vec<AnswerRow>,
}

impl Batch {
    pub(super) fn decide(
        members: &[Member],
        memories: &Memories,
        keys: &GroupKeys,
        vault: &Vault,
        now: DateTime<Utc>,
    ) -> Self {
        let mut deciding = Deciding::new(keys, vault, now);
        let mut drafts: BTreeMap<LedgerId, Draft<'_>> = BTreeMap::new();
        let mut verdicts = Vec::with_capacity(members.len());
        for (number, member) in members.iter().enumerate() {
            if member.lost.is_some() {
                verdicts.push(Verdict::Lost);
                continue;
            }
            let place = member.append.place();
            let memory = memories.peek(&place).expect("every ledger of the group was read");
            let draft = drafts.entry(place).or_insert_with(|| Draft::new(place, memory, now));
            verdicts.push(match deciding.admit(draft, number, member) {
                Ok(appended) => Verdict::Admitted(appended),
                Err(Stop::Fail(error)) => Verdict::Failed(error),
                Err(Stop::Defer) => Verdict::Deferred,
            });
        }
        let moved = drafts.into_values().filter(|draft| draft.head != draft.memory.head);
        let moves = moved.map(|draft| (draft.memory.head, draft.finish())).collect();
        let Deciding { rows, effects, answers, .. } = deciding;
        Self { now, rows, verdicts, moves, effects, answers }
    }
}

/// What is gathered while members are admitted.
struct Deciding<'a> {
    keys: &'a GroupKeys,
    vault: &'a Vault,
    now: DateTime<Utc>,
    rows: Vec<StoredRow>,
    effects: Effects,
    answers: Vec<AnswerRow>,
    taken: TakenHere,
    remembered: HashSet<(ClinicId, uuid::Uuid, Hash)>,
}

impl<'a> Deciding<'a> {
    fn new(keys: &'a GroupKeys, vault: &'a Vault, now: DateTime<Utc>) -> Self {
        Self {
            keys,
            vault,
            now,
            rows: Vec::new(),
            effects: Effects::default(),
            answers: Vec::new(),
            taken: TakenHere::default(),
            remembered: HashSet::new(),
        }
    }

    /// Either all of the command is in the draft afterwards, or nothing of it.
    fn admit(&mut self, draft: &mut Draft<'_>, number: usize, member: &Member) -> Result<Appended, Stop> {
        let append = &member.append;
        check_shape(draft, append)?;
        draft.expectations_hold(append)?;
        let net = NetClaims::of(&append.claims);
        if self.taken.would_be_freed_by(append.clinic, &net) {
            return Err(Stop::Defer);
        }
        self.check_answer_key(append)?;
        let (counters, events) = count(draft, append)?;
        let new_keys = NewKeys::of(draft, append, self.keys, self.vault)?;
        let written = Written::new(draft, append, events, self.keys, &new_keys)?;
        let mails = sealed_mails(draft, append, self.keys, &new_keys)?;

        let source = Source { member: number, clinic: append.clinic, position: written.head.position };
        self.taken.add(append.clinic, &net);
        draft.touch_claims(&net, source.position);
        self.effects.add_claims(source, net);
        for change in &append.credentials {
            self.effects.add_credential(append.clinic, self.now, change);
        }
        for (mail, sealed) in append.mails.iter().zip(mails) {
            self.effects.add_mail(append.clinic, self.now, mail, &sealed);
        }
        self.effects.add_shown(source, &append.shown);
        new_keys.commit(draft, &mut self.effects);
        for patient in append.events.iter().filter_map(ended_key) {
            self.effects.end_key(append.clinic, patient);
            draft.erased.extend(patient);
        }
        draft.changes.counters.extend(counters);
        Ok(self.enter(draft, number, append, written))
    }

    fn enter(&mut self, draft: &mut Draft<'_>, number: usize, append: &Append, written: Written) -> Appended {
        draft.head = written.head;
        // An access record is a stream of its own, of which nobody asks again.
        if draft.is_record() {
            draft.changes.streams.extend(written.streams);
        }
        draft.changes.charts.extend(written.charts);
        self.rows.extend(written.rows);
        let answer = append.idempotency.as_ref().map(|remember| self.answer(number, remember, &written.recorded));
        Appended { events: written.recorded, position: draft.head.position, answer }
    }

    fn answer(&mut self, member: usize, remember: &Idempotency, recorded: &[events::Recorded]) -> Vec<u8> {
        let answer = (remember.answer)(recorded);
        self.remembered.insert(answer_key(remember));
        self.answers.push(AnswerRow {
            member,
            clinic: remember.clinic,
            user: idempotency::stored_user(remember.user),
            key_hash: remember.key_hash,
            fingerprint: remember.fingerprint,
            encrypted: idempotency::encrypt(remember, &answer),
        });
        answer
    }

    fn check_answer_key(&self, append: &Append) -> Result<(), AppendError> {
        match &append.idempotency {
            Some(remember) if self.remembered.contains(&answer_key(remember)) => Err(AppendError::KeyRecorded),
            _ => Ok(()),
        }
    }
}

/// Whose key goes with the event: a patient's or, with `None`, the clinic's.
fn ended_key(new: &NewEvent) -> Option<Option<PatientId>> {
    match &new.event {
        DomainEvent::Patient(PatientEvent::PatientErased { .. }) => Some(Some(PatientId(new.stream.id))),
        DomainEvent::Clinic(ClinicEvent::ClinicShredded {}) => Some(None),
        _ => None,
    }
}

fn answer_key(remember: &Idempotency) -> (ClinicId, uuid::Uuid, Hash) {
    (remember.clinic, idempotency::stored_user(remember.user), remember.key_hash)
}

fn check_shape(draft: &Draft<'_>, append: &Append) -> Result<(), AppendError> {
    if append.events.is_empty() {
        return Err(AppendError::Refused("there is no event".into()));
    }
    let of_access = |new: &NewEvent| new.stream.kind == AggregateKind::Access;
    if append.events.iter().any(|new| of_access(new) == draft.is_record()) {
        return Err(AppendError::Refused("accesses, and nothing else, belong to the access ledger".into()));
    }
    if !append.shown.is_empty() && (draft.is_record() || append.events.len() > 1) {
        return Err(AppendError::Refused("patients are shown by one access record".into()));
    }
    let changes_facts = !(append.claims.is_empty() && append.counters.is_empty() && append.bounds.is_empty());
    if changes_facts && !draft.is_record() {
        return Err(AppendError::Refused("claims and counters belong to the record".into()));
    }
    Ok(())
}

/// The counters as they will stand, and the events with their numbers.
fn count(draft: &Draft<'_>, append: &Append) -> Result<(HashMap<CounterKey, i64>, Vec<DomainEvent>), AppendError> {
    let mut counted = Counted { draft, values: HashMap::new() };
    for change in &append.counters {
        counted.add(&change.counter, change.delta)?;
    }
    let mut events = Vec::with_capacity(append.events.len());
    for new in &append.events {
        let mut event = new.event.clone();
        if let Some(number) = event.number_mut()
            && let Number::Next(series) = number
        {
            let n = counted.add(&series.counter(draft.recorded_at), 1)?;
            *number = Number::Given(series.write(n, draft.recorded_at));
        }
        events.push(event);
    }
    for bound in &append.bounds {
        let value = counted.add(&bound.counter, 0)?;
        if !is_within(value, bound) {
            return Err(AppendError::BoundPassed { counter: bound.counter.clone(), value });
        }
    }
    Ok((counted.values, events))
}

struct Counted<'a> {
    draft: &'a Draft<'a>,
    values: HashMap<CounterKey, i64>,
}

impl Counted<'_> {
    fn add(&mut self, counter: &CounterKey, delta: i64) -> Result<i64, AppendError> {
        let before = match self.values.get(counter).copied().or_else(|| self.draft.counter(counter)) {
            Some(value) => value,
            None => return Err(AppendError::Unavailable(format!("counter {counter} was not read"))),
        };
        let after = before + delta;
        self.values.insert(counter.clone(), after);
        Ok(after)
    }
}
