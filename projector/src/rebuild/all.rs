//! All clinics made again, beside the served table.
//!
//! 1. An empty table like the served one is filled by COPY, clinic by clinic, folded in memory.
//! 2. It gets indexes, policies and grants.
//! 3. What the log has got meanwhile, and clinics too large for memory, are applied to it in batches, as a
//!    follower would.
//! 4. It takes the served table's place.

use std::{collections::HashMap, sync::Arc};

use event_store::{Span, feed::FeedEvent};
use events::ClinicId;
use read_models::Projection;
use sqlx::PgPool;
use tokio::sync::mpsc;

use super::{Folded, Progress, RebuildError, Running};
use crate::{
    Failure, apply,
    copy::{copy_lines, insert_checkpoints, write_lines},
    history::{History, PAGE_EVENTS_MAX, count, pages},
    parked,
    switch::{CatchUp, switch},
    table::{CHECKPOINTS, Table},
};

/// A clinic with more events is not folded in memory but applied in batches.
const FOLDED_EVENTS_MAX: i64 = 200_000;
/// Pages that are read and not yet folded.
const PAGES_AHEAD_MAX: usize = 2;

pub(super) async fn all<P: Projection>(
    history: &History,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<(), RebuildError> {
    let pool = history.pool();
    let served = Table::<P>::served(pool).await?;
    let next = served.next();
    let heads = history.heads(None).await?;
    let total = heads.iter().map(|(_, head)| head.position).sum();
    let mut running = Running::begin(pool, &served.projection, ClinicId::PLATFORM, total).await?;

    begin(pool, &served.projection, &next.projection).await?;
    let spans = heads.into_iter().map(|(clinic, head)| Span { clinic, after: 0, upto: head.position });
    let small: Vec<Span> = spans.filter(|span| count(span) <= FOLDED_EVENTS_MAX).collect();
    let mut done = 0;
    for unit in units(small) {
        done += unit.iter().map(count).sum::<i64>();
        fill(history, &next, unit).await?;
        running.progress(done).await?;
        progress(Progress { events: done, total });
    }
    sqlx::query("SELECT read.finish_next($1)").bind(&served.projection).execute(pool).await?;
    let mut catch_up = CatchUp::start(history, next).await?;
    catch_up.run(&mut |events| progress(Progress { events: (done + events).min(total), total })).await?;
    switch(history, &served, &mut catch_up).await?;
    Ok(running.end().await?)
}

/// Clears what an earlier rebuild has left, and makes the table.
async fn begin(pool: &PgPool, projection: &str, next: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM read.checkpoint WHERE projection = $1").bind(next).execute(pool).await?;
    parked::retry(pool, Some(next), None).await?;
    sqlx::query("SELECT read.make_next($1)").bind(projection).execute(pool).await.map(|_| ())
}

/// Whole clinics, a page's worth or one clinic at a time.
fn units(spans: Vec<Span>) -> Vec<Vec<Span>> {
    let (mut units, mut unit, mut events) = (Vec::new(), Vec::new(), 0);
    for span in spans {
        events += count(&span);
        unit.push(span);
        if events >= PAGE_EVENTS_MAX {
            units.push(std::mem::take(&mut unit));
            events = 0;
        }
    }
    if !unit.is_empty() {
        units.push(unit);
    }
    units
}

/// Folds some clinics and copies their rows. Clinics that cannot be folded or written this way are left
/// for the catching up, which finds the event at fault and parks it.
async fn fill<P: Projection>(history: &History, next: &Table<P>, unit: Vec<Span>) -> Result<(), RebuildError> {
    let folded: Vec<Folded<P>> = fold(history, unit).await?.into_values().filter(|one| one.stuck.is_none()).collect();
    match copy(history.pool(), next, folded).await {
        Err(failure) if !failure.is_passing() => {
            tracing::warn!(projection = P::NAME, %failure, "clinics of a rebuild are applied event by event");
            Ok(())
        }
        copied => Ok(copied?),
    }
}

async fn fold<P: Projection>(history: &History, unit: Vec<Span>) -> Result<HashMap<ClinicId, Folded<P>>, RebuildError> {
    let (to, mut read) = mpsc::channel(PAGES_AHEAD_MAX);
    let reader = tokio::spawn(read_ahead(history.clone(), unit, to));
    let mut folded: HashMap<ClinicId, Folded<P>> = HashMap::new();
    while let Some(page) = read.recv().await {
        for (clinic, events) in apply::clinics(&page?) {
            folded.entry(clinic).or_insert_with(|| Folded::new(clinic)).fold(events);
        }
    }
    reader.await.map_err(|_| Failure::Panicked)?;
    Ok(folded)
}

type Page = Result<Vec<Arc<FeedEvent>>, RebuildError>;

async fn read_ahead(history: History, unit: Vec<Span>, to: mpsc::Sender<Page>) {
    for page in pages(unit) {
        let page = history.page(&page).await.map_err(RebuildError::from);
        if to.send(page).await.is_err() {
            return;
        }
    }
}

/// Rows and checkpoints in one transaction.
async fn copy<P: Projection>(pool: &PgPool, next: &Table<P>, folded: Vec<Folded<P>>) -> Result<(), Failure> {
    let mut transaction = pool.begin().await?;
    let mut checkpoints = Vec::with_capacity(folded.len());
    let mut lines = Vec::new();
    for Folded { clinic, rows, at, .. } in folded {
        write_lines(&mut lines, next, clinic, rows)?;
        checkpoints.push((clinic, at));
    }
    copy_lines(&mut transaction, next, &next.name, lines).await?;
    insert_checkpoints(&mut transaction, CHECKPOINTS, &next.projection, &checkpoints).await?;
    Ok(transaction.commit().await?)
}
