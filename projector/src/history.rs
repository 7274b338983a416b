//! The log read from its beginning, in pages: for rebuilds, comparisons and replays.

use std::sync::Arc;

use event_store::{
    Span,
    feed::{Checkpoint, FeedEvent, Opener, Source, SourceError},
};
use events::{ClinicId, Ledger};
use sqlx::{PgPool, Row};

/// Events read in one page.
pub(crate) const PAGE_EVENTS_MAX: i64 = 10_000;

/// The log, and the keys to open it.
#[derive(Clone)]
pub struct History {
    pool: PgPool,
    source: Source,
}

impl History {
    /// The pool's role must see the events and keys of all clinics.
    pub fn new(pool: PgPool, opener: Arc<dyn Opener>) -> Self {
        Self { source: Source::new(pool.clone(), opener), pool }
    }

    pub(crate) fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Where the record of each clinic stands, or of one.
    pub(crate) async fn heads(&self, clinic: Option<ClinicId>) -> sqlx::Result<Vec<(ClinicId, Checkpoint)>> {
        let rows = sqlx::query(
            "SELECT clinic, position, hash FROM log.head
             WHERE ledger = $1 AND ($2::uuid IS NULL OR clinic = $2) ORDER BY clinic",
        )
        .bind(Ledger::Record as i16)
        .bind(clinic.map(|clinic| clinic.0))
        .fetch_all(&self.pool)
        .await?;
        let head = |row: &sqlx::postgres::PgRow| {
            let at = Checkpoint { position: row.try_get("position")?, hash: row.try_get("hash")? };
            Ok((ClinicId(row.try_get("clinic")?), at))
        };
        rows.iter().map(head).collect()
    }

    /// The events of all spans, clinic by clinic, in order.
    pub(crate) async fn page(&self, spans: &[Span]) -> Result<Vec<Arc<FeedEvent>>, SourceError> {
        self.source.page(spans.iter().copied()).await
    }
}

/// How many events a span has.
pub(crate) fn count(span: &Span) -> i64 {
    span.upto - span.after
}

/// Cuts spans into pages of at most [`PAGE_EVENTS_MAX`] events, in order.
pub(crate) fn pages(spans: impl IntoIterator<Item = Span>) -> Vec<Vec<Span>> {
    let (mut pages, mut page, mut room) = (Vec::new(), Vec::new(), PAGE_EVENTS_MAX);
    for mut span in spans {
        while count(&span) > 0 {
            let part = Span { upto: span.upto.min(span.after + room), ..span };
            room -= count(&part);
            span.after = part.upto;
            page.push(part);
            if room == 0 {
                pages.push(std::mem::take(&mut page));
                room = PAGE_EVENTS_MAX;
            }
        }
    }
    if !page.is_empty() {
        pages.push(page);
    }
    pages
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn small_clinics_share_a_page_and_a_large_one_fills_several() {
        let span = |n, upto| Span { clinic: ClinicId(Uuid::from_u128(n)), after: 0, upto };
        let pages = pages([span(1, 4_000), span(2, 0), span(3, 17_000)]);
        let sizes: Vec<Vec<i64>> = pages.iter().map(|page| page.iter().map(count).collect()).collect();
        assert_eq!(sizes, [vec![4_000, 6_000], vec![10_000], vec![1_000]]);
    }
}
