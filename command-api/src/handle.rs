//! From a request to a command, and from what became of it to an answer.

use axum::response::{IntoResponse, Response};
use chrono::Utc;
use domain::{Aggregate, State};
use event_store::{Standing, StoreError, StoredAnswer};
use events::{ClinicId, PatientId, Purpose, Recorded, StreamId, UserId};
use http::{
    HeaderValue, Method, StatusCode,
    header::{CONTENT_TYPE, LOCATION},
};
use service_kit::{
    Authenticated, Capability, Problem,
    etag::ETag,
    headers::{IDEMPOTENCY_REPLAYED, position_header},
    problem::{CONTENDED, KEY_REUSED},
};

use crate::{
    answer::Answer,
    app::App,
    auth::NewActivation,
    execute::{BUSY_RETRY_AFTER, Call, Failure, KeyedCall},
    incoming::Incoming,
    remember::keyed_call,
    routes::Needs,
};

/// How often a key that another process has just recorded is looked up before the caller is sent away.
const MAX_LOOKUPS: u32 = 5;

/// Which command a request gives, on which stream, and what it says of it.
pub struct Asked {
    pub name: &'static str,
    pub clinic: ClinicId,
    pub target: StreamId,
    /// The server made the target's id just now.
    pub fresh: bool,
    pub expected_version: Option<i64>,
    /// Refused by a clinic that is suspended or has run out.
    pub needs_standing: bool,
    /// It makes a one-time activation, which the answer shows,
    pub needs_activation: bool,
    /// unless it goes by mail and is nobody's business here.
    pub hides_activation: bool,
    /// The member of the answer whose id is the answer's own.
    pub made: Option<&'static str>,
    /// Where it is another than the caller's roles let one expect.
    pub purpose: Option<Purpose>,
    /// Why, as a code, where the command says so.
    pub reason: Option<String>,
}

impl Asked {
    pub fn of(name: &'static str, clinic: ClinicId, target: StreamId) -> Self {
        Self {
            name,
            clinic,
            target,
            fresh: false,
            expected_version: None,
            needs_standing: true,
            needs_activation: false,
            hides_activation: false,
            made: None,
            purpose: None,
            reason: None,
        }
    }
}

/// What identifies a request that is sent again.
pub struct Sent<'a> {
    pub who: Option<&'a Authenticated>,
    pub method: Method,
    pub path: &'a str,
    pub body: &'a [u8],
    pub key: Option<&'a str>,
}

impl Sent<'_> {
    /// The clinic under which a key is remembered: the login's, or the platform for somebody without one.
    pub fn kept_in(&self) -> ClinicId {
        self.who.map_or(ClinicId::PLATFORM, |who| who.clinic())
    }
}

/// An answer, new or given again.
pub struct Answered {
    pub bytes: Vec<u8>,
    pub replayed: bool,
    /// What was recorded just now.
    pub events: Vec<Recorded>,
}

/// Authorises a request and runs its command.
pub async fn give<A, C, T>(
    app: &App,
    who: &Authenticated,
    needs: Needs<A>,
    asked: Asked,
    incoming: Incoming<C, T>,
) -> Result<Answered, Problem>
where
    A: Aggregate,
    A::Command: Clone + Send + Sync,
    C: Into<A::Command>,
    for<'a> &'a A: TryFrom<&'a State>,
{
    let (needs_activation, hides_activation) = (asked.needs_activation, asked.hides_activation);
    let mut call = call(who, needs, asked, incoming.body.value.into()).await?;
    if needs_activation {
        let activation = NewActivation::generate(Utc::now());
        call.secret = Some(activation.secret());
        if !hides_activation {
            call.extra = activation.shown();
        }
    }
    let sent = Sent {
        who: Some(who),
        method: incoming.method,
        path: &incoming.path,
        body: &incoming.body.bytes,
        key: incoming.key.0.as_deref(),
    };
    finish(run(app, &sent, call).await, who, needs).await
}

/// The same for a command that no body holds: the program derives it from what else the request does.
pub async fn give_derived<A>(
    app: &App,
    who: &Authenticated,
    needs: Needs<A>,
    asked: Asked,
    command: A::Command,
) -> Result<Answered, Problem>
where
    A: Aggregate,
    A::Command: Clone + Send + Sync,
    for<'a> &'a A: TryFrom<&'a State>,
{
    let call = call(who, needs, asked, command).await?;
    let sent = Sent { who: Some(who), method: Method::PUT, path: "", body: b"", key: None };
    finish(run(app, &sent, call).await, who, needs).await
}

/// 403, recorded, where the roles do not allow it.
async fn call<A>(who: &Authenticated, needs: Needs<A>, asked: Asked, command: A::Command) -> Result<Call<A>, Problem>
where
    A: Aggregate,
{
    let guard = needs.check(who).await?;
    let mut call = Call::<A>::new(asked.clinic, asked.target, asked.name, command);
    call.fresh = asked.fresh;
    call.expected_version = asked.expected_version;
    call.purpose = asked.purpose.unwrap_or_else(|| who.purpose());
    call.reason = asked.reason;
    call.actor = who.actor();
    call.client = who.client().clone();
    call.correlation_id = who.correlation_id();
    call.needs_standing = asked.needs_standing;
    call.guard = guard;
    call.made = asked.made;
    Ok(call)
}

async fn finish<A: Aggregate>(
    ran: Result<Answered, Ran>,
    who: &Authenticated,
    needs: Needs<A>,
) -> Result<Answered, Problem> {
    match ran {
        Err(Ran::Forbidden) => Err(needs.refuse(who).await),
        Err(Ran::Problem(problem)) => Err(problem),
        Ok(answered) => Ok(answered),
    }
}

/// Why a command was not run: its guard, which the caller records, or anything else.
pub enum Ran {
    Forbidden,
    Problem(Problem),
}

impl From<Problem> for Ran {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<Failure> for Ran {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Forbidden => Self::Forbidden,
            other => Self::Problem(other.into()),
        }
    }
}

/// Runs a command under its idempotency key, once the login is known to stand.
pub async fn run<A>(app: &App, sent: &Sent<'_>, call: Call<A>) -> Result<Answered, Ran>
where
    A: Aggregate,
    A::Command: Clone,
    for<'a> &'a A: TryFrom<&'a State>,
{
    once(app, sent, call.actor.user, |keyed, emergencies| {
        let mut call = call.clone();
        (call.idempotency, call.emergencies) = (keyed, emergencies);
        async { app.executor.execute(call).await.map(|done| (done.answer, done.events)) }
    })
    .await
}

/// Does what a request asks for under its idempotency key, once the login is known to stand. `give` answers with the
/// bytes of the answer and what was recorded; it may be asked again. It is told which records the caller has open by
/// broken glass.
pub async fn once<F, G>(app: &App, sent: &Sent<'_>, user: Option<UserId>, give: F) -> Result<Answered, Ran>
where
    F: Fn(Option<KeyedCall>, Vec<PatientId>) -> G,
    G: Future<Output = Result<(Vec<u8>, Vec<Recorded>), Failure>>,
{
    let keyed = match sent.key {
        Some(key) => Some(keyed(app, sent, key).await?),
        None => None,
    };
    let _turn = match &keyed {
        Some(keyed) => Some(app.keys.take((keyed.clinic, user, keyed.key_hash)).await),
        None => None,
    };
    for _ in 0..MAX_LOOKUPS {
        let began = begin(app, sent, keyed.as_ref()).await?;
        if let Some(answered) = began.answered {
            return Ok(answered);
        }
        match (give(keyed.clone(), began.emergencies).await, &keyed) {
            (Ok((bytes, events)), _) => return Ok(Answered { bytes, replayed: false, events }),
            (Err(Failure::KeyRecorded), _) => {}
            // The loser of a race under one key gets the winner's answer, not a refusal.
            (Err(failure), Some(_)) => {
                let stored = begin(app, sent, keyed.as_ref()).await?;
                return stored.answered.ok_or_else(|| failure.into());
            }
            (Err(failure), None) => return Err(failure.into()),
        }
    }
    Err(Problem::new(CONTENDED).retry_after(BUSY_RETRY_AFTER).into())
}

/// What the log keeps of a client's idempotency key.
pub async fn keyed(app: &App, sent: &Sent<'_>, key: &str) -> Result<KeyedCall, Problem> {
    let keys = app.store().vault().clinic(sent.kept_in()).await;
    let keys = keys.map_err(|error| Failure::from(StoreError::from(error)))?;
    Ok(keyed_call(sent.kept_in(), &keys.idempotency_secret, key, sent))
}

/// What is known before a command is decided.
struct Began {
    /// Given before, under the same key.
    answered: Option<Answered>,
    /// The patients whose records the caller has open by broken glass.
    emergencies: Vec<PatientId>,
}

/// Asks in one round trip whether the login stands, whether the key is known, and what broken glass opens.
async fn begin(app: &App, sent: &Sent<'_>, keyed: Option<&KeyedCall>) -> Result<Began, Problem> {
    let (clinic, key_hash) = (sent.kept_in(), keyed.map(|keyed| keyed.key_hash));
    let (stored, emergencies) = match (sent.who, key_hash) {
        (Some(who), _) => {
            let may_break_glass = who.grant(Capability::BreakGlass).write.is_everything();
            let (user, session, issued_at) = (who.user(), who.session(), who.issued_at());
            let begun = app.store().begin_command(clinic, user, session, issued_at, key_hash, may_break_glass).await;
            let begun = begun.map_err(Failure::from)?;
            if begun.standing == Standing::Ended {
                return Err(Problem::unauthenticated());
            }
            (begun.answer, begun.emergencies)
        }
        (None, Some(key_hash)) => {
            (app.store().stored_answer(clinic, None, &key_hash).await.map_err(Failure::from)?, Vec::new())
        }
        (None, None) => (None, Vec::new()),
    };
    let answered = match (stored, keyed) {
        (Some(stored), Some(keyed)) => Some(open(&stored, keyed)?),
        _ => None,
    };
    Ok(Began { answered, emergencies })
}

fn open(stored: &StoredAnswer, keyed: &KeyedCall) -> Result<Answered, Problem> {
    if stored.fingerprint != keyed.fingerprint {
        return Err(Problem::new(KEY_REUSED));
    }
    let unopened = || Problem::internal("a stored answer does not open under its own key");
    let bytes = stored.open(&keyed.answer_key).ok_or_else(unopened)?;
    Ok(Answered { bytes, replayed: true, events: Vec::new() })
}

/// 401 for a token whose login has ended since, wherever that happened. The patients whose records the caller has open
/// by broken glass.
pub async fn must_stand(app: &App, who: &Authenticated) -> Result<Vec<PatientId>, Problem> {
    let sent = Sent { who: Some(who), method: Method::POST, path: "", body: b"", key: None };
    begin(app, &sent, None).await.map(|began| began.emergencies)
}

/// 201 with `Location` for a create, else 200; `ETag` and `Casebook-Position` from the answer itself, so
/// that one given again has the same headers.
pub fn respond(answered: Answered, created_under: Option<&str>) -> Result<Response, Problem> {
    let answer: Answer = serde_json::from_slice(&answered.bytes).map_err(Problem::internal)?;
    let status = if created_under.is_some() { StatusCode::CREATED } else { StatusCode::OK };
    let mut response = (status, [(CONTENT_TYPE, "application/json")], answered.bytes).into_response();
    let headers = response.headers_mut();
    headers.extend([ETag::of_stream(answer.version).header(), position_header(answer.position)]);
    if let Some(collection) = created_under {
        let location = format!("{collection}/{}", answer.id);
        headers.insert(LOCATION, HeaderValue::from_str(&location).map_err(Problem::internal)?);
    }
    if answered.replayed {
        headers.insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}
