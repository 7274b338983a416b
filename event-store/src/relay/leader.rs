//! What the elected relay does: compare, publish, remember.

use std::time::Duration;

use async_nats::{Message, Subscriber};
use events::{ClinicId, Ledger, Position};
use futures::StreamExt;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::marks::Marks;
use crate::{
    StoredRow,
    election::{Elected, in_time},
    outage::Era,
    publish::{ACKNOWLEDGED, Acknowledged, IN_FLIGHT_MAX, Line, PUBLISHERS, Sent},
    spans::{Span, read_spans},
};

const LOOK_EVERY: Duration = Duration::from_secs(1);
const STORE_EVERY: Duration = Duration::from_secs(10);
/// Rows read and sent before their acknowledgements are awaited.
const PAGE_ROWS_MAX: usize = 1_000;
const _: () = assert!(PAGE_ROWS_MAX <= IN_FLIGHT_MAX, "sending a page must not wait for its own acknowledgements");

pub(super) struct Leader<'a> {
    /// Holds the lock, so everything is asked on it.
    connection: Elected,
    line: &'a Line,
    publishers: Subscriber,
    marks: Marks,
    stored_at: Instant,
    /// A publisher has said that it may have missed something.
    missed: bool,
}

impl<'a> Leader<'a> {
    /// From here on nothing is missed. `None`: NATS is closed for good.
    pub(super) async fn begin(connection: Elected, line: &'a Line) -> sqlx::Result<Option<Self>> {
        let Some(publishers) = line.subscribe(PUBLISHERS).await else { return Ok(None) };
        let (marks, stored_at) = (Marks::default(), Instant::now());
        let mut leader = Self { connection, line, publishers, marks, stored_at, missed: false };
        leader.load_marks().await?;
        Ok(Some(leader))
    }

    /// Relays until it is stopped, or until its connection, and the lock with it, is lost.
    pub(super) async fn lead(mut self, stop: &CancellationToken) -> sqlx::Result<()> {
        self.relay(stop).await?;
        self.store_marks().await?;
        self.connection.resign().await
    }

    async fn relay(&mut self, stop: &CancellationToken) -> sqlx::Result<()> {
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                _ = looks.tick() => self.look().await?,
                message = self.publishers.next() => match message {
                    Some(message) => self.heed(&message),
                    None => return Ok(()),
                },
            }
            if self.missed {
                looks.reset_immediately();
            }
        }
    }

    fn heed(&mut self, message: &Message) {
        if message.subject.as_str() != ACKNOWLEDGED {
            self.missed = true;
            return;
        }
        // What is not understood is published again.
        for (clinic, positions) in Acknowledged::spans_of(&message.payload).unwrap_or_default() {
            self.marks.add(clinic, positions);
        }
    }

    async fn look(&mut self) -> sqlx::Result<()> {
        let heads = self.heads().await?;
        let missing = self.marks.missing(&heads, std::mem::take(&mut self.missed));
        let behind: Position = missing.iter().map(|span| span.upto - span.after).sum();
        metrics::gauge!("casebook_relay_behind").set(behind as f64);
        for page in pages(missing) {
            if !self.publish(&page).await? {
                break; // NATS is away: the next look finds the rest again.
            }
        }
        if self.stored_at.elapsed() >= STORE_EVERY {
            self.store_marks().await?;
        }
        Ok(())
    }

    async fn heads(&mut self) -> sqlx::Result<Vec<(ClinicId, Position)>> {
        let heads = sqlx::query_as("SELECT clinic, position FROM log.head WHERE ledger = $1 AND position > 0")
            .bind(Ledger::Record as i16)
            .fetch_all(&mut *self.connection);
        Ok(in_time(heads).await?.into_iter().map(of_clinic).collect())
    }

    /// Whether all of it is in the stream now.
    async fn publish(&mut self, page: &[Span]) -> sqlx::Result<bool> {
        let era = match self.line.era() {
            Some(era) => Some(era),
            None => self.line.prepare().await,
        };
        let Some(era) = era else { return Ok(false) };
        let rows = in_time(read_spans(&mut *self.connection, page.iter().copied())).await?;
        let published = self.send(&rows, era).await;
        metrics::counter!("casebook_relay_published_total").increment(published as u64);
        Ok(published == rows.len())
    }

    /// How many of the rows need no more sending.
    async fn send(&mut self, rows: &[StoredRow], era: Era) -> usize {
        let mut sent = Vec::with_capacity(rows.len());
        for row in rows {
            sent.push((row.clinic, row.position, self.line.send(row, era).await));
        }
        let mut done = 0;
        for (clinic, position, sent) in sent {
            let settled = match sent {
                Sent::Waiting(acknowledgement) => self.line.is_acknowledged(acknowledgement, era).await,
                Sent::TooLarge => true,
                Sent::Failed => false,
            };
            if settled {
                self.marks.add(clinic, position..=position);
                done += 1;
            }
        }
        done
    }

    /// The first relay ever begins at the heads: what lies before them is in PostgreSQL.
    async fn load_marks(&mut self) -> sqlx::Result<()> {
        let marks = sqlx::query_as("SELECT clinic, position FROM log.relay_mark").fetch_all(&mut *self.connection);
        self.marks = Marks::stored(in_time(marks).await?.into_iter().map(of_clinic));
        if self.marks.is_empty() {
            for (clinic, head) in self.heads().await? {
                self.marks.add(clinic, 1..=head);
            }
        }
        Ok(())
    }

    async fn store_marks(&mut self) -> sqlx::Result<()> {
        self.stored_at = Instant::now();
        let marks = self.marks.to_store();
        let (clinics, positions): (Vec<Uuid>, Vec<Position>) =
            marks.iter().map(|(clinic, position)| (clinic.0, *position)).unzip();
        let store = sqlx::query(
            "INSERT INTO log.relay_mark SELECT * FROM unnest($1::uuid[], $2::bigint[])
             ON CONFLICT (clinic) DO UPDATE SET position = excluded.position",
        )
        .bind(clinics)
        .bind(positions)
        .execute(&mut *self.connection);
        in_time(store).await?;
        self.marks.note_stored(&marks);
        Ok(())
    }
}

fn of_clinic((clinic, position): (Uuid, Position)) -> (ClinicId, Position) {
    (ClinicId(clinic), position)
}

/// The spans, cut into pages.
fn pages(spans: Vec<Span>) -> Vec<Vec<Span>> {
    let mut pages = vec![Vec::new()];
    let mut room = PAGE_ROWS_MAX as Position;
    for mut span in spans {
        while span.after < span.upto {
            let upto = span.upto.min(span.after + room);
            pages.last_mut().expect("there is a first").push(Span { upto, ..span });
            room -= upto - span.after;
            span.after = upto;
            if room == 0 {
                pages.push(Vec::new());
                room = PAGE_ROWS_MAX as Position;
            }
        }
    }
    pages.retain(|page| !page.is_empty());
    pages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_holds_so_many_rows_and_no_more() {
        let span = |after, upto| Span { clinic: ClinicId::PLATFORM, after, upto };
        let pages = pages(vec![span(0, 600), span(10, 2_110), span(5, 6)]);
        let rows = |page: &Vec<Span>| page.iter().map(|span| span.upto - span.after).collect::<Vec<_>>();
        assert_eq!(pages.iter().map(rows).collect::<Vec<_>>(), [vec![600, 400], vec![1_000], vec![700, 1]]);
    }
}
