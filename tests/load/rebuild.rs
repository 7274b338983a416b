//! `rebuild`: one read model of all clinics, made again from the log.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use event_store::{DbRole, Span, feed::Source};
use futures::{StreamExt, TryStreamExt, stream};

use crate::{
    figure::{Figure, Goal, What},
    front::caught_up,
    measure::Row,
    patients::{register_clinics, register_patients},
    world::World,
};

const CLINICS: usize = 50;
const PATIENTS: usize = 20_000;
const PROBLEMS_PER_PATIENT: usize = 4;
const CALLERS: usize = 256;
/// As a rebuild reads them.
const PAGE_EVENTS: i64 = 10_000;
const PAGES_AHEAD: usize = 2;
const READ_MODEL: &str = "patient";

pub struct Rebuild {
    source: Source,
}

impl Rebuild {
    /// A hundred thousand sealed events, four of five of them in a patient's chart behind the first.
    pub async fn new(world: &World) -> Result<Self> {
        let store = world.store()?;
        let clinics = register_clinics(&store, CLINICS).await?;
        let charts = register_patients(&store, (0..PATIENTS).map(|n| clinics[n % clinics.len()])).await?;
        let filled = charts.into_iter().map(|mut chart| {
            let store = &store;
            async move {
                for _ in 0..PROBLEMS_PER_PATIENT {
                    chart.add_problem(store).await?;
                }
                anyhow::Ok(())
            }
        });
        stream::iter(filled).buffer_unordered(CALLERS).try_for_each(|()| async { Ok(()) }).await?;
        caught_up(world).await?;
        let opener = Arc::new(world.store_as(DbRole::Projector)?);
        Ok(Self { source: Source::new(projector::pool(world.database()?, 2), opener) })
    }
}

impl Row for Rebuild {
    fn figures(&self) -> Vec<Figure> {
        vec![Figure { name: "rebuild", unit: "events/s", goal: Goal::AtLeast(0.6) }]
    }

    fn what(&self) -> What {
        What {
            ceiling: "reading, unsealing and decoding the same events in pages of 10,000, two pages ahead, and nothing \
                else.",
            casebook: "the read model of patients made again for all clinics while it is served: at least 100,000 \
                events, nearly all of them sealed, folded, copied, indexed and switched.",
        }
    }

    async fn ceiling(&mut self, _: &World, turn: Duration) -> Result<Vec<f64>> {
        let started = Instant::now();
        let mut events = 0;
        while started.elapsed() < turn {
            events += read_all(&self.source).await?;
        }
        Ok(vec![events as f64 / started.elapsed().as_secs_f64()])
    }

    async fn casebook(&mut self, world: &World, turn: Duration) -> Result<Vec<f64>> {
        let history = world.stack()?.history();
        let all = self.source.heads().await?.iter().map(|(_, head)| head.position).sum::<i64>();
        let started = Instant::now();
        let mut times = 0;
        while started.elapsed() < turn {
            projector::rebuild(&history, READ_MODEL, None, &mut |_| ()).await?;
            times += 1;
        }
        Ok(vec![(all * times) as f64 / started.elapsed().as_secs_f64()])
    }
}

/// How many events there are, every one of them decoded.
async fn read_all(source: &Source) -> Result<usize> {
    let heads = source.heads().await?.into_iter();
    let spans = heads.map(|(clinic, head)| Span { clinic, after: 0, upto: head.position });
    let pages = stream::iter(pages(spans)).map(|page| {
        let source = source.clone();
        async move { tokio::spawn(async move { source.page(page).await }).await?.map_err(anyhow::Error::from) }
    });
    let mut pages = pages.buffered(PAGES_AHEAD);
    let mut events = 0;
    while let Some(page) = pages.try_next().await? {
        ensure!(page.iter().all(|event| event.recorded.is_ok()), "an event cannot be read");
        events += page.len();
    }
    Ok(events)
}

/// Spans cut into pages, in order.
fn pages(spans: impl Iterator<Item = Span>) -> Vec<Vec<Span>> {
    let (mut pages, mut room) = (vec![Vec::new()], PAGE_EVENTS);
    for mut span in spans {
        while span.after < span.upto {
            let part = Span { upto: span.upto.min(span.after + room), ..span };
            room -= part.upto - part.after;
            span.after = part.upto;
            pages.last_mut().expect("there is one").push(part);
            if room == 0 {
                pages.push(Vec::new());
                room = PAGE_EVENTS;
            }
        }
    }
    pages
}
