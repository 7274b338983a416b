//! One group on its way into the log: attempts, until every member has its verdict.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::Utc;
use events::{DomainEvent, Position};
use sqlx::{Executor, PgConnection};
use uuid::Uuid;

use super::{
    CommitSink,
    batch::{Batch, Verdict},
    connection::Connector,
    member::Member,
    memory::{LedgerId, Memory},
    needs::{Memories, Needs},
    write::{Trouble, write},
};
use crate::{
    append::AppendError,
    row::StoredRow,
    vault::{GroupKeys, KeyNeeds, Vault, VaultError},
};

/// How often a group may be repeated for deadlocks, serialisation failures, locks and lost connections.
const REPEATS_MAX: u32 = 10;
const REPEAT_PAUSE: Duration = Duration::from_millis(10);
/// How long the callers of a group wait for a database that is away.
const GIVE_UP_AFTER: Duration = Duration::from_secs(15);
/// Facts that a shard remembers over all ledgers, at some 60 bytes each; more than one ledger may have.
const SHARD_FACTS_MAX: usize = 262_144;
/// How often facts are read without a lock, while other processes move the heads.
const LOOKS_MAX: u32 = 3;

/// What is left of a group.
pub(super) enum Outcome {
    /// Everybody has an answer, except for those who wait for the next group.
    Settled(Vec<Member>),
    /// Some member's data is refused; nobody knows whose.
    Refused(Vec<Member>, String),
}

/// What one attempt came to.
enum Attempt {
    Committed(Box<Batch>),
    /// A bound refused a command, on a head that is not known to be current.
    Doubtful(Vec<LedgerId>),
    /// Other processes have moved heads.
    Overtaken,
}

/// What serves all groups of one writer task.
pub(super) struct Shard {
    pub(super) vault: Arc<Vault>,
    pub(super) connector: Connector,
    pub(super) memories: Memories,
    pub(super) sink: Option<Arc<dyn CommitSink>>,
}

/// A batch whose commit was sent and not confirmed.
struct Doubt {
    batch: Box<Batch>,
    /// The first event of each ledger.
    firsts: Vec<(LedgerId, Position, Uuid)>,
}

struct Trial {
    members: Vec<Member>,
    places: BTreeSet<LedgerId>,
    /// Heads are locked before anything is decided: another process appends here, too.
    locked: bool,
    /// Ledgers whose heads are known to be current, or were when this group began.
    fresh: HashSet<LedgerId>,
    repeats: u32,
    started: Instant,
    doubt: Option<Doubt>,
}

enum Fault {
    Database(sqlx::Error),
    Vault(VaultError),
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<VaultError> for Fault {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Database(error) => Self::Database(error),
            other => Self::Vault(other),
        }
    }
}

impl Shard {
    /// Brings a group into the log.
    pub(super) async fn settle(&mut self, members: Vec<Member>) -> Outcome {
        let places: BTreeSet<_> = members.iter().map(|member| member.append.place()).collect();
        // What this group needs is not driven out by what it reads.
        for place in &places {
            self.memories.promote(place);
        }
        let contended = |place| self.memories.peek(place).is_some_and(|memory: &Memory| memory.contended);
        let locked = places.iter().any(contended);
        let started = Instant::now();
        let mut trial = Trial { members, places, locked, fresh: HashSet::new(), repeats: 0, started, doubt: None };
        let outcome = loop {
            match self.attempt(&mut trial).await {
                Ok(Attempt::Committed(batch)) => break self.conclude(trial, *batch),
                Ok(Attempt::Overtaken) => trial.overtaken(),
                Ok(Attempt::Doubtful(places)) => trial.fresh.extend(places),
                Err(fault) => match self.mend(&mut trial, fault).await {
                    Mended::Again => {}
                    Mended::Unavailable(reason) => break unavailable(trial, &reason),
                    Mended::Refused(code) => break Outcome::Refused(trial.members, code),
                },
            }
        };
        metrics::histogram!("casebook_log_commit_seconds").record(started.elapsed());
        outcome
    }

    async fn attempt(&mut self, trial: &mut Trial) -> Result<Attempt, Fault> {
        let connection = self.connector.get().await?;
        if let Some(doubt) = trial.doubt.take() {
            match has_committed(connection, &doubt.firsts).await {
                Ok(true) => return Ok(Attempt::Committed(doubt.batch)),
                Ok(false) => {}
                Err(error) => {
                    trial.doubt = Some(doubt);
                    return Err(error.into());
                }
            }
        }
        if trial.locked {
            lock(connection, &trial.places).await?;
            trial.fresh.clear();
        }
        let Some(batch) = decide(connection, &mut self.memories, &self.vault, trial).await? else {
            return Ok(Attempt::Overtaken);
        };
        if let Some(places) = doubtful(&batch, trial) {
            return Ok(Attempt::Doubtful(places));
        }
        if batch.rows.is_empty() {
            if trial.locked {
                connection.execute("ROLLBACK").await?;
            }
            return Ok(Attempt::Committed(Box::new(batch)));
        }
        submit(connection, trial, Box::new(batch)).await
    }

    /// Remembers what has been committed, hands it on, and answers.
    fn conclude(&mut self, trial: Trial, batch: Batch) -> Outcome {
        let Batch { rows, verdicts, moves, .. } = batch;
        for (_, drafted) in moves {
            let place = drafted.place;
            for (patient, key) in drafted.new_patients {
                self.vault.remember(place.clinic, patient, drafted.head.key_epoch, key);
            }
            if let Some(memory) = self.memories.get_mut(&place) {
                memory.commit(drafted.head, drafted.changes);
            }
        }
        for place in &trial.places {
            if let Some(memory) = self.memories.peek_mut(place) {
                memory.trim();
            }
        }
        self.forget_idle();
        metrics::histogram!("casebook_log_group_events").record(rows.len() as f64);
        if let Some(sink) = self.sink.as_ref().filter(|_| !rows.is_empty()) {
            sink.committed(Arc::<[StoredRow]>::from(rows));
        }
        let mut deferred = Vec::new();
        for (mut member, verdict) in trial.members.into_iter().zip(verdicts) {
            match (verdict, member.lost.take()) {
                (Verdict::Admitted(appended), _) => member.answer(Ok(appended)),
                (_, Some(error)) | (Verdict::Failed(error), None) => member.answer(Err(error)),
                (Verdict::Deferred | Verdict::Lost, None) => deferred.push(member),
            }
        }
        Outcome::Settled(deferred)
    }

    /// Ledgers that were not used for longest are forgotten whole, where all together remember too much.
    fn forget_idle(&mut self) {
        let mut facts: usize = self.memories.iter().map(|(_, memory)| memory.facts()).sum();
        while facts > SHARD_FACTS_MAX
            && let Some((_, idle)) = self.memories.pop_lru()
        {
            facts -= idle.facts();
        }
    }

    /// What to do about a failed attempt.
    async fn mend(&mut self, trial: &mut Trial, fault: Fault) -> Mended {
        let error = match fault {
            Fault::Database(error) => error,
            Fault::Vault(error) => {
                self.connector.give_up();
                return Mended::Unavailable(error.to_string());
            }
        };
        let trouble = Trouble::of(&error);
        match &trouble {
            Trouble::Broken(reason) => {
                tracing::warn!(reason, "the log lost its connection");
                self.connector.give_up();
            }
            Trouble::Lost(_) | Trouble::Overtaken | Trouble::Again | Trouble::Data(_) => {
                // The server has answered: nothing was committed.
                trial.doubt = None;
                if trial.locked && self.roll_back().await.is_err() {
                    self.connector.give_up();
                }
            }
        }
        if matches!(trouble, Trouble::Again | Trouble::Broken(_)) {
            tokio::time::sleep(REPEAT_PAUSE * trial.repeats).await;
        }
        next_step(trial, trouble)
    }

    async fn roll_back(&mut self) -> sqlx::Result<()> {
        self.connector.get().await?.execute("ROLLBACK").await.map(|_| ())
    }
}

impl Trial {
    /// The next attempt locks before it decides.
    fn overtaken(&mut self) {
        count_repeat("overtaken");
        self.locked = true;
    }

    fn is_hopeless(&self) -> bool {
        self.repeats >= REPEATS_MAX || self.started.elapsed() >= GIVE_UP_AFTER
    }
}

fn next_step(trial: &mut Trial, trouble: Trouble) -> Mended {
    match trouble {
        Trouble::Lost(losers) => {
            count_repeat("lost");
            for (loser, race) in losers {
                let member = &mut trial.members[loser];
                member.lost = Some(race.error(&member.append));
            }
            Mended::Again
        }
        Trouble::Overtaken => {
            trial.overtaken();
            Mended::Again
        }
        Trouble::Data(code) => Mended::Refused(code),
        Trouble::Again | Trouble::Broken(_) if trial.is_hopeless() => {
            Mended::Unavailable("the database did not accept the group".into())
        }
        Trouble::Again | Trouble::Broken(_) => {
            count_repeat("repeated");
            trial.repeats += 1;
            Mended::Again
        }
    }
}

enum Mended {
    Again,
    Unavailable(String),
    Refused(String),
}

/// Nobody can say whether it was appended: the callers ask again, with their idempotency keys.
fn unavailable(trial: Trial, reason: &str) -> Outcome {
    tracing::error!(reason, commands = trial.members.len(), "the log cannot append");
    for mut member in trial.members {
        let error = member.lost.take().unwrap_or_else(|| AppendError::Unavailable(reason.to_owned()));
        member.answer(Err(error));
    }
    Outcome::Settled(Vec::new())
}

fn count_repeat(reason: &'static str) {
    metrics::counter!("casebook_log_group_repeats_total", "reason" => reason).increment(1);
}

async fn lock(connection: &mut PgConnection, places: &BTreeSet<LedgerId>) -> sqlx::Result<()> {
    connection.execute("BEGIN").await?;
    sqlx::query("SELECT log.lock_heads($1, $2)")
        .bind(places.iter().map(|place| place.clinic.0).collect::<Vec<_>>())
        .bind(places.iter().map(|place| place.ledger as i16).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

/// Reads what the group needs to know, and decides it. `None`: other processes move the heads faster than we
/// read.
async fn decide(
    connection: &mut PgConnection,
    memories: &mut Memories,
    vault: &Vault,
    trial: &mut Trial,
) -> Result<Option<Batch>, Fault> {
    let now = Utc::now();
    if trial.locked || !trial.fresh.is_empty() {
        let stale = trial.places.iter().copied().filter(|place| trial.locked || trial.fresh.contains(place));
        Needs::heads(stale).read(connection, memories).await?;
    }
    if trial.locked {
        trial.fresh.extend(&trial.places);
    }
    for look in 0.. {
        let mut needs = Needs::default();
        for member in trial.members.iter().filter(|member| member.lost.is_none()) {
            needs.add(member, memories, &trial.fresh, now);
        }
        if needs.is_empty() {
            break;
        }
        if look >= LOOKS_MAX && !trial.locked {
            return Ok(None);
        }
        trial.fresh.extend(needs.read(connection, memories).await?);
    }
    let keys = keys(connection, memories, vault, &trial.members).await?;
    Ok(Some(Batch::decide(&trial.members, memories, &keys, vault, now)))
}

async fn keys(
    connection: &mut PgConnection,
    memories: &Memories,
    vault: &Vault,
    members: &[Member],
) -> Result<GroupKeys, VaultError> {
    let mut needs = KeyNeeds::default();
    for append in members.iter().map(|member| &member.append) {
        let epoch = memories.peek(&append.place()).map_or(0, |memory| memory.head.key_epoch);
        needs.clinics.insert((append.clinic, epoch));
        let sealing = append.events.iter().filter(|new| may_seal(&new.event));
        let patients = sealing.filter_map(|new| new.event.patient(new.stream));
        needs.patients.extend(patients.map(|patient| (append.clinic, patient, epoch)));
    }
    vault.keys_for(connection, &needs).await
}

/// Most access records have nothing to seal: they are written whatever has become of the patient's key.
fn may_seal(event: &DomainEvent) -> bool {
    !matches!(event, DomainEvent::Access(event) if !event.has_sealed_part())
}

/// Ledgers in which a bound refuses a command, while nobody has looked whether another process has moved the
/// counter, and no append will.
fn doubtful(batch: &Batch, trial: &Trial) -> Option<Vec<LedgerId>> {
    let refused = trial.members.iter().zip(&batch.verdicts).filter_map(|(member, verdict)| match verdict {
        Verdict::Failed(AppendError::BoundPassed { .. }) => Some(member.append.place()),
        _ => None,
    });
    let moves = |place: &LedgerId| batch.moves.iter().any(|(_, drafted)| drafted.place == *place);
    let doubtful: Vec<_> = refused.filter(|place| !trial.fresh.contains(place) && !moves(place)).collect();
    (!doubtful.is_empty()).then_some(doubtful)
}

async fn submit(connection: &mut PgConnection, trial: &mut Trial, batch: Box<Batch>) -> Result<Attempt, Fault> {
    trial.doubt = Some(Doubt { firsts: firsts(&batch.rows), batch });
    let batch = &trial.doubt.as_ref().expect("it was just set").batch;
    write(connection, batch).await?;
    if trial.locked {
        connection.execute("COMMIT").await?;
    }
    let doubt = trial.doubt.take().expect("it was just set");
    Ok(Attempt::Committed(doubt.batch))
}

fn firsts(rows: &[StoredRow]) -> Vec<(LedgerId, Position, Uuid)> {
    let mut seen = HashSet::new();
    let place = |row: &StoredRow| LedgerId { clinic: row.clinic, ledger: row.ledger };
    let firsts = rows.iter().filter(|row| seen.insert(place(row)));
    firsts.map(|row| (place(row), row.position, row.event_id)).collect()
}

/// Whether a batch whose commit was never confirmed is in the log. The heads are locked first: so a
/// transaction that a vanished connection has left behind has ended before we look.
async fn has_committed(connection: &mut PgConnection, firsts: &[(LedgerId, Position, Uuid)]) -> sqlx::Result<bool> {
    let places = firsts.iter().map(|(place, ..)| *place).collect();
    lock(connection, &places).await?;
    let found = sqlx::query(
        "SELECT FROM unnest($1::uuid[], $2::smallint[], $3::bigint[], $4::uuid[]) AS w(clinic, ledger, position, id)
         JOIN log.event e ON e.clinic = w.clinic AND e.ledger = w.ledger AND e.position = w.position
         WHERE e.event_id = w.id",
    )
    .bind(firsts.iter().map(|(place, ..)| place.clinic.0).collect::<Vec<_>>())
    .bind(firsts.iter().map(|(place, ..)| place.ledger as i16).collect::<Vec<_>>())
    .bind(firsts.iter().map(|(_, position, _)| *position).collect::<Vec<_>>())
    .bind(firsts.iter().map(|(.., id)| *id).collect::<Vec<_>>())
    .fetch_all(&mut *connection)
    .await?;
    connection.execute("ROLLBACK").await?;
    Ok(!found.is_empty())
}
