//! A rebuilt table catches up with the log and takes the served one's place.

use std::{collections::HashSet, time::Duration};

use event_store::Span;
use events::ClinicId;
use read_models::Projection;
use sqlx::{Connection, PgConnection, Postgres, Transaction};
use tokio::time::sleep;

use crate::{
    apply::Applier,
    history::{History, count, pages},
    place::{self, Places},
    rebuild::RebuildError,
    steady::Steady,
    table::Table,
};

/// Fewer events than these are caught up with while followers wait.
const CLOSE_EVENTS_MAX: i64 = 500;
/// How long new queries may have to wait behind the lock that waits for the running ones.
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '100ms'";
/// How often the lock is tried while followers wait.
const LOCK_ATTEMPTS_MAX: u32 = 5;
/// Between two tries, so that queries come through.
const LOCK_PAUSE: Duration = Duration::from_millis(100);
/// How often all of it is tried.
const SWITCH_ATTEMPTS_MAX: u32 = 100;
/// SQLSTATE of a lock that was not got in time.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// Applies to the rebuilt table what it lacks.
pub(crate) struct CatchUp<'h, P: Projection> {
    history: &'h History,
    steady: Steady<P>,
    parked: HashSet<ClinicId>,
}

impl<'h, P: Projection> CatchUp<'h, P> {
    pub(crate) async fn start(history: &'h History, next: Table<P>) -> sqlx::Result<Self> {
        let places = place::all(history.pool(), &next.projection).await?;
        let steady = Steady::new(Applier::new(history.pool().clone(), next, places));
        Ok(Self { history, steady, parked: HashSet::new() })
    }

    /// Until little is lacking.
    pub(crate) async fn run(&mut self, progress: &mut (dyn FnMut(i64) + Send)) -> Result<(), RebuildError> {
        let mut done = 0;
        loop {
            let heads = self.history.heads(None).await?;
            let lacking = self.lacking(heads.iter().map(|(clinic, head)| (*clinic, head.position)));
            if lacking.iter().map(count).sum::<i64>() <= CLOSE_EVENTS_MAX {
                return Ok(());
            }
            for page in pages(lacking) {
                self.apply(&page).await?;
                done += page.iter().map(count).sum::<i64>();
                progress(done);
            }
        }
    }

    /// Until nothing is lacking that the served table has.
    async fn reach(&mut self, served: &Places) -> Result<(), RebuildError> {
        let lacking = self.lacking(served.iter().map(|(clinic, place)| (*clinic, place.checkpoint.position)));
        for page in pages(lacking) {
            self.apply(&page).await?;
        }
        Ok(())
    }

    async fn apply(&mut self, page: &[Span]) -> Result<(), RebuildError> {
        let events = self.history.page(page).await?;
        self.parked.extend(self.steady.apply(&events).await);
        Ok(())
    }

    fn lacking(&self, wanted: impl Iterator<Item = (ClinicId, i64)>) -> Vec<Span> {
        let span = |(clinic, upto)| {
            let after = self.steady.applier.place(clinic).map_or(0, |place| place.checkpoint.position);
            Span { clinic, after, upto }
        };
        wanted.map(span).filter(|span| count(span) > 0 && !self.parked.contains(&span.clinic)).collect()
    }
}

/// Puts the table in its place. No query fails, and none sees less than it saw before.
pub(crate) async fn switch<P: Projection>(
    history: &History,
    served: &Table<P>,
    catch_up: &mut CatchUp<'_, P>,
) -> Result<(), RebuildError> {
    let mut connection = history.pool().acquire().await?;
    for _ in 0..SWITCH_ATTEMPTS_MAX {
        if try_switch(&mut connection, served, catch_up).await? {
            return Ok(());
        }
        sleep(LOCK_PAUSE).await;
        catch_up.run(&mut |_| ()).await?;
    }
    Err(RebuildError::NeverFree)
}

/// `false`: the locks were not to be had, and all is as before.
async fn try_switch<P: Projection>(
    connection: &mut PgConnection,
    served: &Table<P>,
    catch_up: &mut CatchUp<'_, P>,
) -> Result<bool, RebuildError> {
    let mut transaction = connection.begin().await?;
    sqlx::query(LOCK_TIMEOUT).execute(&mut *transaction).await?;
    // Followers wait, queries go on.
    let stop_followers = format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", served.name);
    if !locked(sqlx::raw_sql(sqlx::AssertSqlSafe(stop_followers)).execute(&mut *transaction).await)? {
        return Ok(false);
    }
    let places = place::all(&mut *transaction, &served.projection).await?;
    catch_up.reach(&places).await?;
    if !replace(&mut transaction, &served.projection).await? {
        return Ok(false);
    }
    move_checkpoints(&mut transaction, &served.projection, catch_up.steady.applier.projection()).await?;
    transaction.commit().await?;
    Ok(true)
}

async fn replace(transaction: &mut Transaction<'_, Postgres>, projection: &str) -> sqlx::Result<bool> {
    for _ in 0..LOCK_ATTEMPTS_MAX {
        let mut savepoint = transaction.begin().await?;
        let switched = sqlx::query("SELECT read.switch_next($1)").bind(projection).execute(&mut *savepoint).await;
        if locked(switched)? {
            savepoint.commit().await?;
            return Ok(true);
        }
        savepoint.rollback().await?;
        sleep(LOCK_PAUSE).await;
    }
    Ok(false)
}

fn locked<T>(result: sqlx::Result<T>) -> sqlx::Result<bool> {
    match result {
        Ok(_) => Ok(true),
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(LOCK_NOT_AVAILABLE) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The rebuilt table's checkpoints become the served ones', of a later epoch.
async fn move_checkpoints(connection: &mut PgConnection, served: &str, next: &str) -> sqlx::Result<()> {
    let statements = [
        "UPDATE read.checkpoint n SET epoch = o.epoch + 1 FROM read.checkpoint o
         WHERE n.projection = $2 AND o.projection = $1 AND n.clinic_id = o.clinic_id",
        "DELETE FROM read.checkpoint WHERE projection = $1 AND $2 <> $1",
        "UPDATE read.checkpoint SET projection = $1 WHERE projection = $2",
        "DELETE FROM read.parked WHERE projection = $1 AND $2 <> $1",
        "UPDATE read.parked SET projection = $1 WHERE projection = $2",
    ];
    for statement in statements {
        sqlx::query(statement).bind(served).bind(next).execute(&mut *connection).await?;
    }
    Ok(())
}
