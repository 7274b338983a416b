//! The export bundle: what a clinic recorded, in a form that proves itself without this program
//! (`docs/verification.md`).
//!
//! A bundle is made in a temporary file, so that its hash is in the access ledger before its first byte is sent.
//! Memory does not grow with it: rows are read, told and packed a page at a time.

mod index;
mod ledgers;
mod pack;
mod person;
mod sight;

use std::{fs::File, io, sync::Arc};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use event_store::{Store, StoreError, checkpoint::Signed};
use events::{ClinicId, Ledger, PatientId, Position};
use proof::{
    bundle::{Extent, FORMAT, Hex32, KeyEntry, Keys, Kind, Manifest, files},
    row::{Hash, sha256},
};
use service_kit::{AsOf, Problem};
use uuid::Uuid;

pub use self::sight::{Everything, Sight, Sights};
use self::{index::Index, pack::Pack};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Both ledgers of the clinic, whole.
    Clinic,
    /// Of each ledger the positions from the first to the second, both included.
    Range { record: (Position, Position), access: (Position, Position) },
    /// The chart of one person, by all ids of the person.
    Person(Vec<PatientId>),
}

/// Where bundles are made from.
#[derive(Clone)]
pub struct Exporter {
    pub store: Store,
    pub signed: Signed,
}

/// Whose bundle it is.
pub struct Of {
    pub clinic: ClinicId,
    pub slug: String,
}

/// A bundle, ready to be sent.
#[derive(Debug)]
pub struct Bundle {
    /// At its beginning; it has no name any more.
    pub file: File,
    pub bytes: u64,
    pub sha256: Hash,
    /// Rows that it shows or stands for.
    pub rows: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The first checkpoint that knows of the clinic is made within a minute of its first event.
    #[error("nothing of this clinic has been signed yet")]
    NotSignedYet,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("checkpoints cannot be read: {0}")]
    Signed(#[from] sqlx::Error),
    #[error("the bundle cannot be written: {0}")]
    Io(#[from] io::Error),
    /// What a reader may see cannot be asked, or the login ended meanwhile.
    #[error("what the reader may see is not known")]
    Sight(Problem),
}

/// What is known when a bundle is begun.
struct Begun {
    made_at: DateTime<Utc>,
    installation: Uuid,
    /// The last checkpoint not younger than `made_at`.
    last_checkpoint: i64,
    heads: [Position; 2],
}

impl Exporter {
    /// Makes a bundle. What is committed or signed meanwhile is not in it.
    pub async fn export(&self, of: &Of, what: &What, sights: Arc<dyn Sights>) -> Result<Bundle, ExportError> {
        let begun = self.begin(of.clinic).await?;
        let (mut pack, mut index) = (Pack::new()?, Index::new(of, what, &begun)?);
        let [record, access] = match what {
            What::Clinic => {
                let ranges = begun.heads.map(|head| (1, head));
                self.ledgers(of.clinic, ranges, &mut pack, &mut index, &*sights).await?
            }
            What::Range { record, access } => {
                let ranges = self.up_to_checkpoints(of.clinic, [*record, *access], &begun).await?;
                self.ledgers(of.clinic, ranges, &mut pack, &mut index, &*sights).await?
            }
            What::Person(patients) => self.person(of.clinic, patients, &begun, &mut pack, &mut index, &*sights).await?,
        };
        self.checkpoints(of.clinic, what, &begun, &mut pack).await?;
        pack.begin(files::KEYS)?;
        pack.write(&serde_json::to_vec(&self.keys().await?).map_err(io::Error::from)?)?;
        pack.begin(files::INDEX)?;
        index.write_to(&mut pack)?;
        let rows = record.rows + access.rows;
        let manifest = manifest(of, what, &begun, [record, access]);
        let (file, bytes, sha256) = pack.finish(manifest)?;
        Ok(Bundle { file, bytes, sha256, rows })
    }

    /// From one moment up to another, of both ledgers; `None` where nothing was recorded in between. A position is one
    /// of the record: the access ledger is cut by when that was recorded.
    pub async fn stretch(
        &self,
        clinic: ClinicId,
        from: Option<AsOf>,
        to: Option<AsOf>,
    ) -> Result<Option<What>, ExportError> {
        let mut ends = [(1, 0); 2];
        for (ledger, ends) in LEDGERS.into_iter().zip(&mut ends) {
            let head = self.store.head(clinic, ledger).await?.position;
            let first = match from {
                Some(from) => self.first(clinic, ledger, from).await?.clamp(1, head + 1),
                None => 1,
            };
            let last = match to {
                Some(to) => self.last(clinic, ledger, to).await?.clamp(0, head),
                None => head,
            };
            *ends = (first, last.max(first - 1));
        }
        let [record, access] = ends;
        Ok((record.0 <= record.1).then_some(What::Range { record, access }))
    }

    /// The first position that was recorded at that moment or later.
    async fn first(&self, clinic: ClinicId, ledger: Ledger, from: AsOf) -> Result<Position, ExportError> {
        match self.instant(clinic, ledger, from).await? {
            Ok(position) => Ok(position),
            Err(instant) => Ok(self.store.position_before(clinic, ledger, instant).await? + 1),
        }
    }

    /// The last position that was recorded at that moment or before.
    async fn last(&self, clinic: ClinicId, ledger: Ledger, to: AsOf) -> Result<Position, ExportError> {
        match self.instant(clinic, ledger, to).await? {
            Ok(position) => Ok(position),
            Err(instant) => Ok(self.store.position_before(clinic, ledger, instant + MICROSECOND).await?),
        }
    }

    /// The position, where it is one of that ledger; else the instant.
    async fn instant(
        &self,
        clinic: ClinicId,
        ledger: Ledger,
        at: AsOf,
    ) -> Result<Result<Position, DateTime<Utc>>, ExportError> {
        match at {
            AsOf::Instant(instant) => Ok(Err(instant)),
            AsOf::Position(position) if ledger == Ledger::Record => Ok(Ok(position)),
            AsOf::Position(position) => {
                let row = self.store.read_rows(clinic, Ledger::Record, position.saturating_sub(1), 1).await?;
                Ok(Err(row.first().map_or(DateTime::<Utc>::MAX_UTC - MICROSECOND, |row| row.recorded_at)))
            }
        }
    }

    /// Heads are read after the time is taken, and checkpoints after them: so no honest bundle lacks a row that an
    /// anchor of an earlier time has.
    async fn begin(&self, clinic: ClinicId) -> Result<Begun, ExportError> {
        let made_at = Utc::now().trunc_subsecs(6);
        let record = self.store.head(clinic, Ledger::Record).await?.position;
        let access = self.store.head(clinic, Ledger::Access).await?.position;
        let last = self.signed.last(clinic, made_at).await?.ok_or(ExportError::NotSignedYet)?;
        Ok(Begun { made_at, installation: last.installation, last_checkpoint: last.number, heads: [record, access] })
    }

    /// Where a range ends between two checkpoints, rows up to the next one follow as hashes, so that all of it is
    /// covered by what was signed.
    async fn up_to_checkpoints(
        &self,
        clinic: ClinicId,
        asked: [(Position, Position); 2],
        begun: &Begun,
    ) -> Result<[(Position, Position); 2], ExportError> {
        let mut ranges = asked;
        for (ledger, (range, head)) in LEDGERS.into_iter().zip(ranges.iter_mut().zip(begun.heads)) {
            let covered = self.signed.next_size(clinic, ledger, range.1, begun.last_checkpoint).await?;
            range.1 = covered.unwrap_or(range.1).min(head).max(range.1);
        }
        Ok(ranges)
    }

    async fn checkpoints(
        &self,
        clinic: ClinicId,
        what: &What,
        begun: &Begun,
        pack: &mut Pack,
    ) -> Result<(), ExportError> {
        pack.begin(files::CHECKPOINTS)?;
        let mut history = self.signed.history(clinic, begun.last_checkpoint);
        while let Some(page) = history.next().await? {
            for (line, hands_on) in page {
                // A chart comes with those in which a key names the next, and the last.
                let is_needed = !matches!(what, What::Person(_)) || hands_on || line.number == begun.last_checkpoint;
                if is_needed {
                    pack.line(&line)?;
                }
            }
        }
        Ok(())
    }

    async fn keys(&self) -> Result<Keys, ExportError> {
        let keys = self.signed.keys().await?.into_iter();
        let entry =
            |key: proof::note::PublicKey| KeyEntry { public_key: key.0.to_vec(), fingerprint: Hex32(sha256(&key.0)) };
        Ok(Keys { keys: keys.map(entry).collect() })
    }
}

const MICROSECOND: TimeDelta = TimeDelta::microseconds(1);
const LEDGERS: [Ledger; 2] = [Ledger::Record, Ledger::Access];

fn manifest(of: &Of, what: &What, begun: &Begun, [record, access]: [Extent; 2]) -> Manifest {
    let (kind, patients) = match what {
        What::Clinic => (Kind::Clinic, Vec::new()),
        What::Range { .. } => (Kind::Range, Vec::new()),
        What::Person(patients) => (Kind::Patient, patients.iter().map(|patient| patient.0).collect()),
    };
    Manifest {
        format: FORMAT.to_owned(),
        kind,
        installation: begun.installation,
        clinic: of.clinic.0,
        slug: of.slug.clone(),
        patients,
        made_at: begun.made_at,
        record,
        access,
        last_checkpoint: Some(begun.last_checkpoint),
        files: Vec::new(),
    }
}
