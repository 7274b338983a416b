//! Checkpoints: made while the log grows, by processes that are killed, under keys that are replaced.

use std::{sync::Arc, time::Duration};

use event_store::{
    DbRole, Verdict,
    checkpoint::{AnchorError, Anchors, Auditor, CheckpointError, Checkpointer, Keys, Made},
};
use events::{ClinicId, Ledger};
use proof::{
    checkpoint::{ledger_leaf_hash, of_note},
    merkle::{leaf_hash, verify_consistency, verify_inclusion},
    note::SigningKey,
};
use tempfile::TempDir;

use crate::world::{World, append, clinic, new_patient, no_allergies, registers};

/// A log with a folder for anchors and a key.
pub struct Signed {
    pub world: World,
    pub folder: TempDir,
}

pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32]).unwrap()
}

pub fn fingerprint(seed: u8) -> String {
    key(seed).public().fingerprint()
}

fn keys(seeds: &'static [u8]) -> Keys {
    Arc::new(move || Ok(seeds.iter().map(|seed| key(*seed)).collect()))
}

impl Signed {
    pub async fn new() -> Self {
        Self { world: World::new().await, folder: tempfile::tempdir().unwrap() }
    }

    pub fn anchors(&self) -> Anchors {
        Anchors::at(self.folder.path())
    }

    pub fn checkpointer(&self, seeds: &'static [u8]) -> Checkpointer {
        let pool = DbRole::Auditor.pool(self.world.options.clone(), 2);
        Checkpointer { pool, keys: keys(seeds), anchors: self.anchors(), nats: None }
    }

    pub fn auditor(&self) -> Auditor {
        Auditor { store: self.world.store_as(DbRole::Auditor), anchors: Some(self.anchors()) }
    }

    /// Signs all there is.
    pub async fn sign(&self) -> i64 {
        match self.checkpointer(&[1]).checkpoint().await.unwrap() {
            Made::Checkpoint { number, is_everything: true } => number,
            other => panic!("{other:?}"),
        }
    }

    /// What is found from the first row on, of the record.
    pub async fn verdict(&self, clinic: ClinicId) -> Verdict {
        self.auditor().verify(clinic, &fingerprint(1), true).await.unwrap().ledgers[0].verdict
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_honest_ledger_raises_no_alarm_while_it_grows() {
    let signed = Signed::new().await;
    let store = signed.world.store();
    let clinics = [clinic(&store).await, clinic(&store).await];
    signed.sign().await;
    let writer = tokio::spawn(async move {
        for n in 0..300 {
            store.append(registers(clinics[n % 2], new_patient())).await.unwrap();
        }
    });
    let (checkpointer, auditor) = (signed.checkpointer(&[1]), signed.auditor());
    let mut verified = 0;
    while !writer.is_finished() || verified < 3 {
        checkpointer.checkpoint().await.unwrap();
        for whole in [false, true] {
            let report = auditor.verify(clinics[verified % 2], &fingerprint(1), whole).await.unwrap();
            assert!(report.is_intact(), "{report:?}");
        }
        verified += 1;
    }
    writer.await.unwrap();
    checkpointer.checkpoint().await.unwrap();
    for clinic in clinics {
        let intact = Verdict::Intact { up_to: 151, not_yet_anchored: 0 };
        let went_on = auditor.verify(clinic, &fingerprint(1), false).await.unwrap();
        assert_eq!(went_on.ledgers[0].verdict, intact);
        assert!(went_on.ledgers[0].verified_before > 0, "it does not begin anew: {went_on:?}");
        assert_eq!(signed.verdict(clinic).await, intact);
    }
    assert_eq!(checkpointer.checkpoint().await.unwrap(), Made::NothingNew);
    signed.world.assert_intact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_yet_signed_is_named() {
    let signed = Signed::new().await;
    let store = signed.world.store();
    let clinic = clinic(&store).await;
    assert_eq!(signed.verdict(clinic).await, Verdict::Intact { up_to: 0, not_yet_anchored: 1 });
    signed.sign().await;
    store.append(registers(clinic, new_patient())).await.unwrap();
    assert_eq!(signed.verdict(clinic).await, Verdict::Intact { up_to: 1, not_yet_anchored: 1 });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_at_any_moment_leaves_no_fork() {
    let signed = Signed::new().await;
    let store = signed.world.store();
    let clinic = clinic(&store).await;
    for n in 0..60_u64 {
        store.append(registers(clinic, new_patient())).await.unwrap();
        let checkpointer = signed.checkpointer(&[1]);
        let cut = tokio::spawn(async move { checkpointer.checkpoint().await });
        tokio::time::sleep(Duration::from_micros(n * 400)).await;
        cut.abort();
        let _ = cut.await;
    }
    // Committed, and killed before it was anchored.
    store.append(registers(clinic, new_patient())).await.unwrap();
    let wait = async || loop {
        match signed.checkpointer(&[1]).checkpoint().await.unwrap() {
            // The server has not yet seen that the last connection is gone.
            Made::Elsewhere => tokio::time::sleep(Duration::from_millis(10)).await,
            made => return made,
        }
    };
    let Made::Checkpoint { number, .. } = wait().await else { panic!("there is something to sign") };
    assert!(number > 1);
    let last = signed.folder.path().join(format!("{number:010}.checkpoint"));
    let before = std::fs::read_to_string(&last).unwrap();
    std::fs::remove_file(&last).unwrap();
    assert_eq!(wait().await, Made::NothingNew);
    assert_eq!(std::fs::read_to_string(&last).unwrap(), before, "what was signed is what is anchored");
    assert_eq!(signed.anchors().highest().unwrap(), number);
    let report = signed.auditor().verify(clinic, &fingerprint(1), true).await.unwrap();
    assert!(report.is_intact() && report.checkpoint == number, "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_processes_make_one_checkpoint_at_a_time() {
    let signed = Signed::new().await;
    let store = signed.world.store();
    let clinic = clinic(&store).await;
    let makers: Vec<_> = (0..8)
        .map(|_| {
            let (checkpointer, store) = (signed.checkpointer(&[1]), store.clone());
            tokio::spawn(async move {
                for _ in 0..5 {
                    store.append(registers(clinic, new_patient())).await.unwrap();
                    checkpointer.checkpoint().await.unwrap();
                }
            })
        })
        .collect();
    for maker in makers {
        maker.await.unwrap();
    }
    let report = signed.auditor().verify(clinic, &fingerprint(1), true).await.unwrap();
    assert!(report.is_intact() && report.checkpoint > 0, "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_hands_on_to_the_next_and_both_verify_everything() {
    let signed = Signed::new().await;
    let store = signed.world.store();
    let clinic = clinic(&store).await;
    signed.sign().await;
    let old = signed.checkpointer(&[1]);
    assert!(matches!(old.hand_on(key(2).public()).await.unwrap(), Made::Checkpoint { number: 2, .. }));
    assert!(matches!(old.checkpoint().await, Err(CheckpointError::NoKey)), "the old key signs no more");
    let new = signed.checkpointer(&[1, 2]);
    assert_eq!(new.public_key().await.unwrap(), Some(key(2).public()));
    assert!(matches!(new.checkpoint().await.unwrap(), Made::Checkpoint { number: 3, .. }), "though nothing is new");
    assert_eq!(new.checkpoint().await.unwrap(), Made::NothingNew);
    for (seed, whole) in [(1, true), (1, false), (2, true), (2, false)] {
        let report = signed.auditor().verify(clinic, &fingerprint(seed), whole).await.unwrap();
        assert!(report.is_intact() && report.checkpoint == 3, "{seed}: {report:?}");
    }
    let unknown = signed.auditor().verify(clinic, &fingerprint(3), true).await.unwrap();
    assert_eq!(unknown.wrong, Some(Verdict::CheckpointUntrusted { number: 3 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_position_is_proved() {
    let signed = Signed::new().await;
    let store = signed.world.store();
    let clinic = clinic(&store).await;
    let patient = new_patient();
    store.append(registers(clinic, patient)).await.unwrap();
    let many = |count| append(clinic, std::iter::repeat_with(|| (patient.into(), no_allergies())).take(count));
    store.append(many(300)).await.unwrap();
    signed.sign().await;
    store.append(many(340)).await.unwrap();
    signed.sign().await;
    let auditor = signed.auditor();
    let rows = store.read_rows(clinic, Ledger::Record, 0, 1_000).await.unwrap();
    assert_eq!(rows.len(), 642);
    let wanted = rows.iter().filter(|row| row.position % 23 == 0 || [1, 302, 303, 512, 642].contains(&row.position));
    for row in wanted {
        let proof = auditor.prove(clinic, Ledger::Record, row.position).await.unwrap().unwrap();
        let (index, size) = ((row.position - 1) as u64, proof.leaf.size as u64);
        assert_eq!((proof.hash, proof.leaf.size), (row.hash, if row.position <= 302 { 302 } else { 642 }));
        let (leaf, root) = (ledger_leaf_hash(&row.hash), &proof.leaf.root);
        assert!(verify_inclusion(&leaf, index, size, &proof.inclusion, root), "{}", row.position);
        assert_eq!(auditor.inclusion(&proof.leaf, row.position).await.unwrap(), Some(proof.inclusion.clone()));
        let then = &proof.root_then;
        assert!(verify_consistency(index + 1, then, size, root, &proof.consistency), "{}", row.position);
    }
    assert!(auditor.prove(clinic, Ledger::Record, 643).await.unwrap().is_none());
    assert!(auditor.prove(clinic, Ledger::Record, 0).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_checkpoint_is_listed_with_proofs_of_its_leaves() {
    let signed = Signed::new().await;
    let store = signed.world.store();
    let clinics = [clinic(&store).await, clinic(&store).await, clinic(&store).await];
    for clinic in clinics {
        store.append(registers(clinic, new_patient())).await.unwrap();
        signed.sign().await;
    }
    let auditor = signed.auditor();
    for after in [0, 2] {
        let listed = auditor.listed(clinics[0], after, 10).await.unwrap();
        assert_eq!(listed.iter().map(|one| one.number).collect::<Vec<_>>(), (after + 1..=3).collect::<Vec<_>>());
        for one in listed {
            let (_, checkpoint) = of_note(&one.note).unwrap();
            let [of_record] = &one.ledgers[..] else { panic!("{one:?}") };
            let hash = leaf_hash(&of_record.leaf.data());
            let (index, leaves) = (of_record.index as u64, checkpoint.leaves);
            assert!(verify_inclusion(&hash, index, leaves, &of_record.proof, &checkpoint.root));
            assert_eq!(of_record.leaf.size, 2);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn charts_are_signed_as_they_are_counted() {
    use proof::charts::{BUCKETS, bucket_of, bucket_tree, chart_leaf_hash, charts_tree};
    let signed = Signed::new().await;
    let store = signed.world.store();
    let clinic = clinic(&store).await;
    for n in 0..40 {
        let patient = new_patient();
        store.append(registers(clinic, patient)).await.unwrap();
        if n % 3 == 0 {
            signed.checkpointer(&[1]).checkpoint().await.unwrap();
            store.append(append(clinic, [(patient.into(), no_allergies())])).await.unwrap();
        }
    }
    signed.sign().await;
    let mut counts = std::collections::BTreeMap::new();
    for row in store.read_rows(clinic, Ledger::Record, 0, 1_000).await.unwrap() {
        let Some((patient, version)) = row.patient.zip(row.patient_version) else { continue };
        counts.insert(patient, version);
    }
    let roots: [_; BUCKETS] = std::array::from_fn(|bucket| {
        let own = counts.iter().filter(|(patient, _)| usize::from(bucket_of(**patient)) == bucket);
        bucket_tree(own.map(|(patient, count)| (*patient, *count))).root()
    });
    let last = signed.auditor().last_checkpoint().await.unwrap();
    let listed = signed.auditor().listed(clinic, last - 1, 1).await.unwrap();
    let signed_root = charts_tree(&roots).root();
    assert_eq!(listed[0].ledgers[0].leaf.charts, Some(signed_root));
    for (patient, count) in counts {
        let proof = signed.auditor().chart(clinic, patient).await.unwrap().unwrap();
        let (leaf, size) = (chart_leaf_hash(patient, count), proof.bucket_size as u64);
        assert_eq!((proof.count, proof.charts), (count, signed_root));
        assert!(verify_inclusion(&leaf, proof.index as u64, size, &proof.path, &proof.bucket_root));
        let (leaf, bucket) = (leaf_hash(&proof.bucket_root), bucket_of(patient).into());
        assert!(verify_inclusion(&leaf, bucket, BUCKETS as u64, &proof.bucket_path, &signed_root));
    }
    assert_eq!(signed.auditor().chart(clinic, new_patient()).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_signed_on_top_of_a_ledger_that_does_not_continue() {
    let signed = Signed::new().await;
    let store = signed.world.store();
    let (victim, other) = (clinic(&store).await, clinic(&store).await);
    store.append(registers(victim, new_patient())).await.unwrap();
    signed.sign().await;
    let superuser = &signed.world.superuser;
    for change in [
        "ALTER TABLE log.event DISABLE TRIGGER ALL",
        "DELETE FROM log.event e USING log.head h WHERE e.clinic = h.clinic AND e.position = 2",
        "UPDATE log.head h SET position = 1, hash = e.hash FROM log.event e
         WHERE e.clinic = h.clinic AND e.ledger = h.ledger AND e.position = 1 AND h.position = 2",
    ] {
        sqlx::query(change).execute(superuser).await.unwrap();
    }
    let store = signed.world.store();
    store.append(registers(other, new_patient())).await.unwrap();
    assert_eq!(signed.sign().await, 2, "another clinic's goes on");
    for _ in 0..3 {
        store.append(registers(victim, new_patient())).await.unwrap();
    }
    assert_eq!(signed.checkpointer(&[1]).checkpoint().await.unwrap(), Made::NothingNew);
    assert_eq!(signed.verdict(victim).await, Verdict::AlteredBetween { after: 0, up_to: 2 });
    assert!(signed.verdict(other).await.is_intact());
}

#[tokio::test(flavor = "multi_thread")]
async fn anchors_that_are_ahead_stop_the_signing() {
    let signed = Signed::new().await;
    let store = signed.world.store();
    clinic(&store).await;
    signed.sign().await;
    signed.anchors().write(2, "of another database").unwrap();
    clinic(&store).await;
    let refused = signed.checkpointer(&[1]).checkpoint().await;
    assert!(matches!(refused, Err(CheckpointError::Anchor(AnchorError::Ahead(2)))), "{refused:?}");
}
