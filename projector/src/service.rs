//! The projector as a process runs it: one follower for each read model.

use std::time::Duration;

use async_nats::Client;
use event_store::{DbRole, feed::Ingest, position::PositionAnnouncer};
use futures::future::BoxFuture;
use read_models::{Projection, Visitor};
use sqlx::{PgPool, postgres::PgConnectOptions};
use tokio::{sync::watch, task::JoinSet, time};
use tokio_util::sync::CancellationToken;

use crate::{
    follow::{self, follow},
    history::History,
    metrics, replay,
    shares::{self, Shares},
    status,
};

/// How often lag and parked events are put into the metrics.
const STANDING_EVERY: Duration = Duration::from_secs(5);

/// A pool for [`Projector`]. Commits do not wait for the disk: what a crash takes away, it takes with its
/// checkpoint, and it is folded again.
pub fn pool(options: PgConnectOptions, max_connections: u32) -> PgPool {
    DbRole::Projector.pool(options.options([("synchronous_commit", "off")]), max_connections)
}

/// Carries events into all read models.
pub struct Projector {
    history: History,
    ingest: Ingest,
    nats: Option<Client>,
    shares: bool,
}

impl Projector {
    /// `history` has a pool as [`pool`] makes it; NATS only tells waiting queries.
    pub fn new(history: History, ingest: Ingest, nats: Option<Client>) -> Self {
        Self { history, ingest, nats, shares: true }
    }

    /// Takes all clinics, whoever else follows: for a process that has no other beside it, which then needs
    /// no connection to say so. With another, the two do each other's work, to no harm.
    pub fn alone(mut self) -> Self {
        self.shares = false;
        self
    }

    /// Follows until it is cancelled. Other processes may do the same: they share the clinics.
    pub async fn run(self, cancelled: CancellationToken) {
        let (tell, shares) = watch::channel(if self.shares { Shares::default() } else { Shares::ALL });
        let mut tasks = JoinSet::new();
        if self.shares {
            tasks.spawn(shares::keep(self.history.pool().clone(), tell));
        }
        tasks.spawn(measure(self.history.pool().clone()));
        tasks.spawn(replay::serve(self.history.clone()));
        let announcer = PositionAnnouncer::start(self.nats);
        let shared = follow::Shared { history: self.history, ingest: self.ingest, announcer, shares };
        let mut followers = JoinSet::new();
        for follower in read_models::each(&mut Start { shared, cancelled: cancelled.clone() }) {
            followers.spawn(follower);
        }
        while let Some(ended) = followers.join_next().await {
            if let Err(error) = ended {
                // A follower is written not to panic; one that does must not end in silence.
                tracing::error!(%error, "a read model is followed no more");
            }
        }
        tasks.shutdown().await;
    }
}

struct Start {
    shared: follow::Shared,
    cancelled: CancellationToken,
}

impl Visitor for Start {
    type Output = BoxFuture<'static, ()>;

    fn visit<P: Projection>(&mut self) -> Self::Output {
        Box::pin(follow::<P>(self.shared.clone(), self.cancelled.clone()))
    }
}

async fn measure(pool: PgPool) {
    let mut tick = time::interval(STANDING_EVERY);
    loop {
        tick.tick().await;
        match status::status(&pool).await {
            Ok(statuses) => statuses.iter().for_each(|one| {
                metrics::standing(one.name, one.behind, one.parked.len() as i64);
            }),
            Err(error) => tracing::warn!(%error, "the standing of the read models cannot be read"),
        }
    }
}
