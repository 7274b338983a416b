//! How the read models stand: for `casebook status`, metrics and readiness.

use chrono::{DateTime, Utc};
use events::Ledger;
use read_models::{Projection, Visitor};
use sqlx::{FromRow, PgPool};

use crate::{
    parked::{Parked, parked},
    rebuild::{Rebuilding, rebuilding},
    table::projection_of,
};

/// One read model.
#[derive(Clone, Debug, PartialEq)]
pub struct ProjectionStatus {
    /// `patient`
    pub name: &'static str,
    /// Read model and revision: `patient_1`.
    pub projection: &'static str,
    /// Events of all clinics that are in the log and not yet in the read model.
    pub behind: i64,
    /// Clinics that lack some.
    pub clinics_behind: i64,
    /// When the oldest event was recorded that is lacking.
    pub behind_since: Option<DateTime<Utc>>,
    pub parked: Vec<Parked>,
    /// Runs, or was broken off.
    pub rebuilding: Vec<Rebuilding>,
}

#[derive(Default, FromRow)]
struct Behind {
    projection: String,
    events: i64,
    clinics: i64,
    since: Option<DateTime<Utc>>,
}

/// All read models, in the order of their list. The pool's role must see heads and checkpoints of all clinics.
pub async fn status(pool: &PgPool) -> sqlx::Result<Vec<ProjectionStatus>> {
    let behind = behind(pool).await?;
    let (parked, rebuilding) = (parked(pool).await?, rebuilding(pool).await?);
    let mut statuses = read_models::each(&mut Blank);
    for status in &mut statuses {
        let standing = behind.iter().find(|behind| behind.projection == status.projection);
        if let Some(Behind { events, clinics, since, .. }) = standing {
            (status.behind, status.clinics_behind, status.behind_since) = (*events, *clinics, *since);
        }
        status.parked = parked.iter().filter(|one| one.projection == status.projection).cloned().collect();
        status.rebuilding = rebuilding.iter().filter(|one| one.projection == status.projection).cloned().collect();
    }
    Ok(statuses)
}

async fn behind(pool: &PgPool) -> sqlx::Result<Vec<Behind>> {
    sqlx::query_as(
        "SELECT p.projection, sum(h.position - coalesce(c.position, 0))::bigint AS events, count(*) AS clinics,
                min((SELECT e.recorded_at FROM log.event e WHERE e.clinic = h.clinic AND e.ledger = h.ledger
                     AND e.position = coalesce(c.position, 0) + 1)) AS since
         FROM log.head h CROSS JOIN unnest($2::text[]) AS p(projection)
         LEFT JOIN read.checkpoint c ON c.clinic_id = h.clinic AND c.projection = p.projection
         WHERE h.ledger = $1 AND h.position > coalesce(c.position, 0)
         GROUP BY p.projection",
    )
    .bind(Ledger::Record as i16)
    .bind(read_models::each(&mut Blank).iter().map(|status| status.projection).collect::<Vec<_>>())
    .fetch_all(pool)
    .await
}

/// Nothing known yet.
struct Blank;

impl Visitor for Blank {
    type Output = ProjectionStatus;

    fn visit<P: Projection>(&mut self) -> ProjectionStatus {
        ProjectionStatus {
            name: P::NAME,
            projection: projection_of::<P>(),
            behind: 0,
            clinics_behind: 0,
            behind_since: None,
            parked: Vec::new(),
            rebuilding: Vec::new(),
        }
    }
}
