//! The verdict over a clinic: the checkpoints first, then its ledgers along what they sign.

use std::collections::BTreeMap;

use events::{ClinicId, Ledger, Position};
use proof::{
    Verdict,
    checkpoint::{Leaf, Ledgers, of_note},
    note::{PublicKey, SigningKey},
    trust::{Trust, apply_changes, signed_changes},
    walk::{Anchored, Walk},
};
use tokio::task::spawn_blocking;

use super::{
    Anchors, CheckpointError, Keys,
    source::{Given, Source},
    stored::{LEDGERS, last, verifier_keys},
    verified::{self, Verified},
};
use crate::store::Store;

/// Verifies, and proves single positions. The store's role is the auditor's.
#[derive(Clone)]
pub struct Auditor {
    pub store: Store,
    /// What was anchored. Without it, the checkpoints of the database count, by their signatures.
    pub anchors: Option<Anchors>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The last checkpoint that was taken; 0: there is none.
    pub checkpoint: i64,
    /// What is wrong with the checkpoints themselves. The ledgers are then compared with those before it alone.
    pub wrong: Option<Verdict>,
    pub ledgers: Vec<LedgerReport>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerReport {
    pub ledger: Ledger,
    pub verdict: Verdict,
    /// Rows up to here were verified before, and were not read again.
    pub verified_before: Position,
}

impl Report {
    pub fn is_intact(&self) -> bool {
        self.wrong.is_none() && self.ledgers.iter().all(|ledger| ledger.verdict.is_intact())
    }
}

/// What the trusted checkpoints say of one clinic's ledgers.
#[derive(Default)]
struct Signed {
    /// The last checkpoint that was taken.
    last: i64,
    wrong: Option<Verdict>,
    /// The first that was anchored and is no longer in the database.
    lost: Option<i64>,
    /// In order, each with the checkpoint that signs it. One for each minute in which the ledger moved.
    sizes: BTreeMap<Ledger, Vec<(i64, Anchored)>>,
}

impl Auditor {
    /// Verifies both ledgers of a clinic. All that is trusted is the key of this fingerprint. Unless it is to be
    /// `whole`, rows and checkpoints that an earlier call has found intact are not read again.
    pub async fn verify(&self, clinic: ClinicId, fingerprint: &str, whole: bool) -> Result<Report, CheckpointError> {
        if !whole
            && let Some(before) = verified::load(&self.store.reads, clinic).await?
            && let Some(report) = self.go_on(clinic, fingerprint, &before).await?
        {
            return Ok(report);
        }
        let signed = self.checkpoints(clinic, fingerprint, 1).await?;
        let report = self.ledgers(clinic, signed, |_, _| Some((0, Walk::default()))).await?;
        Ok(report.expect("a walk from the first row on always begins"))
    }

    /// The fingerprint of the one of these keys that has signed the last checkpoint; of the first, where none has.
    pub async fn own_fingerprint(&self, keys: &Keys) -> Result<Option<String>, CheckpointError> {
        let keys: Vec<PublicKey> = keys()?.iter().map(SigningKey::public).collect();
        let last = last(&self.store.reads).await?;
        let signed = last.as_ref().and_then(|last| of_note(&last.note).ok());
        let signer = signed.and_then(|(note, checkpoint)| {
            let name = checkpoint.name();
            keys.iter().find(|key| note.is_signed_by(&name, key))
        });
        Ok(signer.or(keys.first()).map(PublicKey::fingerprint))
    }

    /// Every clinic that has a ledger, or had one when a checkpoint was made.
    pub async fn clinics(&self) -> Result<Vec<ClinicId>, CheckpointError> {
        let clinics = sqlx::query_scalar::<_, uuid::Uuid>(
            "SELECT clinic FROM log.head WHERE position > 0 UNION SELECT clinic FROM log.checkpoint_leaf ORDER BY 1",
        );
        Ok(clinics.fetch_all(&self.store.reads).await?.into_iter().map(ClinicId).collect())
    }

    /// From where an earlier verification ended; `None` where that is not what was signed.
    async fn go_on(
        &self,
        clinic: ClinicId,
        fingerprint: &str,
        before: &BTreeMap<Ledger, Verified>,
    ) -> Result<Option<Report>, CheckpointError> {
        let from = before.values().map(|verified| verified.checkpoint).min().unwrap_or(1).max(1);
        let signed = self.checkpoints(clinic, fingerprint, from).await?;
        if signed.wrong.is_some() {
            return Ok(None);
        }
        self.ledgers(clinic, signed, |ledger, sizes| {
            let Verified { checkpoint, matched } = before.get(&ledger)?;
            if matched.size() == 0 {
                return Some((0, Walk::default()));
            }
            let at = sizes.iter().position(|(number, _)| number == checkpoint)?;
            Some((at + 1, Walk::resume(sizes[at].1, matched.clone())?))
        })
        .await
    }

    /// Takes all checkpoints from a number on.
    async fn checkpoints(&self, clinic: ClinicId, fingerprint: &str, from: i64) -> Result<Signed, CheckpointError> {
        let source = Source::open(&self.store.reads, self.anchors.as_ref()).await?;
        let mut trust = Trust::new(fingerprint, self.keys().await?, from);
        let (mut signed, mut ledgers, mut next) = (Signed::default(), (from == 1).then(Ledgers::default), from);
        loop {
            let page = source.page(next).await?;
            if page.is_empty() {
                break;
            }
            next += page.len() as i64;
            for given in page {
                match given.and_then(|given| take(&mut trust, ledgers.as_mut(), given)) {
                    Ok(taken) => signed.add(clinic, &taken),
                    Err(wrong) => {
                        signed.wrong.get_or_insert(wrong);
                        return Ok(signed.trusted_by(&trust));
                    }
                }
            }
        }
        signed.wrong = signed.lost.map(|number| Verdict::CheckpointMissing { number });
        Ok(signed.trusted_by(&trust))
    }

    async fn keys(&self) -> Result<Vec<PublicKey>, CheckpointError> {
        let stored = verifier_keys(&self.store.reads).await?;
        let mut keys: Vec<_> =
            stored.iter().filter_map(|key| PublicKey::from_verifier_key(key)).map(|(_, key)| key).collect();
        if let Some(anchors) = self.anchors.clone() {
            keys.extend(spawn_blocking(move || anchors.keys()).await.expect("reading does not panic")?);
        }
        Ok(keys)
    }

    /// `begin` says with which of the signed sizes a ledger's walk begins, and how; `None` ends all of it.
    async fn ledgers(
        &self,
        clinic: ClinicId,
        mut signed: Signed,
        begin: impl Fn(Ledger, &[(i64, Anchored)]) -> Option<(usize, Walk)>,
    ) -> Result<Option<Report>, CheckpointError> {
        let mut begun = Vec::new();
        for ledger in LEDGERS {
            let sizes = signed.sizes.remove(&ledger).unwrap_or_default();
            let Some((skipped, mut walk)) = begin(ledger, &sizes) else { return Ok(None) };
            sizes[skipped..].iter().for_each(|(_, anchored)| walk.expect(*anchored));
            begun.push((ledger, walk, sizes));
        }
        let mut report = Report { checkpoint: signed.last, wrong: signed.wrong, ledgers: Vec::new() };
        let mut verified = Vec::new();
        for (ledger, mut walk, sizes) in begun {
            let verified_before = walk.position();
            let verdict = self.walk(clinic, ledger, &mut walk).await?;
            report.ledgers.push(LedgerReport { ledger, verdict, verified_before });
            let number = sizes.iter().rev().find(|(_, anchored)| anchored.size == walk.matched().size());
            let checkpoint = number.map_or(signed.last, |(number, _)| *number);
            verified.push((ledger, Verified { checkpoint, matched: walk.matched().clone() }));
        }
        if report.is_intact() {
            for (ledger, verified) in verified {
                verified::store(&self.store.reads, clinic, ledger, &verified).await?;
            }
        }
        Ok(Some(report))
    }

    async fn walk(&self, clinic: ClinicId, ledger: Ledger, walk: &mut Walk) -> Result<Verdict, CheckpointError> {
        let after = walk.position();
        let end = self.store.end(clinic, ledger).await?;
        let walked = self.store.walk_to(walk, clinic, ledger, end.position).await?;
        if let Err(verdict) = walked.and_then(|()| end.agrees(walk)) {
            return Ok(verdict);
        }
        let shown = match ledger {
            Ledger::Record => None,
            Ledger::Access => self.store.first_changed_list(clinic, after, end.position).await?,
        };
        Ok(shown.map_or_else(|| walk.end(), |position| Verdict::AlteredAt { position }))
    }
}

/// A checkpoint that is what it should be.
struct Taken {
    number: i64,
    changes: Vec<Leaf>,
    anchored_only: bool,
}

fn take(trust: &mut Trust, ledgers: Option<&mut Ledgers>, given: Given) -> Result<Taken, Verdict> {
    let checkpoint = trust.note(&given.note)?;
    let changes = match ledgers {
        Some(ledgers) => apply_changes(ledgers, &checkpoint, &given.changes)?,
        None => signed_changes(&checkpoint, &given.changes)?,
    };
    Ok(Taken { number: checkpoint.number, changes, anchored_only: given.anchored_only })
}

impl Signed {
    fn add(&mut self, clinic: ClinicId, Taken { number, changes, anchored_only }: &Taken) {
        self.last = *number;
        if *anchored_only {
            self.lost.get_or_insert(*number);
        }
        for Leaf { ledger, size, root, .. } in changes.iter().filter(|leaf| leaf.clinic == clinic) {
            self.sizes.entry(*ledger).or_default().push((*number, Anchored { size: *size, root: *root }));
        }
    }

    /// Nothing of it counts unless the known key has signed one of the checkpoints.
    fn trusted_by(mut self, trust: &Trust) -> Self {
        if let Err(untrusted) = trust.end() {
            self.wrong.get_or_insert(untrusted);
            self.sizes.clear();
        }
        self
    }
}
