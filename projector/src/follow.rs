//! Follows the log: one task for each read model, batches over all clinics of this process.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use event_store::{
    feed::{Checkpoint, Feed, Ingest, News},
    position::PositionAnnouncer,
};
use events::ClinicId;
use read_models::Projection;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{self, Instant},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Failure,
    apply::{self, Applier, Events},
    company::Company,
    history::History,
    metrics, parked,
    place::{self, Places},
    rebuild,
    shares::Shares,
    steady::{OUTAGE_PAUSE, Steady},
    table::{Table, projection_of},
};

/// Events applied in one transaction.
const BATCH_EVENTS_MAX: usize = 4_096;
/// How often a follower looks whether parked events are to be tried again.
pub const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What all followers of a process share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) history: History,
    pub(crate) ingest: Ingest,
    pub(crate) announcer: PositionAnnouncer,
    pub(crate) shares: watch::Receiver<Shares>,
}

/// Follows until it is cancelled; each time this process's part of the clinics changes, from the
/// checkpoints anew.
pub(crate) async fn follow<P: Projection>(mut shared: Shared, cancelled: CancellationToken) {
    while !cancelled.is_cancelled() {
        let shares = *shared.shares.borrow_and_update();
        match Follower::<P>::start(&shared, shares).await {
            Ok(follower) => follower.run(&mut shared.shares, &cancelled).await,
            Err(error) => {
                tracing::warn!(projection = P::NAME, %error, "a read model cannot be followed now");
                time::sleep(OUTAGE_PAUSE).await;
            }
        }
    }
}

struct Follower<P: Projection> {
    history: History,
    feed: Feed,
    company: Company,
    steady: Steady<P>,
    announcer: PositionAnnouncer,
    shares: Shares,
    parked: HashSet<ClinicId>,
    /// Clinics whose checkpoint is no longer in the log.
    rebuilds: JoinSet<ClinicId>,
}

impl<P: Projection> Follower<P> {
    async fn start(shared: &Shared, shares: Shares) -> sqlx::Result<Self> {
        let pool = shared.history.pool();
        let table = Table::<P>::served(pool).await?;
        let mut places = place::all(pool, &table.projection).await?;
        places.retain(|clinic, _| shares.takes(*clinic));
        let feed = feed(&shared.ingest, shares, &places);
        let steady = Steady::new(Applier::new(pool.clone(), table, places));
        let (history, announcer) = (shared.history.clone(), shared.announcer.clone());
        let mut follower = Self {
            history,
            feed,
            company: Company::default(),
            steady,
            announcer,
            shares,
            parked: HashSet::new(),
            rebuilds: JoinSet::new(),
        };
        follower.look_at_parked().await?;
        Ok(follower)
    }

    async fn run(mut self, shares: &mut watch::Receiver<Shares>, cancelled: &CancellationToken) {
        let mut look = time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = cancelled.cancelled() => return,
                // A closed channel says that the part never changes again.
                Ok(()) = shares.changed() => return,
                Some(rebuilt) = self.rebuilds.join_next() => self.resume_rebuilt(rebuilt.ok()).await,
                _ = look.tick() => {
                    metrics::alive::<P>();
                    if let Err(error) = self.look_at_parked().await {
                        tracing::warn!(projection = P::NAME, %error, "parked events cannot be looked at");
                    }
                }
                () = time::sleep_until(self.company.due().unwrap_or_else(Instant::now)), if self.company.due().is_some() => {
                    let events = self.company.leave();
                    self.take(&events).await;
                }
                news = self.feed.next(BATCH_EVENTS_MAX) => self.heed(news).await,
            }
        }
    }

    async fn heed(&mut self, news: News) {
        match news {
            News::Events(events) => {
                if let Some(events) = self.company.join::<P>(events) {
                    self.take(&events).await;
                }
            }
            News::Diverged(clinic) => {
                self.company.forget(clinic);
                self.rebuild(clinic);
            }
            News::Broken(clinic, position) => {
                self.company.forget(clinic);
                let failure = Failure::Unreadable("the log does not hang together".to_owned());
                self.steady.park(clinic, position, &failure, 1).await;
                self.parked.insert(clinic);
            }
        }
    }

    async fn take(&mut self, events: &Events) {
        for clinic in self.steady.apply(events).await {
            self.stop(clinic);
            self.parked.insert(clinic);
        }
        self.tell(events);
    }

    /// Says how far each clinic has come; one that is not where its events end was moved by somebody else.
    fn tell(&mut self, events: &Events) {
        for (clinic, events) in apply::clinics(events) {
            let (Some(place), Some(last)) = (self.steady.applier.place(clinic), events.last()) else { continue };
            if place.checkpoint == last.checkpoint() {
                metrics::visible::<P>(last);
                self.announcer.moved(clinic, projection_of::<P>(), place.checkpoint.position);
            } else if !self.parked.contains(&clinic) {
                self.restart(clinic, place.checkpoint);
            }
        }
    }

    fn stop(&mut self, clinic: ClinicId) {
        self.company.forget(clinic);
        self.feed.stop(clinic);
    }

    fn restart(&mut self, clinic: ClinicId, checkpoint: Checkpoint) {
        self.company.forget(clinic);
        self.feed.restart(clinic, checkpoint);
    }

    /// Goes on with the clinics that are parked no more.
    async fn look_at_parked(&mut self) -> sqlx::Result<()> {
        let now = parked::clinics(self.history.pool(), self.steady.applier.projection()).await?;
        let freed: Vec<ClinicId> = self.parked.difference(&now).copied().collect();
        let shares = self.shares;
        let newly: Vec<ClinicId> = now.difference(&self.parked).copied().collect();
        for clinic in newly.into_iter().filter(|clinic| shares.takes(*clinic)) {
            self.stop(clinic);
        }
        self.resume(&freed).await?;
        self.parked = now;
        Ok(())
    }

    async fn resume(&mut self, clinics: &[ClinicId]) -> sqlx::Result<()> {
        self.steady.applier.refresh(clinics).await?;
        let shares = self.shares;
        for clinic in clinics.iter().filter(|clinic| shares.takes(**clinic)) {
            if let Some(place) = self.steady.applier.place(*clinic) {
                self.restart(*clinic, place.checkpoint);
            }
        }
        Ok(())
    }

    /// The log was restored to an earlier moment and has gone on differently: the clinic's rows are made
    /// again from what the log says now.
    fn rebuild(&mut self, clinic: ClinicId) {
        tracing::warn!(projection = P::NAME, %clinic, "the log went back: the clinic is rebuilt");
        let history = self.history.clone();
        self.rebuilds.spawn(async move {
            while let Err(error) = rebuild::clinic::<P>(&history, clinic, &mut |_| ()).await {
                tracing::warn!(projection = P::NAME, %clinic, %error, "the clinic cannot be rebuilt now");
                time::sleep(LOOK_EVERY).await;
            }
            clinic
        });
    }

    async fn resume_rebuilt(&mut self, rebuilt: Option<ClinicId>) {
        if let Some(clinic) = rebuilt {
            while let Err(error) = self.resume(&[clinic]).await {
                tracing::warn!(projection = P::NAME, %clinic, %error, "a rebuilt clinic waits for the database");
                time::sleep(OUTAGE_PAUSE).await;
            }
        }
    }
}

fn feed(ingest: &Ingest, shares: Shares, places: &Places) -> Feed {
    let checkpoints: HashMap<_, _> = places.iter().map(|(clinic, place)| (*clinic, place.checkpoint)).collect();
    Feed::start(ingest, move |clinic| shares.takes(clinic), checkpoints)
}
