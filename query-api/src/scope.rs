//! The one way from a request to the read models. A query is one statement that begins with
//! `read.scope(…)`: the function checks that the login still stands and lets row-level security see that
//! clinic for this statement alone. Without it there are no rows; a query that forgets its own
//! `clinic_id = s.clinic` still sees no other clinic's.

use std::{error::Error, sync::Arc};

use aide::{
    OperationOutput,
    generate::GenContext,
    openapi::{Operation, Response as ApiResponse},
};
use axum::response::{IntoResponse, Response};
use events::{ClinicId, Ledger, Position};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use service_kit::{Authenticated, ClinicScope, Json, Problem, headers::position_header};
use sqlx::{AssertSqlSafe, PgPool, Row, postgres::PgRow};

use crate::{
    glass::Glass,
    replay::{self, Replay},
    row,
    sql::Sql,
};

/// What a query found, and the position of the clinic that all of it reflects.
#[derive(Clone, Copy, Debug)]
pub struct Reflected<T> {
    pub value: T,
    pub position: Position,
}

impl<T> Reflected<T> {
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Reflected<U> {
        Reflected { value: change(self.value), position: self.position }
    }
}

/// The answer of what has no version of its own: body and `Casebook-Position`.
impl<T: Serialize> IntoResponse for Reflected<T> {
    fn into_response(self) -> Response {
        ([position_header(self.position)], Json(self.value)).into_response()
    }
}

impl<T: JsonSchema> OperationOutput for Reflected<T> {
    type Inner = T;

    fn operation_response(ctx: &mut GenContext, operation: &mut Operation) -> Option<ApiResponse> {
        Json::<T>::operation_response(ctx, operation)
    }

    fn inferred_responses(ctx: &mut GenContext, operation: &mut Operation) -> Vec<(Option<u16>, ApiResponse)> {
        Json::<T>::inferred_responses(ctx, operation)
    }
}

impl<T> Reflected<Option<T>> {
    /// 404 where there is nothing.
    pub fn found(self) -> Result<Reflected<T>, Problem> {
        let position = self.position;
        self.value.map(|value| Reflected { value, position }).ok_or_else(Problem::not_found)
    }
}

/// What a query reads from, and so which position its answer reflects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Tables of the schema `read`, without it: `patient_1`. The least of their checkpoints.
    Models(&'static [&'static str]),
    /// The record itself: its head. In a replay it ends where the replay does.
    Record,
    /// Whatever else the log holds, at the record's head. It has no past that could be asked for.
    Log,
}

impl Source {
    /// The projections that fill it.
    pub(crate) fn projections(self) -> &'static [&'static str] {
        match self {
            Self::Models(models) => models,
            Self::Record | Self::Log => &[],
        }
    }
}

/// A query: the select list and all that follows it. Inside, `s.clinic` is the clinic, and every table is
/// narrowed to it.
pub struct Select {
    source: Source,
    body: Sql,
}

impl Select {
    /// From these read models.
    pub fn new(models: &'static [&'static str], body: Sql) -> Self {
        Self { source: Source::Models(models), body }
    }

    /// From the record alone: what clinics did, not what they looked at.
    pub fn from_record(body: Sql) -> Self {
        Self { source: Source::Record, body }
    }

    pub fn from_log(body: Sql) -> Self {
        Self { source: Source::Log, body }
    }

    /// No rows, only the position.
    pub(crate) fn position_of(source: Source) -> Self {
        Self { source, body: Sql::new("1 WHERE false") }
    }

    pub(crate) fn source(&self) -> Source {
        self.source
    }
}

/// The scope of one request. Only [`ClinicScope`] and the login itself make one.
#[derive(Clone)]
pub struct Scoped {
    db: PgPool,
    who: Authenticated,
    glass: Glass,
    /// From which all is answered, instead of the served tables.
    replay: Option<Arc<Replay>>,
}

impl Scoped {
    pub(crate) fn of(db: &PgPool, scope: &ClinicScope) -> Self {
        Self::own(db, scope)
    }

    /// For what a login may always ask: who it is itself.
    pub(crate) fn own(db: &PgPool, who: &Authenticated) -> Self {
        Self { db: db.clone(), who: who.clone(), glass: Glass::default(), replay: None }
    }

    pub(crate) fn in_replay(self, replay: Replay) -> Self {
        Self { replay: Some(Arc::new(replay)), ..self }
    }

    pub(crate) fn in_present(self) -> Self {
        Self { replay: None, ..self }
    }

    pub(crate) fn replay(&self) -> Option<&Replay> {
        self.replay.as_deref()
    }

    pub(crate) fn clinic(&self) -> ClinicId {
        self.who.clinic()
    }

    /// What every statement so far has said of the asker's broken glass.
    pub(crate) fn glass(&self) -> &Glass {
        &self.glass
    }

    /// Runs a query in one round trip. 401 where the login no longer stands.
    pub(crate) async fn run<T: DeserializeOwned>(&self, select: Select) -> Result<Reflected<Vec<T>>, Problem> {
        self.run_as(select, |row| row::read::<T>(row)).await
    }

    /// The same, for rows that are read in their own way.
    pub(crate) async fn run_as<T, E>(
        &self,
        select: Select,
        read: impl Fn(&PgRow) -> Result<T, E>,
    ) -> Result<Reflected<Vec<T>>, Problem>
    where
        E: Error + Send + Sync + 'static,
    {
        let (text, arguments) = self.statement(select)?.finish()?;
        // What is asked of a replay is not prepared: its tables will soon be gone.
        let query = sqlx::query_with(AssertSqlSafe(text), arguments).persistent(self.replay.is_none());
        let rows = query.fetch_all(&self.db).await.map_err(|error| match &self.replay {
            Some(_) => replay::failed(error),
            None => error.into(),
        })?;
        let position = position(rows.first())?;
        self.glass.take(&self.who, rows.first())?;
        let found = rows.iter().filter(|row| is_found(row)).map(read);
        Ok(Reflected { value: found.collect::<Result<_, _>>().map_err(Problem::internal)?, position })
    }

    /// The checkpoints come from the statement's own snapshot, as its rows do. `read.scope` does not: it sees a
    /// login that ended a moment ago.
    fn statement(&self, select: Select) -> Result<Sql, Problem> {
        let Select { source, body } = select;
        let mut body = match &self.replay {
            Some(replay) => body.rewritten(|text| replay.exchange(text))?,
            None => body,
        };
        let login = [
            body.argument(self.who.clinic().0),
            body.argument(self.who.user().0),
            body.argument(self.who.session()),
            body.argument(self.who.issued_at()),
        ];
        let reached = reached(source, self.replay(), &mut body)?;
        let (broken, glass) = Glass::asked(&self.who, &mut body);
        // The query's own columns come first and in its order: some rows are read by place.
        let before = format!(
            "SELECT q.*, s.clinic IS NOT NULL AS \"#live\", c.position AS \"#position\"{broken} \
             FROM read.scope({login}) s LEFT JOIN LATERAL ({reached} OFFSET 0) c ON true {glass}\
             LEFT JOIN LATERAL (SELECT b.*, true AS \"#found\" FROM (SELECT ",
            login = login.join(", "),
        );
        Ok(body.within(&before, " OFFSET 0) b) q ON true"))
    }
}

/// A model without a checkpoint has seen nothing yet.
fn reached(source: Source, replay: Option<&Replay>, body: &mut Sql) -> Result<String, Problem> {
    let (checkpoint, head) = match replay {
        Some(replay) => (replay.table("checkpoint"), replay.table("head")),
        None => ("read.checkpoint".to_owned(), "log.head".to_owned()),
    };
    Ok(match source {
        Source::Log if replay.is_some() => return Err(replay::is_of_the_present()),
        Source::Models(models) => format!(
            "SELECT CASE WHEN count(*) = {count} THEN min(k.position) ELSE 0 END AS position \
             FROM {checkpoint} k WHERE k.clinic_id = s.clinic AND k.projection = ANY({names})",
            count = body.argument(models.len() as i64),
            names = body.argument(models),
        ),
        Source::Record | Source::Log => format!(
            "SELECT h.position FROM {head} h WHERE h.clinic = s.clinic AND h.ledger = {record}",
            record = body.argument(Ledger::Record as i16),
        ),
    })
}

/// The scope's row is there even where the query found nothing.
fn position(first: Option<&PgRow>) -> Result<Position, Problem> {
    let row = first.ok_or_else(Problem::unauthenticated)?;
    match row.try_get("#live")? {
        true => Ok(row.try_get::<Option<Position>, _>("#position")?.unwrap_or(0)),
        false => Err(Problem::unauthenticated()),
    }
}

fn is_found(row: &PgRow) -> bool {
    row.try_get::<Option<bool>, _>("#found").is_ok_and(|found| found == Some(true))
}
