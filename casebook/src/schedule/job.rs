//! What a kind of scheduled work says of itself.

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use command_api::execute::{Call, Executor, Failure};
use domain::{Aggregate, State};
use events::{Actor, ClinicId, Recorded, StreamId};
use futures::future::BoxFuture;
use sqlx::{PgPool, Row};
use uuid::Uuid;

/// One thing that is due. A job has it once at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Item {
    pub clinic: ClinicId,
    /// Of the aggregate that the command is given to, or whatever else the job knows it by.
    pub id: Uuid,
}

/// What became of an item.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// This was recorded.
    Done(Vec<Recorded>),
    /// The log says that it is so already: the read model lags, or another scheduler was first.
    AlreadySo,
    /// The rules refuse it: it is not due any more, or not yet. The code of the refusal.
    Refused(&'static str),
}

/// A kind of scheduled work. It may be asked by several processes at once and be killed at any point; nothing that it
/// keeps in memory is relied on.
pub trait Job: Send + Sync + 'static {
    /// In metrics, in `log.schedule` and in `casebook status`, for ever: `prescriptions`.
    fn name(&self) -> &'static str;

    /// What the read models know to be due, over all clinics, the longest due first and at most so many: an index has
    /// to carry it. It may name what is not due any more; what it does not name waits for the next look.
    fn due(&self, now: DateTime<Utc>, limit: i64) -> BoxFuture<'_, Result<Vec<Item>>>;

    /// Gives the command that it is due for. An error is what may go better next time: the item is tried again after a
    /// while, like one that was refused, and keeps nobody else waiting. No personal data in it: it is logged.
    fn carry_out(&self, item: Item) -> BoxFuture<'_, Result<Outcome>>;
}

/// Rows of a statement that selects `clinic_id` and `id`, given the time ($1) and the limit ($2).
pub async fn find(pool: &PgPool, sql: &'static str, now: DateTime<Utc>, limit: i64) -> Result<Vec<Item>> {
    let rows = sqlx::query(sql).bind(now).bind(limit).fetch_all(pool).await?;
    let item =
        |row: &sqlx::postgres::PgRow| Ok(Item { clinic: ClinicId(row.try_get("clinic_id")?), id: row.try_get("id")? });
    Ok(rows.iter().map(item).collect::<sqlx::Result<_>>()?)
}

/// A command of the program itself, on the aggregate with the item's id. `name` as the audit trail has it.
pub fn call<A: Aggregate>(item: Item, name: &'static str, command: impl Into<A::Command>) -> Call<A> {
    let target = StreamId { kind: A::KIND, id: item.id };
    Call { actor: Actor::system(), ..Call::new(item.clinic, target, name, command.into()) }
}

/// Gives a command, and says what became of it: a refusal is no failure here.
pub async fn give<A>(executor: &Executor, call: Call<A>) -> Result<Outcome>
where
    A: Aggregate,
    A::Command: Clone,
    for<'a> &'a A: TryFrom<&'a State>,
{
    let (name, target) = (call.name, call.target.id);
    match executor.execute(call).await {
        Ok(done) if done.events.is_empty() => Ok(Outcome::AlreadySo),
        Ok(done) => Ok(Outcome::Done(done.events)),
        Err(Failure::Refused(refusal)) => Ok(Outcome::Refused(refusal.code)),
        Err(Failure::Erased) => Ok(Outcome::Refused("erased")),
        Err(failure) => Err(failure).with_context(|| format!("{name} of {target}")),
    }
}
