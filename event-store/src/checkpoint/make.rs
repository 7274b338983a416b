//! One checkpoint: everything that is new, signed, committed, anchored.

use std::{io, time::Duration};

use chrono::{DateTime, SubsecRound, Utc};
use proof::{
    checkpoint::{Checkpoint, Leaf, Ledgers, Malformed, name, of_note, write_changes},
    note::{PublicKey, SigningKey},
    row::sha256,
};
use sqlx::{Acquire, PgConnection};
use tokio::task::spawn_blocking;
use uuid::Uuid;

use super::{
    AnchorError, Anchors, Checkpointer,
    extend::{Broken, moved},
    stored::{self, Last, LeafColumns, Stored, between, last, leaf, verifier_keys},
    stream,
};
use crate::{election::Duty, store::StoreError};

/// Rows that one checkpoint takes in at most: what is beyond waits for the next.
const ROWS_MAX: i64 = 250_000;
/// Anchors that were missed are added so many at once.
const ANCHORS_AT_ONCE: i64 = 500;

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    Checkpoint {
        number: i64,
        /// Whether every event up to now is signed, and not only the first of many.
        is_everything: bool,
    },
    /// Nothing has happened since the last one.
    NothingNew,
    /// Another process makes one, or has just made one.
    Elsewhere,
}

#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    #[error("the log cannot be read or written: {0}")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Anchor(#[from] AnchorError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the key of checkpoints cannot be read: {0}")]
    Key(#[from] io::Error),
    #[error("the key that has to sign the next checkpoint is not here: put the copy of it in its place")]
    NoKey,
    #[error("the last checkpoint in the log cannot be read: {0}")]
    Malformed(#[from] Malformed),
}

impl Checkpointer {
    /// Makes one at once.
    pub async fn checkpoint(&self) -> Result<Made, CheckpointError> {
        self.make(None, None).await
    }

    /// Makes one that hands on to another key: it signs from the next one on.
    pub async fn hand_on(&self, next: PublicKey) -> Result<Made, CheckpointError> {
        self.make(Some(next), None).await
    }

    /// The public key that signs now; `None` where its private part is not here.
    pub async fn public_key(&self) -> Result<Option<PublicKey>, CheckpointError> {
        let last = last(&self.pool).await?;
        Ok(self.signer(last.as_ref())?.map(|key| key.public()))
    }

    /// Unless the last one is younger than `youngest`.
    pub(super) async fn make(
        &self,
        next_key: Option<PublicKey>,
        youngest: Option<Duration>,
    ) -> Result<Made, CheckpointError> {
        let Some(mut elected) = Duty::Checkpoints.elect(&self.pool).await? else { return Ok(Made::Elsewhere) };
        let made = self.make_alone(&mut elected, next_key, youngest).await;
        // Whoever tries again at once is not told that another process makes one. What failed is told before what the
        // resigning says of it.
        let resigned = elected.resign().await;
        let made = made?;
        resigned?;
        Ok(made)
    }

    /// Under the lock.
    async fn make_alone(
        &self,
        connection: &mut PgConnection,
        next_key: Option<PublicKey>,
        youngest: Option<Duration>,
    ) -> Result<Made, CheckpointError> {
        let last = stored::last(&mut *connection).await?;
        self.anchor(connection, last.as_ref()).await?;
        if last.as_ref().zip(youngest).is_some_and(|(last, youngest)| is_younger(last, youngest)) {
            return Ok(Made::Elsewhere);
        }
        let made = self.commit(connection, last, next_key).await?;
        if let Made::Checkpoint { .. } = made {
            let last = stored::last(&mut *connection).await?;
            self.anchor(connection, last.as_ref()).await?;
        }
        Ok(made)
    }

    /// Everything new, signed, in one transaction.
    async fn commit(
        &self,
        connection: &mut PgConnection,
        last: Option<Last>,
        next_key: Option<PublicKey>,
    ) -> Result<Made, CheckpointError> {
        let mut transaction = connection.begin().await?;
        let (changes, is_everything) = extend_all(&mut transaction).await?;
        // A new key signs at once, so that whoever knows it alone can begin.
        if changes.is_empty() && next_key.is_none() && !hands_on(last.as_ref())? {
            return Ok(Made::NothingNew);
        }
        let signer = self.signer(last.as_ref())?.ok_or(CheckpointError::NoKey)?;
        let ledgers = all_ledgers(&mut transaction).await?;
        let checkpoint = following(last.as_ref(), &ledgers, &changes, next_key)?;
        store(&mut transaction, &checkpoint, &signer, changes).await?;
        transaction.commit().await?;
        metrics::gauge!("casebook_checkpoint_number").set(checkpoint.number as f64);
        Ok(Made::Checkpoint { number: checkpoint.number, is_everything })
    }

    /// The key that has to sign next, if it is here: the one that the last checkpoint names, or else its own.
    fn signer(&self, last: Option<&Last>) -> Result<Option<SigningKey>, CheckpointError> {
        let mut keys = (self.keys)()?.into_iter();
        let Some(last) = last else { return Ok(keys.next()) };
        let (note, checkpoint) = of_note(&last.note)?;
        let name = checkpoint.name();
        Ok(keys.find(|key| match checkpoint.next_key {
            Some(next) => key.public() == next,
            None => note.is_signed_by(&name, &key.public()),
        }))
    }

    /// Adds the anchors that are missing, back to the first that is there, and sees that none is ahead.
    async fn anchor(&self, connection: &mut PgConnection, last: Option<&Last>) -> Result<(), CheckpointError> {
        let number = last.map_or(0, |last| last.number);
        let anchors = self.anchors.clone();
        let in_folder = spawn_blocking(move || anchors.read(number + 1)).await.expect("reading does not panic")?;
        if in_folder.is_some() {
            return Err(AnchorError::Ahead(number + 1).into());
        }
        let Some(last) = last else { return Ok(()) };
        self.anchor_keys(connection, last).await?;
        // The last one is compared in any case, those before it only until one is there.
        let (mut to, mut batch) = (number, 1);
        while to > 0 {
            let from = (to - batch + 1).max(1);
            let (stored, anchors) = (between(&mut *connection, from, to).await?, self.anchors.clone());
            if spawn_blocking(move || add(&anchors, &stored)).await.expect("writing does not panic")? {
                break;
            }
            (to, batch) = (from - 1, ANCHORS_AT_ONCE);
        }
        if let Some(nats) = &self.nats {
            stream::publish_missing(nats, connection, last).await?;
        }
        Ok(())
    }

    async fn anchor_keys(&self, connection: &mut PgConnection, last: &Last) -> Result<(), CheckpointError> {
        let (_, checkpoint) = of_note(&last.note)?;
        let name = checkpoint.name();
        for text in verifier_keys(connection).await? {
            if let Some((_, key)) = PublicKey::from_verifier_key(&text) {
                let (anchors, name) = (self.anchors.clone(), name.clone());
                spawn_blocking(move || anchors.write_key(&name, &key)).await.expect("writing does not panic")?;
            }
        }
        Ok(())
    }
}

/// Whether one of them was there already: then all before it are.
fn add(anchors: &Anchors, stored: &[Stored]) -> Result<bool, AnchorError> {
    for checkpoint in stored.iter().rev() {
        let was_there = anchors.read(checkpoint.number)?.is_some();
        anchors.write(checkpoint.number, &checkpoint.anchor())?;
        if was_there {
            return Ok(true);
        }
    }
    Ok(false)
}

fn hands_on(last: Option<&Last>) -> Result<bool, Malformed> {
    last.map_or(Ok(false), |last| Ok(of_note(&last.note)?.1.next_key.is_some()))
}

fn is_younger(last: &Last, than: Duration) -> bool {
    (Utc::now() - last.made_at).to_std().is_ok_and(|age| age < than)
}

/// The leaves of all ledgers that have grown, sorted, and whether that is all there was.
async fn extend_all(db: &mut PgConnection) -> sqlx::Result<(Vec<Leaf>, bool)> {
    let (mut changes, mut rows_left) = (Vec::new(), ROWS_MAX);
    for ledger in moved(db).await? {
        if rows_left <= 0 {
            return Ok((changes, false));
        }
        let before = ledger.size();
        match ledger.extend(db, rows_left).await? {
            Ok(leaf) => {
                rows_left -= leaf.size - before;
                changes.push(leaf);
            }
            Err(Broken { clinic, ledger, after }) => {
                metrics::counter!("casebook_checkpoint_broken_ledgers_total").increment(1);
                tracing::error!(%clinic, ledger = ledger as i16, after,
                    "a ledger does not continue what was signed and is not signed on: casebook audit verify");
            }
        }
    }
    Ok((changes, rows_left > 0))
}

async fn all_ledgers(db: &mut PgConnection) -> Result<Ledgers, CheckpointError> {
    let rows = sqlx::query("SELECT clinic, ledger, size, root, charts FROM log.tree ORDER BY clinic, ledger");
    let leaves = rows.fetch_all(db).await?.iter().map(leaf).collect::<sqlx::Result<Vec<_>>>()?;
    let mut ledgers = Ledgers::default();
    ledgers.change(&leaves)?;
    Ok(ledgers)
}

/// What the next checkpoint says.
fn following(
    last: Option<&Last>,
    ledgers: &Ledgers,
    changes: &[Leaf],
    next_key: Option<PublicKey>,
) -> Result<Checkpoint, Malformed> {
    let before = last.map(|last| of_note(&last.note)).transpose()?.map(|(_, checkpoint)| checkpoint);
    let earliest = before.as_ref().map_or(DateTime::UNIX_EPOCH, |before| before.time);
    Ok(Checkpoint {
        installation: before.as_ref().map_or_else(Uuid::new_v4, |before| before.installation),
        leaves: ledgers.leaves().len() as u64,
        root: ledgers.root(),
        number: before.map_or(1, |before| before.number + 1),
        // A clock that went back must not make the checkpoints do so.
        time: Utc::now().trunc_subsecs(6).max(earliest),
        previous: last.map(Last::hash),
        changed: sha256(write_changes(changes).as_bytes()),
        next_key,
    })
}

async fn store(
    db: &mut PgConnection,
    checkpoint: &Checkpoint,
    signer: &SigningKey,
    changes: Vec<Leaf>,
) -> sqlx::Result<()> {
    let name = name(checkpoint.installation);
    sqlx::query("INSERT INTO log.checkpoint VALUES ($1, $2, $3)")
        .bind(checkpoint.number)
        .bind(checkpoint.time)
        .bind(signer.sign(&name, &checkpoint.write()))
        .execute(&mut *db)
        .await?;
    sqlx::query("INSERT INTO log.checkpoint_key VALUES ($1) ON CONFLICT DO NOTHING")
        .bind(signer.public().to_verifier_key(&name))
        .execute(&mut *db)
        .await?;
    let columns: LeafColumns = changes.into_iter().collect();
    sqlx::query(
        "INSERT INTO log.checkpoint_leaf (clinic, ledger, checkpoint, size, root, charts)
         SELECT l.clinic, l.ledger, $1, l.size, l.root, l.charts
         FROM unnest($2::uuid[], $3::smallint[], $4::bigint[], $5::bytea[], $6::bytea[])
              AS l(clinic, ledger, size, root, charts)",
    )
    .bind(checkpoint.number)
    .bind(columns.clinics)
    .bind(columns.ledgers)
    .bind(columns.sizes)
    .bind(columns.roots)
    .bind(columns.charts)
    .execute(&mut *db)
    .await?;
    Ok(())
}
