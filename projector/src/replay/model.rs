//! One read model of a clinic that is being replayed, whichever it is.

use std::sync::Arc;

use event_store::feed::FeedEvent;
use events::{ClinicId, Position};
use futures::future::BoxFuture;
use read_models::{Projection, Visitor};
use sqlx::{PgConnection, PgPool};

use crate::{
    Failure,
    copy::{copy_lines, insert_checkpoints, write_lines},
    rebuild::Folded,
    table::{Table, projection_of},
};

pub(super) trait Model: Send {
    /// `patient_1`
    fn projection(&self) -> &'static str;

    fn fold(&mut self, events: &[Arc<FeedEvent>]);

    /// The event that cannot be folded.
    fn stuck(&self) -> Option<&(Position, Failure)>;

    /// Writes rows and checkpoint into the tables of a schema.
    fn write<'c>(
        self: Box<Self>,
        connection: &'c mut PgConnection,
        schema: &'c str,
    ) -> BoxFuture<'c, Result<(), Failure>>;
}

/// All read models, empty.
pub(super) async fn models(pool: &PgPool, clinic: ClinicId) -> sqlx::Result<Vec<Box<dyn Model>>> {
    futures::future::try_join_all(read_models::each(&mut Empty { pool, clinic })).await
}

struct Empty<'p> {
    pool: &'p PgPool,
    clinic: ClinicId,
}

impl<'p> Visitor for Empty<'p> {
    type Output = BoxFuture<'p, sqlx::Result<Box<dyn Model>>>;

    fn visit<P: Projection>(&mut self) -> Self::Output {
        let (pool, folded) = (self.pool, Folded::<P>::new(self.clinic));
        Box::pin(async move { Ok(Box::new(One { table: Table::served(pool).await?, folded }) as Box<dyn Model>) })
    }
}

struct One<P: Projection> {
    table: Table<P>,
    folded: Folded<P>,
}

impl<P: Projection> Model for One<P> {
    fn projection(&self) -> &'static str {
        projection_of::<P>()
    }

    fn fold(&mut self, events: &[Arc<FeedEvent>]) {
        self.folded.fold(events);
    }

    fn stuck(&self) -> Option<&(Position, Failure)> {
        self.folded.stuck.as_ref()
    }

    fn write<'c>(
        self: Box<Self>,
        connection: &'c mut PgConnection,
        schema: &'c str,
    ) -> BoxFuture<'c, Result<(), Failure>> {
        let Self { table, folded: Folded { clinic, rows, at, .. } } = *self;
        let table = table.within(schema);
        Box::pin(async move {
            let mut lines = Vec::new();
            write_lines(&mut lines, &table, clinic, rows)?;
            copy_lines(connection, &table, &table.name, lines).await?;
            let checkpoints = format!("{schema}.checkpoint");
            insert_checkpoints(connection, &checkpoints, &table.projection, &[(clinic, at)]).await
        })
    }
}
