//! Somebody who owns the database, and what the server's own verification says to it.

use std::collections::BTreeSet;

use async_nats::jetstream;
use event_store::checkpoint::{ANCHORS_STREAM, Anchors};
use futures::StreamExt;
use proof::checkpoint::{of_note, split_anchor};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Row};
use tests::{Answer, Stack, TestClinic};
use uuid::Uuid;

/// The row that is tampered with: a patient's, with a sealed part.
const VICTIM: i64 = 6;

struct Scene {
    stack: Stack,
    clinic: TestClinic,
}

impl Scene {
    /// A clinic with nine events, signed at 5 and 8, and a list that was shown.
    async fn set() -> Self {
        let stack = Stack::start().await;
        let clinic = TestClinic::register(&stack.client()).await;
        let scene = Self { stack, clinic };
        scene.grow_to(5).await;
        scene.stack.checkpoint().await;
        scene.grow_to(8).await;
        scene.stack.caught_up().await;
        scene.clinic.get("/patients").await.expect(200);
        scene.stack.checkpoint().await;
        scene.grow_to(9).await;
        for table in ["event", "access_patient"] {
            scene.run(&format!("ALTER TABLE log.{table} DISABLE TRIGGER ALL")).await;
        }
        scene
    }

    async fn grow_to(&self, position: i64) {
        while self.clinic.post("/patients", json!({"first_name": "Asha"})).await.expect(201).position() < position {}
    }

    /// `$clinic` stands for the clinic's id.
    async fn run(&self, statement: &str) -> u64 {
        let statement = statement.replace("$clinic", &format!("'{}'", self.clinic.id));
        sqlx::query(AssertSqlSafe(statement)).execute(self.stack.superuser()).await.unwrap().rows_affected()
    }

    async fn verify(&self) -> Answer {
        self.clinic.get("/audit/verify?whole=true").await.expect(200)
    }

    /// What is found of a ledger: 0 the record, 1 the access ledger.
    async fn verdict(&self, ledger: usize) -> Value {
        let found = self.verify().await.json();
        let mut found = found["ledgers"][ledger].clone();
        for other in ["sentence", "ledger", "verified_before"] {
            found.as_object_mut().unwrap().remove(other);
        }
        found
    }

    /// Computes all hashes of the record from a position on again, and the head's.
    async fn rechain(&self, from: i64) {
        let id: Uuid = self.clinic.id.parse().unwrap();
        let all = "SELECT position FROM log.event WHERE clinic = $1 AND ledger = 1 AND position >= $2 ORDER BY 1";
        let rows = sqlx::query(all).bind(id).bind(from).fetch_all(self.stack.superuser()).await.unwrap();
        for position in rows.iter().map(|row| row.get::<i64, _>(0)) {
            let of = "e.clinic = $clinic AND e.ledger = 1";
            self.run(&format!(
                "UPDATE log.event e SET previous_hash = p.hash FROM log.event p WHERE {of} AND e.position = {position}
                 AND p.clinic = e.clinic AND p.ledger = 1 AND p.position = {position} - 1"
            ))
            .await;
            let hash = "log.chain_hash(e.previous_hash, log.row_hash(e))";
            self.run(&format!("UPDATE log.event e SET hash = {hash} WHERE {of} AND e.position = {position}")).await;
        }
        self.run(
            "UPDATE log.head h SET position = e.position, hash = e.hash FROM log.event e
             WHERE h.clinic = $clinic AND h.ledger = 1 AND e.clinic = h.clinic AND e.ledger = 1 AND e.position =
                (SELECT max(position) FROM log.event WHERE clinic = $clinic AND ledger = 1)",
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_shown_by_the_trail_is_part_of_what_is_verified() {
    let scene = Scene::set().await;
    let trail = scene.clinic.get("/audit/trail").await.expect(200);
    assert!(trail.text.contains("Asha"), "it shows what changed in somebody's record");
    let shown = "SELECT count(*) FROM log.access_patient p JOIN log.event e ON e.clinic = p.clinic AND e.ledger = 2
        AND e.position = p.position WHERE e.event_type = 'AuditRead'";
    assert!(sqlx::query_scalar::<_, i64>(shown).fetch_one(scene.stack.superuser()).await.unwrap() > 0);
    assert_eq!(scene.verdict(1).await["verdict"], "intact");
    scene
        .run(
            "DELETE FROM log.access_patient p USING log.event e WHERE e.clinic = p.clinic AND e.ledger = 2
             AND e.position = p.position AND e.event_type = 'AuditRead'",
        )
        .await;
    assert_eq!(scene.verdict(1).await["verdict"], "altered_at");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_honest_clinic_is_intact_and_says_what_is_not_yet_anchored() {
    let scene = Scene::set().await;
    let found = scene.verify().await.json();
    assert_eq!(
        (&found["intact"], &found["checkpoints"], &found["checkpoint"]),
        (&json!(true), &Value::Null, &json!(2))
    );
    assert_eq!(scene.verdict(0).await, json!({"verdict": "intact", "up_to": 8, "not_yet_anchored": 1}));
    assert_eq!(
        found["ledgers"][0]["sentence"],
        "intact up to the last anchor at 8; 1 rows after it are not yet anchored"
    );
    assert_eq!(found["ledgers"][1]["verdict"], "intact");
    // From where it ended.
    let again = scene.clinic.get("/audit/verify").await.expect(200).json();
    assert_eq!((&again["intact"], &again["ledgers"][0]["verified_before"]), (&json!(true), &json!(8)));

    let receptionist = scene.clinic.staff(&["receptionist"]).await;
    for below in ["/audit/verify", "/audit/checkpoints", "/audit/proofs/1"] {
        receptionist.get(&scene.clinic.path(below)).await.expect(403);
    }
    let auditor = scene.clinic.staff(&["auditor"]).await;
    auditor.get(&scene.clinic.path("/audit/verify")).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_byte_in_any_column_is_found_at_its_position() {
    let scene = Scene::set().await;
    let columns = sqlx::query(
        "SELECT column_name::text, data_type::text FROM information_schema.columns
         WHERE table_schema = 'log' AND table_name = 'event'",
    )
    .fetch_all(scene.stack.superuser())
    .await
    .unwrap();
    let victim = format!("clinic = $clinic AND ledger = 1 AND position = {VICTIM}");
    scene.run(&format!("CREATE TABLE saved AS SELECT * FROM log.event WHERE {victim}")).await;
    for column in columns {
        let (name, kind): (String, String) = (column.get(0), column.get(1));
        let new = match (name.as_str(), kind.as_str()) {
            ("position", _) => "1000".to_owned(),
            ("ledger", _) => "3".to_owned(),
            (_, "text") => format!("coalesce({name}, '') || 'x'"),
            (_, "uuid") => "gen_random_uuid()".to_owned(),
            (_, "bigint" | "smallint") => format!("coalesce({name}, 0) + 1"),
            (_, "timestamp with time zone") => format!("{name} + interval '1 microsecond'"),
            (_, "bytea") => format!("set_byte({name}, 0, get_byte({name}, 0) # 1)"),
            other => panic!("unforeseen: {other:?}"),
        };
        assert_eq!(scene.run(&format!("UPDATE log.event SET {name} = {new} WHERE {victim}")).await, 1, "{name}");
        let is_gone = ["clinic", "ledger", "position"].contains(&name.as_str());
        let verdict = if is_gone { "gap_at" } else { "altered_at" };
        assert_eq!(scene.verdict(0).await, json!({"verdict": verdict, "position": VICTIM}), "{name}");
        scene
            .run(
                "DELETE FROM log.event e USING saved s WHERE e.event_id = s.event_id
                 OR (e.clinic, e.ledger, e.position) = (s.clinic, s.ledger, s.position)",
            )
            .await;
        scene.run("INSERT INTO log.event SELECT * FROM saved").await;
    }
    assert_eq!(scene.verdict(0).await["verdict"], "intact");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_chain_alone_does_not_see_is_found_by_the_checkpoints() {
    let scene = Scene::set().await;
    let change = "UPDATE log.event SET actor_name = actor_name || 'x' WHERE clinic = $clinic AND ledger = 1";
    scene.run(&format!("{change} AND position = 7")).await;
    scene.rechain(7).await;
    assert_eq!(scene.verdict(0).await, json!({"verdict": "altered_between", "after": 5, "up_to": 8}));
    scene.run(&format!("{change} AND position = 2")).await;
    scene.rechain(2).await;
    assert_eq!(scene.verdict(0).await, json!({"verdict": "altered_between", "after": 0, "up_to": 5}));
    scene.run("DELETE FROM log.event WHERE clinic = $clinic AND ledger = 1 AND position > 2").await;
    scene.rechain(3).await;
    assert_eq!(scene.verdict(0).await, json!({"verdict": "cut_off_after", "position": 2}));
    assert_eq!(scene.verify().await.json()["intact"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_from_which_a_patient_was_taken_is_found() {
    let scene = Scene::set().await;
    assert_eq!(scene.verdict(1).await["verdict"], "intact");
    let shown = "SELECT DISTINCT position FROM log.access_patient";
    let position: i64 = sqlx::query_scalar(shown).fetch_one(scene.stack.superuser()).await.unwrap();
    let one = "patient = (SELECT min(patient::text)::uuid FROM log.access_patient)";
    scene.run(&format!("CREATE TABLE taken AS SELECT * FROM log.access_patient WHERE {one}")).await;
    scene.run(&format!("DELETE FROM log.access_patient WHERE {one}")).await;
    assert_eq!(scene.verdict(1).await, json!({"verdict": "altered_at", "position": position}));
    scene.run("INSERT INTO log.access_patient SELECT * FROM taken").await;
    assert_eq!(scene.verdict(1).await["verdict"], "intact");
    scene.run("INSERT INTO log.access_patient VALUES ($clinic, 1, gen_random_uuid())").await;
    assert_eq!(scene.verdict(1).await, json!({"verdict": "altered_at", "position": 1}));
}

#[tokio::test(flavor = "multi_thread")]
async fn checkpoints_are_the_same_bytes_over_http_in_the_folder_and_in_nats() {
    let scene = Scene::set().await;
    let other = TestClinic::register(&scene.stack.client()).await;
    scene.stack.checkpoint().await;
    let anchors = Anchors::at(&scene.stack.folders()[2].join("anchors"));
    let [key] = anchors.keys().unwrap()[..] else { panic!("one key") };
    let listed = scene.clinic.get("/audit/checkpoints").await.expect(200);
    assert!(!listed.text.contains(&other.id), "nothing of another clinic");
    let listed = listed.json();
    let items = listed["items"].as_array().unwrap();
    assert_eq!(items.len(), 3);
    for (number, item) in (1..).zip(items) {
        let anchor = anchors.read(number).unwrap().unwrap();
        let (note, changes) = split_anchor(&anchor).unwrap();
        assert_eq!((&item["number"], &item["note"]), (&json!(number), &json!(note)));
        assert_eq!(item["fingerprint"], key.fingerprint());
        assert!(of_note(note).unwrap().0.is_signed_by(&of_note(note).unwrap().1.name(), &key));
        assert_eq!(changes.contains(&other.id), number == 3);
    }
    assert_eq!(in_nats(&scene.stack).await, (1..=3).map(|n| anchors.read(n).unwrap().unwrap()).collect::<Vec<_>>());
    // Page by page.
    let first = scene.clinic.get("/audit/checkpoints?limit=2").await.expect(200).json();
    let next = format!("/audit/checkpoints?limit=2&cursor={}", first["next"].as_str().unwrap());
    let numbers: Vec<Value> = [first, scene.clinic.get(&next).await.expect(200).json()]
        .iter()
        .flat_map(|page| page["items"].as_array().unwrap().iter().map(|item| item["number"].clone()))
        .collect();
    assert_eq!(numbers, [1, 2, 3]);
}

/// All messages of the stream of anchors.
async fn in_nats(stack: &Stack) -> Vec<String> {
    let client = async_nats::connect(stack.nats.url()).await.unwrap();
    let stream = jetstream::new(client).get_stream(ANCHORS_STREAM).await.unwrap();
    let count = stream.cached_info().state.messages as usize;
    let consumer = stream.create_consumer(jetstream::consumer::pull::Config::default()).await.unwrap();
    let messages = consumer.messages().await.unwrap().take(count);
    messages.map(|message| String::from_utf8(message.unwrap().payload.to_vec()).unwrap()).collect().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_is_proved_to_whoever_has_the_checkpoint() {
    use base64::{Engine, prelude::BASE64_STANDARD};
    use proof::{checkpoint::ledger_leaf_hash, merkle};
    let scene = Scene::set().await;
    let hash = |value: &Value| <[u8; 32]>::try_from(BASE64_STANDARD.decode(value.as_str().unwrap()).unwrap()).unwrap();
    for (ledger, position) in [("record", 2), ("record", 7), ("access", 1)] {
        let path = format!("/audit/proofs/{position}?ledger={ledger}");
        let proved = scene.clinic.get(&path).await.expect(200).json();
        let signed = scene.clinic.get("/audit/checkpoints").await.expect(200).json();
        let at = proved["checkpoint"].as_u64().unwrap() as usize - 1;
        let leaves = signed["items"][at]["ledgers"].as_array().unwrap().clone();
        let leaf = leaves.iter().find(|leaf| leaf["ledger"] == ledger).unwrap();
        assert_eq!((&proved["root"], &proved["size"]), (&leaf["root"], &leaf["size"]), "{path}");
        let path_up: Vec<_> = proved["inclusion"].as_array().unwrap().iter().map(hash).collect();
        let (data, root) = (ledger_leaf_hash(&hash(&proved["hash"])), hash(&proved["root"]));
        let size = proved["size"].as_u64().unwrap();
        assert!(merkle::verify_inclusion(&data, position - 1, size, &path_up, &root), "{path}");
    }
    scene.clinic.get("/audit/proofs/9").await.expect(404);
    scene.clinic.get("/audit/proofs/0").await.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_alarm_is_raised_while_everything_goes_on() {
    let scene = Scene::set().await;
    let load = async {
        for n in 0..60 {
            let path = if n % 2 == 0 { "/patients" } else { "/appointments" };
            scene.clinic.get(path).await.expect(200);
            scene.clinic.post("/patients", json!({"first_name": "Ravi"})).await.expect(201);
        }
    };
    let checks = async {
        let mut signed = BTreeSet::new();
        for n in 0..20 {
            scene.stack.checkpoint().await;
            let found = scene.clinic.get(&format!("/audit/verify?whole={}", n % 2 == 0)).await.expect(200).json();
            assert_eq!(found["intact"], true, "{found}");
            signed.insert(found["ledgers"][0]["up_to"].as_i64().unwrap());
        }
        assert!(signed.len() > 3, "it grows meanwhile: {signed:?}");
    };
    tokio::join!(load, checks);
}
