//! What may happen to two patients, at random: anything that a command may name one of them by.

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use reqwest::Method;
use serde_json::{Value, json};
use tests::working_time;

use super::twins::{Body, COLLEAGUE, Command, EVERYTHING, Learnt};

/// Of each patient: no two of them share an ingredient, so that no alert of one is about the other.
pub(super) const MEDICINES_EACH: usize = 6;
pub(super) const CARD: &[u8] = b"an insurance card";
/// Half-hours from nine to five.
const SLOTS_A_DAY: u32 = 16;
/// Where each patient's teeth are charted: the answers of both can be put beside each other.
const TEETH: [[u8; 6]; 2] = [[11, 13, 14, 16, 17, 18], [31, 33, 34, 36, 37, 38]];
const SCOPES: [[&str; 3]; 2] = [["treatment", "research", "publication"], ["data_sharing", "portal", "reminders"]];

/// Something in the record of one of the two: a stream, or an entry of one.
#[derive(Clone, Debug)]
pub(super) struct Thing {
    pub id: String,
    /// 0 or 1.
    pub whose: usize,
    /// The stream that it lies in.
    pub within: String,
}

/// What is known of the two, and what may come next. Ids are those of the first clinic.
pub(super) struct Moves {
    pub random: StdRng,
    pub patients: [String; 2],
    pub medicines: [Vec<String>; 2],
    pub doctor: String,
    pub office: String,
    pub relative: String,
    /// Either id is accepted for both.
    pub merged: bool,
    things: BTreeMap<&'static str, Vec<Thing>>,
    count: u32,
}

/// The event that begins a thing, what it is, and the member of the event that names it; none: its stream.
const BEGINNINGS: [(&str, &str, &str); 23] = [
    ("AppointmentBooked", "appointment", ""),
    ("VisitOpened", "visit", ""),
    ("PrescriptionDrafted", "prescription", ""),
    ("LabTestsOrdered", "order", ""),
    ("LabTestsDrafted", "order", ""),
    ("LabReportRegistered", "report", ""),
    ("NoteStarted", "note", ""),
    ("DocumentRegistered", "document", ""),
    ("ChargeCaptured", "charge", ""),
    ("InvoiceIssued", "invoice", ""),
    ("CaseStudyPatientAdded", "study", ""),
    ("AllergyRecorded", "allergy", "allergy"),
    ("ProblemAdded", "problem", "problem"),
    ("ConsentGiven", "consent", "consent"),
    ("IdentifierAdded", "identifier", "identifier"),
    ("VitalsRecorded", "vitals", "vitals"),
    ("DiagnosisRecorded", "diagnosis", "diagnosis"),
    ("PrescriptionItemAdded", "item", "item"),
    ("SpecimenCollected", "specimen", "specimen"),
    ("LabResultRecorded", "result", "result"),
    ("ObservationRecorded", "observation", "observation"),
    ("ProcedurePlanned", "procedure", "procedure"),
    ("ToothExtracted", "extraction", "extraction"),
];

impl Moves {
    pub(super) fn new(seed: u64, patients: [String; 2]) -> Self {
        Self {
            random: StdRng::seed_from_u64(seed),
            patients,
            medicines: [Vec::new(), Vec::new()],
            doctor: String::new(),
            office: String::new(),
            relative: String::new(),
            merged: false,
            things: BTreeMap::new(),
            count: 0,
        }
    }

    /// Takes note of what was recorded.
    pub(super) fn learn(&mut self, learnt: &Learnt) {
        let known = BEGINNINGS.iter().find(|(event, ..)| *event == learnt.event);
        let whose = self.patients.iter().position(|patient| Some(patient) == learnt.patient.as_ref());
        let (Some((_, kind, member)), Some(whose)) = (known, whose) else { return };
        let named = &learnt.payload[*member];
        let id = named.as_str().or(named["id"].as_str()).unwrap_or(&learnt.stream).to_owned();
        self.things.entry(kind).or_default().push(Thing { id, whose, within: learnt.stream.clone() });
    }

    pub(super) fn last(&self, kind: &str, whose: usize) -> Thing {
        let things = self.things.get(kind).into_iter().flatten();
        things.rev().find(|thing| thing.whose == whose).unwrap_or_else(|| panic!("no {kind} of {whose}")).clone()
    }

    /// All streams of a kind.
    pub(super) fn all(&self, kind: &str) -> &[Thing] {
        self.things.get(kind).map_or(&[], Vec::as_slice)
    }

    fn any(&mut self, kind: &str) -> Option<Thing> {
        self.things.get(kind)?.choose(&mut self.random).cloned()
    }

    fn someone(&mut self) -> usize {
        self.random.random_range(0..2)
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        *all.choose(&mut self.random).expect("there is one")
    }

    /// A word that nobody has said before.
    pub(super) fn word(&mut self) -> String {
        self.count += 1;
        format!("word{}", self.count)
    }

    pub(super) fn start(&mut self) -> chrono::DateTime<chrono::Utc> {
        self.count += 1;
        let slot = self.count % SLOTS_A_DAY;
        working_time(u64::from(self.count / SLOTS_A_DAY), 9 + slot / 2, slot % 2 * 30)
    }

    /// On the record of a patient, or on an entry in it, which while they are merged is found under either id.
    pub(super) fn on_patient(&mut self, whose: usize, under_either: bool, below: &str, body: Value) -> Command {
        let own = self.patients[whose].clone();
        let named = if under_either && self.merged { self.someone() } else { whose };
        let named = Some((self.patients[named].clone(), own));
        post(below.to_owned(), body).with(named)
    }

    /// Anything.
    pub(super) fn next(&mut self) -> Command {
        loop {
            let command = match self.random.random_range(0..11) {
                0 => self.of_record(),
                1 => self.of_allergies(),
                2 => self.of_appointments(),
                3 | 4 => self.of_visits(),
                5 => self.of_prescriptions(),
                6 => self.of_laboratory(),
                7 => self.of_notes(),
                8 => self.of_documents(),
                9 => self.of_teeth(),
                _ => self.of_money(),
            };
            if let Some(command) = command {
                return command;
            }
        }
    }

    pub(super) fn of_record(&mut self) -> Option<Command> {
        let (whose, word) = (self.someone(), self.word());
        let on = |what: &str| format!("/patients/{{patient}}/{what}");
        Some(match self.random.random_range(0..11) {
            0 => self.on_patient(whose, false, &on("problems"), json!({"text": word})),
            1 => {
                let problem = self.any("problem")?;
                let body = json!({"problem_id": problem.id, "reason": word});
                self.on_patient(problem.whose, true, &on("resolve-problem"), body)
            }
            2 => {
                let scope = self.one_of(&SCOPES[whose]);
                self.on_patient(whose, false, &on("give-consent"), json!({"scope": scope, "text": word}))
            }
            3 => {
                let consent = self.any("consent")?;
                let body = json!({"consent_id": consent.id, "reason": word});
                self.on_patient(consent.whose, true, &on("withdraw-consent"), body)
            }
            4 => self.on_patient(whose, false, &on("add-identifier"), json!({"type": "passport", "value": word})),
            5 => {
                let identifier = self.any("identifier")?;
                let body = json!({"identifier_id": identifier.id});
                self.on_patient(identifier.whose, true, &on("end-identifier"), body)
            }
            6 => self.on_patient(whose, false, &on("emergency-contact"), json!({"name": word})),
            7 => {
                let body = json!({"relative_id": self.relative, "relationship": word});
                self.on_patient(whose, false, &on("link-family"), body)
            }
            8 => {
                let word = self.one_of(&["normal", "restricted"]);
                self.on_patient(whose, false, &on("restrict"), json!({"confidentiality": word}))
            }
            9 => {
                let body =
                    json!({"first_name": word, "gender": "female", "birth_date": "1984", "phone": "+919820012345"});
                let named = self.on_patient(whose, false, "/patients/{patient}", body);
                Command { method: Method::PUT, ..named }
            }
            _ => {
                let body = json!({"recipient": "Health officer", "description": word, "statement": "Required by law"});
                self.on_patient(whose, false, &on("disclosures"), body)
            }
        })
    }

    pub(super) fn of_allergies(&mut self) -> Option<Command> {
        let (whose, word) = (self.someone(), self.word());
        let on = |what: &str| format!("/patients/{{patient}}/{what}");
        let actions = ["verify-allergy", "refute-allergy", "resolve-allergy"];
        Some(match self.random.random_range(0..6) {
            0 | 1 => self.on_patient(whose, false, &on("allergies"), json!({"substance": word, "criticality": "low"})),
            2 => self.on_patient(whose, false, &on("no-known-allergies"), json!({})),
            _ => {
                let (allergy, action) = (self.any("allergy")?, self.one_of(&actions));
                self.on_patient(allergy.whose, true, &on(action), json!({"allergy_id": allergy.id}))
            }
        })
    }

    pub(super) fn of_appointments(&mut self) -> Option<Command> {
        let (whose, start, word) = (self.someone(), self.start(), self.word());
        let book = json!({
            "patient_id": self.patients[whose], "doctor_id": self.doctor, "office_id": self.office, "start": start,
            "reason": word
        });
        let actions = [
            ("confirm", json!({})),
            ("check-in", json!({})),
            ("start", json!({})),
            ("complete", json!({})),
            ("reschedule", json!({"start": start})),
            ("cancel", json!({"reason": word})),
            ("enter-in-error", json!({"reason": word})),
        ];
        self.begun_or("/appointments", book, "appointment", &actions)
    }

    /// Begins one, or goes on with one of those that there are.
    fn begun_or(&mut self, all: &str, begin: Value, kind: &str, actions: &[(&str, Value)]) -> Option<Command> {
        if self.random.random_range(0..actions.len() + 2) < 2 {
            return Some(post(all.to_owned(), begin));
        }
        let (thing, (action, body)) = (self.any(kind)?, actions.choose(&mut self.random)?);
        Some(post(format!("{all}/{}/{action}", thing.id), body.clone()))
    }

    pub(super) fn of_visits(&mut self) -> Option<Command> {
        let (whose, word) = (self.someone(), self.word());
        let open = json!({
            "patient_id": self.patients[whose], "office_id": self.office, "doctor_id": self.doctor,
            "chief_complaint": word
        });
        let again = working_time(20, 10, 0).date_naive();
        let rate = self.random.random_range(50..120);
        let actions = [
            ("vitals", json!({"heart_rate": {"value": rate}, "note": word})),
            ("triage", json!({"priority": "urgent", "note": word})),
            ("start", json!({})),
            ("diagnoses", json!({"code": "J45.9", "text": word, "certainty": "provisional"})),
            ("diagnoses", json!({"text": word})),
            ("finish", json!({})),
            ("follow-up", json!({"on": again, "instructions": word})),
            ("chief-complaint", json!({"chief_complaint": word})),
            ("reopen", json!({"reason": word})),
            ("cancel", json!({"reason": "other", "text": word})),
        ];
        let reason = json!({"reason": word});
        match self.random.random_range(0..5) {
            0 => {
                let diagnosis = self.any("diagnosis")?;
                let mut body = json!({"diagnosis_id": diagnosis.id, "text": word, "certainty": "confirmed"});
                body["reason"] = json!("a slip");
                Some(post(format!("/visits/{}/correct-diagnosis", diagnosis.within), body))
            }
            1 => {
                let (kind, action) =
                    self.one_of(&[("diagnosis", "enter-diagnosis-in-error"), ("vitals", "enter-vitals-in-error")]);
                let entry = self.any(kind)?;
                let mut body = reason;
                body[format!("{kind}_id")] = json!(entry.id);
                Some(post(format!("/visits/{}/{action}", entry.within), body))
            }
            _ => self.begun_or("/visits", open, "visit", &actions),
        }
    }

    pub(super) fn item(&mut self, whose: usize) -> Value {
        let medicine = self.medicines[whose].choose(&mut self.random).cloned();
        json!({
            "medicine_id": medicine, "dose": {"value": 1, "unit": "{tablet}"}, "timing": "after_food",
            "frequency": {"times": 2, "every": {"count": 1, "unit": "d"}}, "duration": {"count": 5, "unit": "d"},
            "quantity": {"value": 10, "unit": "{tablet}"}, "instructions": self.word()
        })
    }

    pub(super) fn of_prescriptions(&mut self) -> Option<Command> {
        let whose = self.someone();
        let draft = json!({"patient_id": self.patients[whose], "items": [self.item(whose)]});
        let reason = json!({"reason": "other", "text": self.word()});
        let actions = [
            ("issue", json!({"refills": 1})),
            ("issue", json!({"refills": 2})),
            ("print", json!({})),
            ("hold", reason.clone()),
            ("release", json!({})),
            ("stop", reason.clone()),
            ("authorise-refill", json!({"refills": 1})),
            ("refill", json!({})),
            ("replace", json!({})),
            ("complete", json!({})),
            ("cancel", reason),
        ];
        match self.random.random_range(0..5) {
            0 => {
                let item = self.any("item")?;
                let body = json!({"item_id": item.id, "quantity": {"value": 2, "unit": "{tablet}"}});
                Some(post(format!("/prescriptions/{}/dispense", item.within), body))
            }
            1 => {
                let prescription = self.any("prescription")?;
                let body = json!({"item": self.item(prescription.whose)});
                Some(post(format!("/prescriptions/{}/add-item", prescription.id), body))
            }
            _ => self.begun_or("/prescriptions", draft, "prescription", &actions),
        }
    }

    pub(super) fn of_laboratory(&mut self) -> Option<Command> {
        let (whose, word) = (self.someone(), self.word());
        let tests = json!([{"code": "2345-7", "text": "Glucose", "kind": "blood"}]);
        let order = json!({"patient_id": self.patients[whose], "tests": tests, "reason": word});
        let value = f64::from(self.random.random_range(60..130));
        let result = json!({
            "code": "2345-7", "text": "Glucose", "value": {"type": "quantity", "value": value, "unit": "mg/dL"},
            "range": {"low": 70, "high": 110, "critical_high": 400}, "note": word
        });
        let by_technician = |command| Command { who: "technician", ..command };
        let actions = [
            ("collect-specimen", json!({"barcode": word})),
            ("hold", json!({"reason": word})),
            ("release", json!({})),
            ("revoke", json!({"reason": word})),
        ];
        Some(match self.random.random_range(0..8) {
            0 => {
                let order = self.any("order")?;
                by_technician(post("/lab-reports".to_owned(), json!({"order_id": order.id})))
            }
            1 => {
                let report = self.any("report")?;
                by_technician(post(format!("/lab-reports/{}/results", report.id), json!({"result": result})))
            }
            2 | 3 => {
                let result = self.any("result")?;
                post(format!("/lab-reports/{}/verify-result", result.within), json!({"result_id": result.id}))
            }
            4 => {
                let (report, action) = (self.any("report")?, self.one_of(&["release", "release", "amend"]));
                let body = if action == "amend" { json!({"result": result}) } else { json!({}) };
                by_technician(post(format!("/lab-reports/{}/{action}", report.id), body))
            }
            5 => {
                let old = self.any("result")?;
                let mut body = json!({"result_id": old.id, "result": result, "reason": "transcription"});
                body["why"] = json!(word);
                by_technician(post(format!("/lab-reports/{}/correct", old.within), body))
            }
            _ => self.begun_or("/lab-orders", order, "order", &actions)?,
        })
    }

    pub(super) fn of_notes(&mut self) -> Option<Command> {
        let (whose, word) = (self.someone(), self.word());
        let note = self.any("note").map(|note| note.id).unwrap_or_default();
        let start = json!({"patient_id": self.patients[whose], "content": word});
        // A signature states what is signed: the note says what that is.
        let actions = [
            ("save-draft", json!({"content": word})),
            ("sign", json!({"content_sha256": note})),
            ("sign", json!({"content_sha256": note})),
            ("add-addendum", json!({"content": word})),
            ("amend", json!({"content": word, "content_sha256": note, "reason": "a slip"})),
            ("cosign", json!({"content_sha256": note})),
            ("release", json!({})),
            ("retract", json!({"reason": word})),
        ];
        if note.is_empty() || self.random.random_range(0..6) == 0 {
            return Some(post("/notes".to_owned(), start));
        }
        let (action, body) = actions.choose(&mut self.random)?;
        let who = if *action == "cosign" { COLLEAGUE } else { EVERYTHING };
        Some(Command { who, ..post(format!("/notes/{note}/{action}"), body.clone()) })
    }

    pub(super) fn announcement(&mut self, whose: usize) -> Value {
        json!({
            "patient_id": self.patients[whose], "kind": "clinical", "title": self.word(), "media_type": "text/plain",
            "size": CARD.len(), "sha256": hex::encode(digest::digest(&digest::SHA256, CARD))
        })
    }

    pub(super) fn of_documents(&mut self) -> Option<Command> {
        let (whose, word) = (self.someone(), self.word());
        let announce = self.announcement(whose);
        let other = self.any("document").map(|document| document.id);
        let actions = [
            ("classify", json!({"title": word})),
            ("review", json!({"remark": word})),
            ("release", json!({})),
            ("supersede", json!({"by_document_id": other, "reason": word})),
            ("enter-in-error", json!({"reason": word})),
        ];
        match self.random.random_range(0..3) {
            0 => {
                let below = format!("/documents/{}/content", self.any("document")?.id);
                let body = Body::Bytes(CARD);
                Some(Command { method: Method::PUT, body, ..post(below, json!({})) })
            }
            _ => self.begun_or("/documents", announce, "document", &actions),
        }
    }

    pub(super) fn of_teeth(&mut self) -> Option<Command> {
        let (whose, word) = (self.someone(), self.word());
        let tooth = self.one_of(&TEETH[whose]);
        let on = |what: &str| format!("/dental-charts/{{patient}}/{what}");
        let condition = self.one_of(&["cavity", "decay", "fracture", "wear"]);
        let seen = |tooth: u8| json!({"tooth": tooth, "condition": condition, "severity": "mild", "note": word});
        Some(match self.random.random_range(0..7) {
            0 => self.on_patient(whose, false, &on("observations"), seen(tooth)),
            1 => self.on_patient(whose, false, &on("plan-procedure"), json!({"code": "D2391", "teeth": [tooth]})),
            2 => {
                let observation = self.any("observation")?;
                let tooth = self.one_of(&TEETH[observation.whose]);
                let mut body = json!({"observation_id": observation.id, "finding": seen(tooth)});
                body["reason"] = json!("re_examined");
                self.on_patient(observation.whose, true, &on("correct-observation"), body)
            }
            3 => {
                let observation = self.any("observation")?;
                let body = json!({"observation_id": observation.id, "reason": "wrong_tooth", "text": word});
                self.on_patient(observation.whose, true, &on("enter-observation-in-error"), body)
            }
            4 | 5 => {
                let procedure = self.any("procedure")?;
                let action = self.one_of(&["start-procedure", "complete-procedure", "cancel-procedure"]);
                let mut body = json!({"procedure_id": procedure.id});
                if action == "cancel-procedure" {
                    body["reason"] = json!("not_indicated");
                }
                self.on_patient(procedure.whose, true, &on(action), body)
            }
            _ if self.random.random_range(0..3) == 0 => {
                self.on_patient(whose, false, &on("extract-tooth"), json!({"tooth": tooth, "reason": word}))
            }
            _ => {
                let extraction = self.any("extraction")?;
                let body = json!({"extraction_id": extraction.id, "reason": "wrong_tooth"});
                self.on_patient(extraction.whose, true, &on("enter-extraction-in-error"), body)
            }
        })
    }

    pub(super) fn of_money(&mut self) -> Option<Command> {
        let (whose, word) = (self.someone(), self.word());
        let inr = |minor: i64| json!({"minor": minor, "currency": "INR"});
        let capture =
            json!({"patient_id": self.patients[whose], "description": word, "unit_price": inr(10_000), "quantity": 2});
        let charge = self.any("charge")?;
        let issue = json!({"patient_id": self.patients[charge.whose], "charge_ids": [charge.id]});
        let actions = [
            ("payments", json!({"amount": inr(4_000), "method": "upi", "reference": word})),
            ("credit-notes", json!({"amount": inr(1_000), "reason": "discount", "text": word})),
            ("refunds", json!({"amount": inr(500), "method": "cash", "reason": "goodwill", "text": word})),
        ];
        match self.random.random_range(0..6) {
            0 => Some(post(format!("/charges/{}/cancel", charge.id), json!({"reason": "waived", "text": word}))),
            1 | 2 => Some(post("/charges".to_owned(), capture)),
            _ => self.begun_or("/invoices", issue, "invoice", &actions),
        }
    }
}

pub(super) fn post(below: String, body: Value) -> Command {
    Command { who: EVERYTHING, method: Method::POST, below, named: None, body: Body::Json(body) }
}

impl Command {
    fn with(self, named: Option<(String, String)>) -> Self {
        Self { named, ..self }
    }
}
