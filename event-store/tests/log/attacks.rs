//! What somebody with all rights over the database can do, and what the auditor says to it.

use std::fs;

use event_store::{Verdict, checkpoint::Made};
use events::{ClinicId, Ledger};
use sqlx::{AssertSqlSafe, PgPool};

use crate::{
    checkpoints::{Signed, fingerprint},
    world::{clinic, new_patient, registers},
};

/// Tables of which an old copy is put back.
const TABLES: [&str; 10] = [
    "event",
    "head",
    "checkpoint",
    "checkpoint_leaf",
    "checkpoint_key",
    "tree",
    "tree_node",
    "chart",
    "chart_bucket",
    "verified",
];

async fn run(superuser: &PgPool, statement: impl Into<String>) {
    sqlx::query(AssertSqlSafe(statement.into())).execute(superuser).await.unwrap();
}

/// A clinic with 9 events, signed at 3, 6 and 8, and somebody who owns the database.
async fn given() -> (Signed, ClinicId) {
    let signed = Signed::new().await;
    let store = signed.world.store();
    let clinic = clinic(&store).await;
    for position in 2..=9 {
        store.append(registers(clinic, new_patient())).await.unwrap();
        if [3, 6, 8].contains(&position) {
            signed.sign().await;
        }
    }
    assert_eq!(signed.verdict(clinic).await, Verdict::Intact { up_to: 8, not_yet_anchored: 1 });
    own(&signed).await;
    (signed, clinic)
}

/// Takes the guards away.
async fn own(signed: &Signed) {
    for table in TABLES {
        run(&signed.world.superuser, format!("ALTER TABLE log.{table} DISABLE TRIGGER ALL")).await;
    }
}

/// Computes all hashes from a position on again, and the head's, exactly as the program does.
async fn rechain(superuser: &PgPool, from: i64) {
    let last: i64 = sqlx::query_scalar("SELECT max(position) FROM log.event").fetch_one(superuser).await.unwrap();
    for position in from..=last {
        let rechain = "UPDATE log.event e SET previous_hash = p.hash, payload_hash = sha256(e.payload)
                       FROM log.event p WHERE e.position = $1 AND p.position = $1 - 1";
        sqlx::query(rechain).bind(position).execute(superuser).await.unwrap();
        let rehash =
            "UPDATE log.event e SET hash = log.chain_hash(e.previous_hash, log.row_hash(e)) WHERE position = $1";
        sqlx::query(rehash).bind(position).execute(superuser).await.unwrap();
    }
    run(
        superuser,
        "UPDATE log.head h SET position = e.position, hash = e.hash FROM log.event e
                    WHERE h.ledger = 1 AND e.position = (SELECT max(position) FROM log.event)",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_a_swapped_and_an_inserted_row_are_found_at_their_position() {
    let (signed, clinic) = given().await;
    let superuser = &signed.world.superuser;
    run(superuser, "CREATE TABLE saved AS SELECT * FROM log.event").await;
    let swap = [
        "UPDATE log.event SET position = 116 - position WHERE position IN (7, 9)",
        "UPDATE log.event SET position = position - 100 WHERE position > 100",
    ];
    for (attack, expected) in [
        (&["DELETE FROM log.event WHERE position = 5"][..], Verdict::GapAt { position: 5 }),
        (&["DELETE FROM log.event WHERE position IN (1, 5)"], Verdict::GapAt { position: 1 }),
        (&swap, Verdict::AlteredAt { position: 7 }),
    ] {
        for statement in attack {
            run(superuser, *statement).await;
        }
        assert_eq!(signed.verdict(clinic).await, expected, "{attack:?}");
        run(superuser, "DELETE FROM log.event").await;
        run(superuser, "INSERT INTO log.event SELECT * FROM saved").await;
    }
    // One more between two others, and those after it moved on.
    run(superuser, "DROP INDEX log.event_stream, log.event_chart").await;
    run(superuser, "UPDATE log.event SET position = position + 101 WHERE position >= 5").await;
    run(superuser, "UPDATE log.event SET position = position - 100 WHERE position > 100").await;
    run(superuser, "CREATE TABLE one AS SELECT * FROM log.event WHERE position = 4").await;
    run(superuser, "UPDATE one SET position = 5").await;
    run(superuser, "INSERT INTO log.event SELECT * FROM one").await;
    assert_eq!(signed.verdict(clinic).await, Verdict::AlteredAt { position: 5 });
    rechain(superuser, 5).await;
    assert_eq!(signed.verdict(clinic).await, Verdict::AlteredBetween { after: 3, up_to: 6 });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_rewritten_with_a_right_chain_is_found_between_two_anchors() {
    let (signed, clinic) = given().await;
    let superuser = &signed.world.superuser;
    let change = |position| format!("UPDATE log.event SET actor_name = 'ravi' || position WHERE position = {position}");
    run(superuser, change(9)).await;
    rechain(superuser, 9).await;
    let not_covered = Verdict::Intact { up_to: 8, not_yet_anchored: 1 };
    assert_eq!(signed.verdict(clinic).await, not_covered, "what lies after the last anchor is held by the chain alone");
    run(superuser, change(7)).await;
    rechain(superuser, 7).await;
    assert_eq!(signed.verdict(clinic).await, Verdict::AlteredBetween { after: 6, up_to: 8 });
    run(superuser, change(2)).await;
    rechain(superuser, 2).await;
    assert_eq!(signed.verdict(clinic).await, Verdict::AlteredBetween { after: 0, up_to: 3 });
    assert!(signed.world.store().verify(clinic, Ledger::Record).await.unwrap().is_intact(), "the chain alone is right");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_that_was_cut_off_with_its_head_is_found() {
    let (signed, clinic) = given().await;
    let superuser = &signed.world.superuser;
    for last in [7, 6, 1] {
        run(superuser, format!("DELETE FROM log.event WHERE position > {last}")).await;
        rechain(superuser, 100).await;
        assert_eq!(signed.verdict(clinic).await, Verdict::CutOffAfter { position: last });
        assert!(signed.world.store().verify(clinic, Ledger::Record).await.unwrap().is_intact(), "the chain is right");
    }
    run(superuser, "DELETE FROM log.event").await;
    run(superuser, "DELETE FROM log.head").await;
    assert_eq!(signed.verdict(clinic).await, Verdict::CutOffAfter { position: 0 });
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_copy_that_was_put_back_is_found_and_nothing_is_signed_on_top_of_it() {
    let (signed, clinic) = given().await;
    let superuser = &signed.world.superuser;
    for table in TABLES {
        run(superuser, format!("CREATE TABLE old_{table} AS SELECT * FROM log.{table}")).await;
    }
    for _ in 0..2 {
        signed.world.store().append(registers(clinic, new_patient())).await.unwrap();
        signed.sign().await;
    }
    assert_eq!(signed.verdict(clinic).await, Verdict::Intact { up_to: 11, not_yet_anchored: 0 });
    for table in TABLES {
        run(superuser, format!("DELETE FROM log.{table}")).await;
        run(superuser, format!("INSERT INTO log.{table} SELECT * FROM old_{table}")).await;
    }
    for whole in [true, false] {
        let report = signed.auditor().verify(clinic, &fingerprint(1), whole).await.unwrap();
        assert_eq!(report.wrong, Some(Verdict::CheckpointMissing { number: 4 }));
        assert_eq!(report.ledgers[0].verdict, Verdict::CutOffAfter { position: 9 });
    }
    assert!(signed.checkpointer(&[1]).checkpoint().await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_verified_before_is_not_believed_where_it_is_not_what_was_signed() {
    let (signed, clinic) = given().await;
    let superuser = &signed.world.superuser;
    let verify = async || signed.auditor().verify(clinic, &fingerprint(1), false).await.unwrap().ledgers[0];
    assert_eq!(verify().await.verified_before, 8);
    // Somebody rewrites everything and says that it was verified so.
    run(superuser, "UPDATE log.event SET actor_name = 'ravi' WHERE position = 2").await;
    rechain(superuser, 2).await;
    run(superuser, "UPDATE log.verified v SET hash = e.hash FROM log.event e WHERE e.position = v.size").await;
    run(superuser, "UPDATE log.verified SET edge = decode(repeat('11', octet_length(edge)), 'hex')").await;
    assert_eq!(verify().await.verdict, Verdict::AlteredBetween { after: 0, up_to: 3 });
}

#[tokio::test(flavor = "multi_thread")]
async fn checkpoints_under_another_key_are_worth_nothing() {
    let (signed, clinic) = given().await;
    let superuser = &signed.world.superuser;
    let wrong = async || signed.auditor().verify(clinic, &fingerprint(1), true).await.unwrap().wrong;
    // Everything is rewritten, and signed by a key of the attacker's, in the database.
    run(superuser, "UPDATE log.event SET actor_name = 'ravi' WHERE position = 2").await;
    rechain(superuser, 2).await;
    for table in &TABLES[2..] {
        run(superuser, format!("DELETE FROM log.{table}")).await;
    }
    let elsewhere = tempfile::tempdir().unwrap();
    let mut forger = signed.checkpointer(&[6]);
    forger.anchors = event_store::checkpoint::Anchors::at(elsewhere.path());
    assert!(matches!(forger.checkpoint().await.unwrap(), Made::Checkpoint { number: 1, .. }));
    assert_eq!(wrong().await, Some(Verdict::CheckpointDiffers { number: 1 }));
    // The anchors are replaced as well: only the key that is known from elsewhere tells.
    for file in fs::read_dir(signed.folder.path()).unwrap() {
        fs::remove_file(file.unwrap().path()).unwrap();
    }
    for file in fs::read_dir(elsewhere.path()).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), signed.folder.path().join(file.file_name())).unwrap();
    }
    assert_eq!(wrong().await, Some(Verdict::CheckpointUntrusted { number: 1 }));
    let believed = signed.auditor().verify(clinic, &fingerprint(6), true).await.unwrap();
    assert!(believed.is_intact(), "whoever believes the attacker's key believes the attacker: {believed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn checkpoints_and_anchors_that_are_missing_or_changed_are_named() {
    let (signed, clinic) = given().await;
    let superuser = &signed.world.superuser;
    let wrong = async || signed.auditor().verify(clinic, &fingerprint(1), true).await.unwrap().wrong;
    let second = signed.folder.path().join("0000000002.checkpoint");
    let kept = fs::read_to_string(&second).unwrap();
    fs::remove_file(&second).unwrap();
    assert_eq!(wrong().await, Some(Verdict::CheckpointMissing { number: 2 }));
    fs::write(&second, kept.replace("number 2", "number 4")).unwrap();
    assert_eq!(wrong().await, Some(Verdict::CheckpointDiffers { number: 2 }));
    fs::write(&second, [0xff, 0xfe]).unwrap();
    assert_eq!(wrong().await, Some(Verdict::CheckpointDiffers { number: 2 }));
    fs::write(&second, &kept).unwrap();
    assert_eq!(wrong().await, None);
    run(superuser, "UPDATE log.checkpoint_leaf SET size = size - 1 WHERE checkpoint = 2").await;
    assert_eq!(wrong().await, Some(Verdict::CheckpointDiffers { number: 2 }));
    run(superuser, "UPDATE log.checkpoint_leaf SET size = size + 1 WHERE checkpoint = 2").await;
    run(superuser, "DELETE FROM log.checkpoint_leaf WHERE checkpoint = 3").await;
    run(superuser, "DELETE FROM log.checkpoint WHERE number = 3").await;
    assert_eq!(wrong().await, Some(Verdict::CheckpointMissing { number: 3 }));
    assert_eq!(
        signed.verdict(clinic).await,
        Verdict::Intact { up_to: 8, not_yet_anchored: 1 },
        "the anchor still counts"
    );
}
