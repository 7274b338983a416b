//! Two clinics to which the same happens, but that in the first one two patients are merged for a while.

use std::collections::BTreeMap;

use event_store::Store;
use events::{
    ClinicId, Ledger, Position, Recorded, codec,
    note::{ContentHash, NoteKind},
};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, Client, PASSWORD, Stack, TestClinic};

use super::pairs::Pairs;

/// What tells of a merge and of its end, and is in the first clinic alone.
pub(super) const OF_MERGES: [&str; 4] =
    ["PatientMerged", "PatientMergedInto", "PatientUnmerged", "PatientUnmergedFrom"];
const ROWS_MAX: u32 = 1_000;

/// Logins of each clinic, with their roles.
const PEOPLE: [(&str, &[&str]); 8] = [
    ("nurse", &["nurse"]),
    ("desk", &["receptionist"]),
    ("technician", &["lab_technician"]),
    ("pharmacist", &["pharmacist"]),
    ("cashier", &["billing"]),
    ("administrator", &["clinic_admin"]),
    ("auditor", &["auditor"]),
    ("night", &["nurse"]),
];
/// Whose roles allow everything.
pub(super) const EVERYTHING: &str = "everything";
/// Another doctor.
pub(super) const COLLEAGUE: &str = "colleague";
/// Portal logins of the two patients.
pub(super) const PORTALS: [&str; 2] = ["portal0", "portal1"];
pub(super) const BORN: &str = "1984-03-12";

/// One of the two clinics.
pub(super) struct World {
    pub clinic: TestClinic,
    people: BTreeMap<String, Client>,
    /// Of the record, as far as it was read.
    pub head: Position,
}

/// Something to be done, in words of the first clinic.
#[derive(Clone, Debug)]
pub(super) struct Command {
    pub who: &'static str,
    pub method: Method,
    /// Below the clinic's address; `{patient}` stands for a patient's id.
    pub below: String,
    /// Under which id the patient is named in the first clinic, and in the second.
    pub named: Option<(String, String)>,
    pub body: Body,
}

#[derive(Clone, Debug)]
pub(super) enum Body {
    Json(Value),
    Bytes(&'static [u8]),
}

/// An event of the first clinic that a test may refer to.
pub(super) struct Learnt {
    pub event: &'static str,
    pub stream: String,
    pub patient: Option<String>,
    pub payload: Value,
}

/// Where an event that tells of a merge stands: in the record, in the stream of whose record it is, and in the chart.
pub(super) struct OfMerge {
    pub position: Position,
    pub version: i64,
    pub chart: i64,
    pub whose: String,
}

pub(super) struct Twins {
    pub stack: Stack,
    store: Store,
    pub first: World,
    pub second: World,
    pub pairs: Pairs,
    /// The events of the first clinic that tell of merges.
    pub merges: Vec<OfMerge>,
    /// Refused in the first clinic by design, and so never given in the second; how often.
    pub by_design: BTreeMap<String, usize>,
}

/// What is refused for who is merged, because decisions use the union of the group, and would not be for who is not.
/// The rules are those of `domain::patient::Group`.
const BY_DESIGN: [&str; 4] = ["active-allergies", "visit-in-progress", "consent-given", "glass-broken-already"];

impl Twins {
    /// Two clinics with the same people in them.
    pub(super) async fn open() -> Self {
        let stack = Stack::start().await;
        let (first, second) = (World::open(&stack).await, World::open(&stack).await);
        let pairs = Pairs::of(&first.clinic.slug, &second.clinic.slug);
        let store = stack.store();
        let mut twins = Self { stack, store, first, second, pairs, merges: Vec::new(), by_design: BTreeMap::new() };
        twins.pair().await;
        twins
    }

    /// Does it in the first clinic and, unless it is refused there by design, in the second; the first one's answer, and
    /// what was recorded there.
    pub(super) async fn both(&mut self, command: &Command) -> (Answer, Vec<Learnt>) {
        let ours = self.first.does(command, |text| text.to_owned(), 0).await;
        if BY_DESIGN.contains(&ours.code().as_str()) {
            *self.by_design.entry(ours.code()).or_default() += 1;
            return (ours, Vec::new());
        }
        let theirs = self.second.does(command, |text| self.pairs.translated(text), 1).await;
        let outcome = |answer: &Answer| (answer.status.as_u16(), answer.code(), answer.json()["events"].clone());
        assert_eq!(outcome(&ours), outcome(&theirs), "{command:?}: {} and {}", ours.text, theirs.text);
        (ours, self.pair().await)
    }

    /// What is done in the first clinic alone: merging, and its end.
    pub(super) async fn first_alone(&mut self, below: &str, body: Value) -> Position {
        let position = self.first.clinic.post(below, body).await.expect(200).position();
        self.pair().await;
        position
    }

    /// Takes note of what was recorded in both: it is the same.
    async fn pair(&mut self) -> Vec<Learnt> {
        let (ours, theirs) = (self.first.news(&self.store).await, self.second.news(&self.store).await);
        let (merges, ours): (Vec<_>, Vec<_>) =
            ours.into_iter().partition(|event| OF_MERGES.contains(&event.event.event_type()));
        for event in merges {
            let chart = event.patient_version.expect("it is in a chart");
            let (position, version, whose) = (event.position, event.version, event.stream.id.to_string());
            self.merges.push(OfMerge { position, version, chart, whose });
        }
        assert_eq!(ours.len(), theirs.len(), "{ours:?} and {theirs:?}");
        for (one, other) in ours.iter().zip(&theirs) {
            assert_eq!(one.event.event_type(), other.event.event_type());
            self.pairs.meet_in(&told(one), &told(other));
        }
        ours.into_iter().map(learnt).collect()
    }
}

/// All that two clinics should say alike of one event, in their words.
fn told(event: &Recorded) -> String {
    let encoded = codec::encode(&event.event);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("JSON is text");
    let Recorded { stream, event_id, patient, occurred_at, recorded_at, actor, purpose, .. } = event;
    // Beside the numbers: those of a chart that was merged are others.
    format!(
        "{stream:?} {event_id} {patient:?} {occurred_at:?} {recorded_at:?} {actor:?} {purpose:?} {} {}",
        // Where a record stands is told with what changes it, and a merge is a standing.
        text(&encoded.payload).replace("\"merged\"", "\"active\""),
        encoded.sealed.as_deref().map(text).unwrap_or_default()
    )
}

fn learnt(event: Recorded) -> Learnt {
    let encoded = codec::encode(&event.event);
    Learnt {
        event: encoded.event_type,
        stream: event.stream.id.to_string(),
        patient: event.patient.map(|patient| patient.to_string()),
        payload: serde_json::from_slice(&encoded.payload).expect("it is JSON"),
    }
}

impl World {
    async fn open(stack: &Stack) -> Self {
        let clinic = TestClinic::register(&stack.client()).await;
        clinic.without_limits(&stack.platform().await).await;
        let mut world = Self { clinic, people: BTreeMap::new(), head: 0 };
        for (name, roles) in PEOPLE {
            let body = json!({"name": name, "username": name, "roles": roles});
            let activation = world.clinic.post("/staff", body).await.expect(201).text_of("activation");
            world.arrives(name, &activation).await;
        }
        for name in [EVERYTHING, COLLEAGUE] {
            let body = json!({
                "name": name, "email": format!("{name}@house.example"), "username": name,
                "licence_number": format!("LIC-{name}"), "office_ids": [world.clinic.office]
            });
            let doctor = world.clinic.post("/doctors", body).await.expect(201);
            let roles: &[&str] = if name == EVERYTHING { &["clinic_admin", "lab_technician"] } else { &[] };
            for role in roles {
                let grant = format!("/staff/{}/grant-role", doctor.id());
                world.clinic.post(&grant, json!({"role": role})).await.expect(200);
            }
            world.arrives(name, &doctor.text_of("activation")).await;
        }
        world
    }

    async fn arrives(&mut self, name: &str, activation: &str) {
        let client = self.clinic.activate(name, activation).await;
        self.people.insert(name.to_owned(), client);
    }

    /// A portal login for somebody who is registered.
    pub(super) async fn portal(&mut self, stack: &Stack, name: &str, patient: &str) {
        let invite = json!({"name": name, "username": name, "roles": ["patient"], "patient_id": patient});
        let activation = self.clinic.post("/staff", invite).await.expect(201).text_of("activation");
        let body = json!({
            "clinic": self.clinic.slug, "username": name, "activation": activation, "password": PASSWORD,
            "birth_date": BORN
        });
        let tokens = stack.client().post("/api/v1/auth/activate", body).await.expect(200);
        self.people.insert(name.to_owned(), stack.client().with_token(tokens.text_of("access_token")));
    }

    /// Sees all that was recorded so far.
    pub(super) fn who(&self, name: &str) -> Client {
        self.people[name].with("casebook-min-position", self.head)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.people.keys().map(String::as_str)
    }

    async fn does(&self, command: &Command, word: impl Fn(&str) -> String, world: usize) -> Answer {
        let Command { who, method, below, named, body } = command;
        let named = named.as_ref().map(|(first, second)| if world == 0 { first } else { second });
        let path = self.clinic.path(&word(&below.replace("{patient}", named.map_or("", String::as_str))));
        let client = match *method {
            Method::PUT | Method::DELETE => {
                let version = self.who(EVERYTHING).get(path.trim_end_matches("/content")).await.expect(200);
                self.people[*who].with("if-match", format!("\"{}\"", version.json()["version"]))
            }
            _ => self.people[*who].clone(),
        };
        let bytes = match body {
            Body::Json(body) => word(&self.signed(body, &word).await.to_string()).into_bytes(),
            Body::Bytes(bytes) => bytes.to_vec(),
        };
        client.send(method.clone(), &path, Some(bytes)).await
    }

    /// A body in which a signature states what is signed: what the note says, or is to say from now on.
    async fn signed(&self, body: &Value, word: &impl Fn(&str) -> String) -> Value {
        let mut body = body.clone();
        let Some(note) = body["content_sha256"].as_str().map(word) else { return body };
        body["content_sha256"] = match body["content"].as_str() {
            Some(content) => {
                let id = note.parse().expect("an id");
                json!(ContentHash::of_note(id, NoteKind::Progress, None, content))
            }
            None => {
                let note = self.who(EVERYTHING).get(&self.clinic.path(&format!("/notes/{note}"))).await;
                note.expect(200).json()["content_sha256"].clone()
            }
        };
        body
    }

    /// What was recorded since this was asked last.
    async fn news(&mut self, store: &Store) -> Vec<Recorded> {
        let clinic = ClinicId(self.clinic.id.parse().expect("an id"));
        let rows = store.read_rows(clinic, Ledger::Record, self.head, ROWS_MAX).await.expect("a record");
        self.head = rows.last().map_or(self.head, |row| row.position);
        store.open_rows(&rows).await.expect("it opens")
    }
}
