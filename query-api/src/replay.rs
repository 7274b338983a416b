//! A clinic as it was. A query that names a replay is the same query, asked of the replay's tables: every table of the
//! statement is exchanged, or else the statement is refused. So no answer is half of then and half of now.

use std::{borrow::Cow, collections::BTreeSet, sync::LazyLock};

use chrono::{DateTime, Utc};
use events::Position;
use read_models::{Projection, Visitor};
use serde::Deserialize;
use service_kit::{
    Problem,
    problem::{REPLAY_EXPIRED, REPLAY_NOT_READY},
};
use uuid::Uuid;

use crate::{
    scope::{Scoped, Select},
    sql::Sql,
};

/// A function over the patients, of which every replay has its own.
const SEARCH: &str = "search_patients";
/// SQLSTATEs of a table, a function or a schema that is not there: the replay ended while it was asked.
const GONE: [&str; 3] = ["42P01", "42883", "3F000"];

/// A replay that is ready.
#[derive(Clone, Debug)]
pub struct Replay {
    pub id: Uuid,
    /// The last event that it shows.
    pub position: Position,
    /// What time it is in it.
    pub instant: DateTime<Utc>,
    /// The schema of its tables.
    place: String,
}

#[derive(Deserialize)]
struct Found {
    position: Position,
    instant: DateTime<Utc>,
    over: bool,
    state: Option<String>,
    place: String,
}

impl Replay {
    /// 404 for one that the clinic does not have, 409 before it is ready, 410 once it is over.
    pub(crate) async fn find(scoped: &Scoped, id: Uuid) -> Result<Self, Problem> {
        let sql = Sql::new(
            "r.position, r.instant, r.expires_at <= now() AS over, b.state, read.replay_place(r.clinic, r.id) AS place \
             FROM log.replay r LEFT JOIN read.replay b ON b.clinic_id = s.clinic AND b.id = r.id \
             WHERE r.clinic = s.clinic AND r.id = ",
        );
        let found = scoped.run::<Found>(Select::from_log(sql.bind(id))).await?.value.pop();
        let Found { position, instant, over, state, place } = found.ok_or_else(Problem::not_found)?;
        match state.as_deref() {
            _ if over => Err(Problem::new(REPLAY_EXPIRED)),
            Some("ready") => Ok(Self { id, position, instant, place }),
            Some("dropped") => Err(Problem::new(REPLAY_EXPIRED)),
            Some("failed") => {
                Err(Problem::new(REPLAY_NOT_READY).detail("Building it failed; `audit/replays` says why."))
            }
            _ => Err(Problem::new(REPLAY_NOT_READY).detail("It is being built; `audit/replays` says how far it is.")),
        }
    }

    /// 400 for a position after its end, which it will never have.
    pub(crate) fn has_reached(&self, position: Position) -> Result<(), Problem> {
        match position <= self.position {
            true => Ok(()),
            false => Err(Problem::bad_header("Casebook-Min-Position lies after the end of the replay.")),
        }
    }

    /// A table of the replay.
    pub(crate) fn table(&self, name: &str) -> String {
        format!("{}.{name}", self.place)
    }

    /// The same statement over the replay's tables; 400 where it asks for something that a replay does not have.
    pub(crate) fn exchange(&self, text: &str) -> Result<String, Problem> {
        let mut exchanged = String::with_capacity(text.len() * 2);
        let mut rest = text;
        while !rest.is_empty() {
            let (word, after) = rest.split_at(rest.find(|c| !is_of_a_word(c)).unwrap_or(rest.len()));
            let (between, after) = after.split_at(after.find(is_of_a_word).unwrap_or(after.len()));
            exchanged.push_str(&self.word(word)?);
            exchanged.push_str(between);
            rest = after;
        }
        Ok(exchanged)
    }

    fn word<'w>(&self, word: &'w str) -> Result<Cow<'w, str>, Problem> {
        match word.split_once('.') {
            Some(("read", name)) if name == SEARCH || MODELS.contains(name) => Ok(self.table(name).into()),
            Some(("log", name @ ("event" | "head"))) => Ok(self.table(name).into()),
            // Only ever the least of it and of the replay's head.
            Some(("log", "position_at")) => Ok(word.into()),
            Some(("read" | "log", _)) => Err(is_of_the_present()),
            _ => Ok(word.into()),
        }
    }
}

/// Letters of names with their schema.
fn is_of_a_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '.'
}

/// 400: what is asked for has no past.
pub(crate) fn is_of_the_present() -> Problem {
    Problem::parameter("replay", "This is about the present and cannot be asked of a replay.")
}

/// Why a statement over a replay's tables failed.
pub(crate) fn failed(error: sqlx::Error) -> Problem {
    let code = error.as_database_error().and_then(|error| error.code().map(Cow::into_owned));
    match code.is_some_and(|code| GONE.contains(&code.as_str())) {
        true => Problem::new(REPLAY_EXPIRED),
        false => error.into(),
    }
}

/// The tables that a replay has: `patient_1`, …
static MODELS: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
    struct Names;
    impl Visitor for Names {
        type Output = &'static str;

        fn visit<P: Projection>(&mut self) -> &'static str {
            P::TABLE.strip_prefix("read.").unwrap_or(P::TABLE)
        }
    }
    read_models::each(&mut Names).into_iter().collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(text: &str) -> Result<String, Problem> {
        let replay = Replay { id: Uuid::nil(), position: 7, instant: DateTime::UNIX_EPOCH, place: "replay_x".into() };
        replay.exchange(text)
    }

    #[test]
    fn every_table_is_exchanged_and_nothing_else() {
        let text = "p.*, 'read.a', c.time_zone FROM read.patient_1 p LEFT JOIN read.clinic_1 c ON thread.x = c.read \
                    CROSS JOIN read.search_patients($1, $2) h, log.event e WHERE e.clinic = s.clinic";
        let expected = "p.*, 'read.a', c.time_zone FROM replay_x.patient_1 p LEFT JOIN replay_x.clinic_1 c ON \
                        thread.x = c.read CROSS JOIN replay_x.search_patients($1, $2) h, replay_x.event e \
                        WHERE e.clinic = s.clinic";
        let without = |text: &str| text.replace("'read.a', ", "");
        assert_eq!(exchange(&without(text)).unwrap(), without(expected));
        assert_eq!(exchange(text).unwrap_err().code(), "invalid-parameter", "no text names a table but as a table");
    }

    #[test]
    fn what_a_replay_does_not_have_is_refused() {
        for text in ["1 FROM read.checkpoint", "1 FROM log.access_patient a", "log.scope($1)", "1 FROM read.patient_10"]
        {
            assert_eq!(exchange(text).unwrap_err().code(), "invalid-parameter", "{text}");
        }
    }
}
