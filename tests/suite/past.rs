//! `as_of` at every position: what a patient's record is said to have been is what a fold of the log up to there gives,
//! for two hundred patients to whom anything happens.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use events::{ClinicId, Recorded};
use futures::{StreamExt, stream};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use read_models::{AppointmentRow, Appointments, PatientRow, Patients, Rows};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, Client, Stack, TestClinic, working_time};
use uuid::Uuid;

const PATIENTS: usize = 200;
const COMMANDS: usize = 700;
/// Requests on their way at once.
const AT_ONCE: usize = 8;
const PAGE: u32 = 1_000;
/// At one position of so many the moment is named by its time as well.
const BY_TIME_EVERY: i64 = 5;

/// A desk at which anything is tried; what the rules refuse does not happen.
struct Desk {
    clinic: TestClinic,
    /// May what only doctors may.
    doctor: Client,
    doctor_id: String,
    random: StdRng,
    patients: Vec<String>,
    appointments: Vec<String>,
}

impl Desk {
    async fn open(stack: &Stack, seed: u64) -> Self {
        let clinic = TestClinic::register(&stack.client()).await;
        clinic.without_limits(&stack.platform().await).await;
        let doctor = clinic.new_doctor().await;
        let staff = clinic.get_at(doctor.position(), &format!("/staff/{}", doctor.id())).await.expect(200);
        let client = clinic.activate(&staff.text_of("username"), &doctor.text_of("activation")).await;
        let (patients, appointments) = (Vec::new(), Vec::new());
        let random = StdRng::seed_from_u64(seed);
        Self { clinic, doctor: client, doctor_id: doctor.id(), random, patients, appointments }
    }

    async fn register(&mut self) {
        let n = self.patients.len();
        let gender = ["female", "male", "other", "unknown"].choose(&mut self.random);
        let born = [json!(null), json!("1984"), json!("1984-03"), json!("1984-03-12")];
        let born = born.choose(&mut self.random);
        let name = self.name();
        let body = json!({
            "first_name": name, "birth_date": born, "phone": format!("+9198{n:08}"),
            "gender": gender
        });
        let patient = self.clinic.post("/patients", body).await.expect(201);
        self.patients.push(patient.id());
    }

    fn name(&mut self) -> String {
        format!(
            "{} {}",
            ["Asha", "José \"Q\"", "Línea\\n", "O'Neil", "नेहा"].choose(&mut self.random).unwrap(),
            self.random.random::<u16>()
        )
    }

    fn patient(&mut self) -> String {
        self.patients.choose(&mut self.random).expect("there are patients").clone()
    }

    /// One thing that may happen to a patient.
    async fn step(&mut self) -> Answer {
        let (patient, other) = (self.patient(), self.patient());
        let name = self.name();
        let on = |action: &str| format!("/patients/{patient}/{action}");
        match self.random.random_range(0..14) {
            0 | 1 => self.update(&patient).await,
            2 => self.by_doctor(&on("allergies"), json!({"substance": name, "criticality": "high"})).await,
            3 => self.by_doctor(&on("no-known-allergies"), json!({})).await,
            4 => self.by_doctor(&on("problems"), json!({"text": name})).await,
            5 => self.clinic.post(&on("give-consent"), json!({"scope": "research"})).await,
            6 => self.clinic.post(&on("merge"), json!({"survivor_id": other})).await,
            7 => self.clinic.post(&on("unmerge"), json!({})).await,
            8 => self.clinic.post(&on("restrict"), json!({"confidentiality": "restricted"})).await,
            9 => {
                self.clinic
                    .post(
                        &on("add-identifier"),
                        json!({"type": "passport", "value": format!("Z{}", self.random.random::<u32>())}),
                    )
                    .await
            }
            10 => self.clinic.post(&on("emergency-contact"), json!({"name": name})).await,
            11 | 12 => self.book(&patient).await,
            _ => self.change_appointment().await,
        }
    }

    async fn by_doctor(&self, path: &str, body: Value) -> Answer {
        self.doctor.post(&self.clinic.path(path), body).await
    }

    async fn update(&mut self, patient: &str) -> Answer {
        let path = self.clinic.path(&format!("/patients/{patient}"));
        let version = self.clinic.get(&format!("/patients/{patient}")).await.json()["version"].clone();
        let body = json!({"first_name": self.name(), "gender": "female", "email": "a@b.example"});
        let client = self.clinic.admin.with("if-match", format!("\"{version}\""));
        client.send(Method::PUT, &path, Some(body.to_string().into_bytes())).await
    }

    async fn book(&mut self, patient: &str) -> Answer {
        let slot = self.random.random_range(0..36_u32);
        let start = working_time(self.random.random_range(0..40), 9 + slot / 4, slot % 4 * 15);
        let answer = self.clinic.post("/appointments", self.clinic.booking(patient, &self.doctor_id, start)).await;
        if answer.status == 201 {
            self.appointments.push(answer.id());
        }
        answer
    }

    async fn change_appointment(&mut self) -> Answer {
        let Some(appointment) = self.appointments.choose(&mut self.random).cloned() else {
            let patient = self.patient();
            return self.book(&patient).await;
        };
        let slot = self.random.random_range(0..36_u32);
        let start = working_time(self.random.random_range(0..40), 9 + slot / 4, slot % 4 * 15);
        let (action, body) = match self.random.random_range(0..3) {
            0 => ("cancel", json!({})),
            1 => ("confirm", json!({})),
            _ => ("reschedule", json!({"start": start})),
        };
        self.clinic.post(&format!("/appointments/{appointment}/{action}"), body).await
    }
}

/// The clinic folded up to a position.
struct Then {
    /// Of the clinic's life, to live it again.
    seed: u64,
    position: i64,
    recorded_at: DateTime<Utc>,
    patients: BTreeMap<Uuid, PatientRow>,
    appointments: BTreeMap<Uuid, AppointmentRow>,
}

impl Then {
    /// Everybody whom the record said to be the same person, and the one who stands for all.
    fn group(&self, patient: Uuid) -> (Vec<&PatientRow>, &PatientRow) {
        let mut ids = BTreeSet::from([patient]);
        loop {
            let rows = ids.iter().map(|id| &self.patients[id]);
            let linked: Vec<Uuid> =
                rows.flat_map(|row| row.merged_into.iter().chain(&row.merged_ids)).map(|id| id.0).collect();
            let known = ids.len();
            ids.extend(linked);
            if ids.len() == known {
                break;
            }
        }
        let members: Vec<&PatientRow> = ids.iter().map(|id| &self.patients[id]).collect();
        let top = members.iter().find(|row| row.merged_into.is_none()).expect("somebody stands for all");
        (members.clone(), top)
    }

    fn expected(&self, patient: Uuid) -> Value {
        let (members, top) = self.group(patient);
        let own = &self.patients[&patient];
        let texts = |part: fn(&PatientRow) -> Value| -> BTreeSet<String> {
            members.iter().flat_map(|row| part(row).as_array().unwrap().clone()).map(|one| one.to_string()).collect()
        };
        json!({
            "id": own.id, "number": own.number, "version": own.version, "status": own.status,
            "registered_at": own.registered_at, "merged_into": (own.id != top.id).then_some(top.id),
            "first_name": top.first_name, "last_name": top.last_name, "birth_date": top.birth_date,
            "gender": top.gender, "phone": top.phone, "email": top.email, "emergency_contact": top.emergency_contact,
            "allergies": texts(|row| json!(row.allergies)), "problems": texts(|row| json!(row.problems)),
            "consents": texts(|row| json!(row.consents)), "identifiers": texts(|row| json!(row.identifiers)),
        })
    }

    fn expected_appointments(&self, patient: Uuid) -> BTreeMap<String, Value> {
        let ids: BTreeSet<Uuid> = self.group(patient).0.iter().map(|row| row.id.0).collect();
        let theirs = self.appointments.values().filter(|row| ids.contains(&row.patient_id.0));
        theirs
            .map(|row| (row.id.to_string(), json!([row.status, row.start, row.version, row.patient_id, row.reason])))
            .collect()
    }
}

/// The members of an answer that the fold knows, lists without their order.
fn told(body: &Value, expected: &Value) -> Value {
    let set = |list: &Value| -> Value {
        let texts: BTreeSet<String> = list.as_array().into_iter().flatten().map(Value::to_string).collect();
        json!(texts)
    };
    let tell = |name: &String| match name.as_str() {
        "allergies" => set(&body["allergies"]["items"]),
        "problems" | "consents" | "identifiers" => set(&body[name]),
        _ => body[name].clone(),
    };
    expected.as_object().unwrap().keys().map(|name| (name.clone(), tell(name))).collect()
}

async fn record(stack: &Stack, clinic: &str) -> Vec<Recorded> {
    let (store, clinic) = (stack.store(), ClinicId(clinic.parse().unwrap()));
    let mut events = Vec::new();
    loop {
        let page = store.read_clinic(clinic, events.len() as i64, PAGE).await.expect("the log can be read");
        if page.is_empty() {
            return events;
        }
        events.extend(page);
    }
}

/// Which patients are to be asked at which positions: at each event of a chart of their group, right before it, and
/// anywhere; a position between two events of a chart is like the first of them.
fn asked(events: &[Recorded], random: &mut StdRng) -> BTreeMap<i64, BTreeSet<Uuid>> {
    let mut asked: BTreeMap<i64, BTreeSet<Uuid>> = BTreeMap::new();
    let mut born: HashMap<Uuid, i64> = HashMap::new();
    for event in events {
        let Some(patient) = event.patient.filter(|_| event.patient_version.is_some()) else { continue };
        let is_new = !born.contains_key(&patient.0);
        let since = *born.entry(patient.0).or_insert(event.position);
        let anywhere = if is_new { random.random_range(since..=events.len() as i64) } else { since };
        for at in [event.position, event.position - 1, anywhere] {
            if at >= since {
                asked.entry(at).or_default().insert(patient.0);
            }
        }
    }
    asked
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_is_a_fold_of_the_log_at_every_position() {
    let stack = Stack::start().await;
    let seed = rand::random::<u64>();
    let mut desk = Desk::open(&stack, seed).await;
    for _ in 0..PATIENTS {
        desk.register().await;
    }
    let mut done = 0;
    for _ in 0..COMMANDS {
        let answer = desk.step().await;
        assert!(
            answer.status.is_success() || matches!(answer.status.as_u16(), 404 | 409 | 412 | 422),
            "{}",
            answer.text
        );
        done += usize::from(answer.status.is_success());
    }
    assert!(done > COMMANDS / 3, "only {done} of {COMMANDS} happened");
    let events = record(&stack, &desk.clinic.id).await;
    stack.caught_up().await;

    let mut asked = asked(&events, &mut desk.random).into_iter().peekable();
    let (mut patients, mut appointments) = (Rows::<Patients>::default(), Rows::<Appointments>::default());
    let mut compared = 0;
    for event in &events {
        patients.apply(event);
        appointments.apply(event);
        let Some((position, whom)) = asked.next_if(|(position, _)| *position == event.position) else { continue };
        let then = Then {
            seed,
            position,
            recorded_at: event.recorded_at,
            patients: patients.iter().map(|(id, row)| (*id, row.clone())).collect(),
            appointments: appointments.iter().map(|(id, row)| (*id, row.clone())).collect(),
        };
        compared += whom.len();
        stream::iter(whom).for_each_concurrent(AT_ONCE, |patient| compare(&desk.clinic, &then, patient)).await;
    }
    assert!(asked.next().is_none());
    assert!(compared > 2 * PATIENTS, "{compared}");
}

async fn compare(clinic: &TestClinic, then: &Then, patient: Uuid) {
    let at = then.position;
    let one = clinic.get(&format!("/patients/{patient}?as_of={at}")).await.expect(200);
    let expected = then.expected(patient);
    assert_eq!(told(&one.json(), &expected), expected, "patient {patient} at {at}, seed {}", then.seed);
    assert_eq!(one.position(), at);
    let list = clinic.get(&format!("/patients/{patient}/appointments?as_of={at}&limit=200")).await.expect(200);
    let listed = list.json()["items"].as_array().unwrap().iter().map(of_appointment).collect::<BTreeMap<_, _>>();
    assert_eq!(listed, then.expected_appointments(patient), "appointments of {patient} at {at}, seed {}", then.seed);
    if at % BY_TIME_EVERY != 0 {
        return;
    }
    // The same moment by its time, unless more was recorded in the same microsecond.
    let instant = then.recorded_at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    let by_time = clinic.get(&format!("/patients/{patient}?as_of={instant}")).await.expect(200);
    assert!(by_time.position() > at || by_time.text == one.text, "{patient} at {instant}");
}

fn of_appointment(one: &Value) -> (String, Value) {
    let id = one["id"].as_str().unwrap().to_owned();
    (id, json!([one["status"], one["start"], one["version"], one["patient_id"], one["reason"]]))
}
