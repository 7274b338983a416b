//! From a decision to an append: what it does to claims, counters and secrets follows from its events.

use std::sync::Arc;

use domain::{Aggregate, State};
use event_store::{Append, Circumstances, Expectation, Idempotency, NewEvent};
use events::{DomainEvent, Ledger, Purpose, Recorded, StreamId, claim::Fact};
use uuid::Uuid;

use super::{
    Decided, Failure,
    call::{Call, KeyedCall},
    mails::mail_of,
    secrets::{NoSecret, credential_changes},
};

/// The streams that a command touches, as they stand after it.
pub type After = Vec<(StreamId, Arc<State>)>;

/// Turns a decision into an append, and says what the streams will look like after it.
pub fn plan<A: Aggregate>(call: &Call<A>, seed: Uuid, decided: Decided) -> Result<(Append, After), Failure> {
    let Decided { decision, mut facts, expectations } = decided;
    let before = version_of(call.target, &expectations);
    let (mut claims, mut counters, mut mails, mut touched) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (stream, event) in &decision.events {
        let before = facts.streams.remove(stream).flatten();
        let (after, effects) = State::advance(before.as_deref(), event).ok_or(Failure::CorruptStream(*stream))?;
        claims.extend(effects.claims.into_iter().map(|change| (*stream, change)));
        counters.extend(effects.counters);
        mails.extend(mail_of(*stream, event, &after, call.secret.as_ref(), call.actor.kind));
        facts.streams.insert(*stream, Some(Arc::new(after)));
        if !touched.contains(stream) {
            touched.push(*stream);
        }
    }
    let credentials =
        credential_changes(&decision.events, call.secret.as_ref()).map_err(|NoSecret| Failure::NoSecret(call.name))?;
    let after = touched.into_iter().filter_map(|s| Some((s, facts.streams.remove(&s)??))).collect();
    let append = Append {
        clinic: call.clinic,
        ledger: Ledger::Record,
        about: Circumstances { purpose: purpose(call, &decision.events), ..circumstances(call, seed) },
        events: decision.events.into_iter().map(|(stream, event)| NewEvent { stream, event }).collect(),
        expectations,
        claims,
        counters,
        bounds: decision.bounds,
        idempotency: call.idempotency.as_ref().map(|keyed| remembered(call, keyed, before)),
        credentials,
        mails,
        shown: Vec::new(),
    };
    Ok((append, after))
}

/// Whatever is done about a patient whose record is open by broken glass is emergency treatment.
fn purpose<A: Aggregate>(call: &Call<A>, events: &[(StreamId, DomainEvent)]) -> Purpose {
    let mut patients = events.iter().filter_map(|(stream, event)| event.patient(*stream));
    match patients.any(|patient| call.emergencies.contains(&patient)) {
        true => Purpose::Etreat,
        false => call.purpose,
    }
}

fn circumstances<A: Aggregate>(call: &Call<A>, seed: Uuid) -> Circumstances {
    Circumstances {
        actor: call.actor.clone(),
        purpose: call.purpose,
        reason: call.reason.clone(),
        command: call.name.into(),
        correlation_id: call.correlation_id,
        causation_id: seed,
        client: call.client.clone(),
        occurred_at: call.occurred_at,
    }
}

fn remembered<A: Aggregate>(call: &Call<A>, keyed: &KeyedCall, before: i64) -> Idempotency {
    let shape = call.shape();
    Idempotency {
        clinic: keyed.clinic,
        user: call.actor.user,
        key_hash: keyed.key_hash,
        fingerprint: keyed.fingerprint,
        answer_key: keyed.answer_key,
        answer: Arc::new(move |events| {
            let version = version_after(shape.target, events, before);
            shape.write(version, events.last().map_or(0, |e| e.position), events)
        }),
    }
}

/// A stream's version after some events; `before` where none of them lies in it (an entry of a merged record
/// is changed where it lies).
pub fn version_after(stream: StreamId, events: &[Recorded], before: i64) -> i64 {
    events.iter().rev().find(|recorded| recorded.stream == stream).map_or(before, |recorded| recorded.version)
}

/// The version that a decision rested on; 0 for what does not exist.
pub fn version_of(stream: StreamId, expectations: &[Expectation]) -> i64 {
    let fact = Fact::Stream(stream);
    expectations.iter().find(|e| e.fact == fact).and_then(|e| e.version).unwrap_or(0)
}
