//! Two patients merged for a while, over the whole record: what a merge shows, and that an unmerge undoes it.

mod moves;
mod pairs;
mod queries;
mod story;
mod twins;

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use self::{
    moves::{MEDICINES_EACH, Moves, post},
    queries::{Others, Route, Told, addresses, ask, of_person, routes, union},
    story::STEPS,
    twins::{BORN, Command, EVERYTHING, PORTALS, Twins},
};

/// Given while the two are merged, and accepted.
const COMMANDS_MERGED: usize = 100;
const COMMANDS_AFTER: usize = 10;
/// Of the types of events, at least so many are among what comes of them.
const KINDS_MERGED: usize = 30;
/// Whose views of a merged person are looked at: one who sees all, and some who do not. What broken glass opens is the
/// person, so whoever broke it is not among them.
const LOOK_AT_MERGED: [&str; 4] = [EVERYTHING, "nurse", "desk", "technician"];

struct Scene {
    twins: Twins,
    moves: Moves,
    others: Others,
    routes: Vec<Route>,
    /// What was recorded while the two were merged, by type.
    recorded: BTreeMap<&'static str, usize>,
}

impl Scene {
    /// Two patients with something of everything in their records, in both clinics.
    async fn set(seed: u64) -> Self {
        let twins = Twins::open().await;
        let routes = routes(&twins.stack).await;
        let moves = Moves::new(seed, [String::new(), String::new()]);
        let mut scene = Self { twins, moves, others: Others::new(), routes, recorded: BTreeMap::new() };
        scene.people().await;
        scene.catalogue().await;
        for whose in [0, 1] {
            for step in STEPS {
                let command = step(&mut scene.moves, whose);
                scene.done(&command).await;
            }
        }
        scene
    }

    async fn people(&mut self) {
        for whose in 0..3 {
            let body = json!({"first_name": format!("Asha {whose}"), "birth_date": BORN, "phone": "+919820012345"});
            let id = self.done(&post("/patients".to_owned(), body)).await;
            match whose {
                2 => self.moves.relative = id,
                _ => self.moves.patients[whose] = id,
            }
        }
        let Twins { stack, first, second, pairs, .. } = &mut self.twins;
        for (name, patient) in PORTALS.into_iter().zip(&self.moves.patients) {
            first.portal(stack, name, patient).await;
            second.portal(stack, name, &pairs.translated(patient)).await;
        }
        self.moves.office = self.twins.first.clinic.office.clone();
        let doctors = self.twins.first.clinic.get("/doctors").await.expect(200).json();
        self.moves.doctor = doctors["items"][0]["id"].as_str().expect("a doctor").to_owned();
        self.others.extend(["doctors", "staff"].map(|collection| (collection, vec![self.moves.doctor.clone()])));
    }

    /// What is about nobody.
    async fn catalogue(&mut self) {
        for n in 0..2 * MEDICINES_EACH {
            let body = json!({"name": format!("Mixture {n}"), "ingredients": [{"name": format!("ingredient {n}")}]});
            let medicine = self.done(&post("/medicines".to_owned(), body)).await;
            self.moves.medicines[n % 2].push(medicine);
        }
        let medicine = self.moves.medicines[0][0].clone();
        let item = json!({"medicine_id": medicine, "quantity": {"value": 10, "unit": "mL"}});
        let others = [
            ("short-keys", json!({"code": "FEVER", "items": [item]})),
            ("departments", json!({"name": "Cardiology"})),
            ("dental-templates", json!({"name": "A look", "procedures": [{"code": "D0140"}]})),
        ];
        self.others.insert("medicines", vec![medicine]);
        for (collection, body) in others {
            let id = self.done(&post(format!("/{collection}"), body)).await;
            self.others.insert(collection, vec![id]);
        }
        let glass = json!({
            "reason": "other", "text": "No history at hand.", "hours": 1, "password": tests::PASSWORD
        });
        let command = self.moves.on_patient(0, false, "/patients/{patient}/break-glass", glass);
        let access = self.done(&Command { who: "night", ..command }).await;
        self.others.insert("emergency-accesses", vec![access]);
    }

    /// What has to be accepted; its id.
    async fn done(&mut self, command: &Command) -> String {
        let (answer, learnt) = self.twins.both(command).await;
        assert!(answer.status.is_success(), "{command:?}: {}", answer.text);
        learnt.iter().for_each(|learnt| self.moves.learn(learnt));
        answer.id()
    }

    /// So many accepted commands, at random.
    async fn random(&mut self, accepted: usize) {
        let (mut done, mut given) = (0, 0);
        while done < accepted {
            let command = self.moves.next();
            let (answer, learnt) = self.twins.both(&command).await;
            assert!(
                matches!(answer.status.as_u16(), 200 | 201 | 403 | 404 | 409 | 422),
                "{command:?}: {}",
                answer.text
            );
            given += 1;
            done += usize::from(!learnt.is_empty());
            for learnt in &learnt {
                self.moves.learn(learnt);
                *self.recorded.entry(learnt.event).or_default() += usize::from(self.moves.merged);
            }
        }
        assert!(given < 4 * accepted, "{done} of {given} were accepted");
    }

    async fn merge(&mut self) {
        let [survivor, double] = self.moves.patients.clone();
        let below = format!("/patients/{double}/merge");
        self.twins.first_alone(&below, json!({"survivor_id": survivor, "reason": "one face"})).await;
        self.moves.merged = true;
    }

    async fn unmerge(&mut self) {
        let below = format!("/patients/{}/unmerge", self.moves.patients[1]);
        self.twins.first_alone(&below, json!({"reason": "two faces"})).await;
        self.moves.merged = false;
    }

    fn addresses(&self, wanted: impl Fn(&Route) -> bool) -> Vec<String> {
        let wanted = self.routes.iter().filter(|route| wanted(route));
        wanted.flat_map(|route| addresses(route, &self.moves, &self.others)).collect()
    }

    /// The answers of both clinics, in the same words.
    async fn both_say(&self, who: &str, addresses: &[String]) -> [BTreeMap<String, Told>; 2] {
        let Twins { first, second, pairs, .. } = &self.twins;
        let (ours, theirs) = futures::join!(
            ask(first, who, addresses, |address| address.to_owned()),
            ask(second, who, addresses, |address| pairs.translated(address)),
        );
        [
            ours.into_iter().map(|(address, told)| (address, self.twins.as_there(&told))).collect(),
            theirs.into_iter().map(|(address, told)| (address, self.twins.said_there(&told))).collect(),
        ]
    }

    /// Every query of every role: the two clinics say the same.
    async fn is_as_if_never_merged(&self) {
        self.say_the_same_to(EVERYTHING, &self.addresses(|_| true)).await;
        let of_patients = self.addresses(|route| route.is_of_person() || route.takes("patient"));
        for who in self.twins.first.names().filter(|who| *who != EVERYTHING) {
            self.say_the_same_to(who, &of_patients).await;
        }
    }

    async fn say_the_same_to(&self, who: &str, addresses: &[String]) {
        let [ours, theirs] = self.both_say(who, addresses).await;
        let pairs = ours.into_iter().map(|(address, told)| (address.clone(), told, theirs[&address].clone()));
        say_the_same(who, pairs);
    }

    /// What is the person's is told under either id, of both records; all else is as it would be.
    async fn shows_the_union(&self) {
        let of_persons: Vec<[String; 2]> = self.of_both();
        let addresses: Vec<String> = of_persons.iter().flatten().cloned().collect();
        for who in LOOK_AT_MERGED {
            let [ours, theirs] = self.both_say(who, &addresses).await;
            say_the_same(who, of_persons.iter().flat_map(|both| joined(both, &ours, [&theirs, &theirs])));
        }
        // A patient sees it under the id that is theirs.
        let [(our_0, their_0), (our_1, their_1)] =
            [self.both_say(PORTALS[0], &addresses).await.into(), self.both_say(PORTALS[1], &addresses).await.into()];
        for (whose, ours) in [our_0, our_1].into_iter().enumerate() {
            let told =
                of_persons.iter().flat_map(|both| joined(both, &ours, [&their_0, &their_1]).into_iter().nth(whose));
            say_the_same(PORTALS[whose], told);
        }
        let is_own = |route: &Route| !route.is_of_person() && !ABOUT_PERSONS.contains(&route.below.as_str());
        let others = self.addresses(is_own).into_iter().filter(|address| !address.contains("patient="));
        let others: Vec<String> = others.collect();
        self.say_the_same_to(EVERYTHING, &others).await;
    }

    /// The addresses that name the first patient, each with the same for the second.
    fn of_both(&self) -> Vec<[String; 2]> {
        let [survivor, double] = &self.moves.patients;
        let all = self.addresses(|route| route.is_of_person() || route.takes("patient"));
        let named = all.into_iter().filter(|address| address.contains(survivor));
        named.map(|address| [address.clone(), address.replace(survivor, double)]).collect()
    }

    /// What the first clinic says now.
    async fn remember(&self) -> Moment {
        let [survivor, double] = &self.moves.patients;
        let addresses = self.addresses(|route| route.takes("as_of")).into_iter();
        let is_of_one = |address: &String| {
            let named =
                address.contains(&format!("patient={survivor}")) || address.contains(&format!("patient={double}"));
            named || address.split('/').count() > 2
        };
        let addresses: Vec<String> = addresses.filter(is_of_one).collect();
        let told = ask(&self.twins.first, EVERYTHING, &addresses, |address| address.to_owned()).await;
        Moment { position: self.twins.first.head, told }
    }

    /// Asked as of a moment, it says what it said then.
    async fn says_what_it_said(&self, moment: &Moment) {
        let addresses: Vec<String> = moment.told.keys().cloned().collect();
        let as_of = format!("&as_of={}", moment.position);
        let told = ask(&self.twins.first, EVERYTHING, &addresses, |address| format!("{address}{as_of}")).await;
        let pairs = told.into_iter().map(|(address, told)| {
            let then = moment.told[&address].clone();
            (format!("{address}{as_of}"), told, then)
        });
        say_the_same(EVERYTHING, pairs);
    }
}

/// What a clinic said at a position, by address.
struct Moment {
    position: i64,
    told: BTreeMap<String, Told>,
}

/// Where those who stand for nobody any more are left out, or counted.
const ABOUT_PERSONS: [&str; 6] =
    ["/patients", "/patients/search", "/patients/duplicates", "/patients/stats", "/subscription", "/dashboard"];

/// What is proposed names the chart that is asked, not the record in which a finding lies.
fn named_as_asked(address: &str, body: &Value) -> Value {
    let mut body = body.clone();
    if let Some(items) = body["items"].as_array_mut().filter(|_| address.contains("/proposals")) {
        items.iter_mut().for_each(|item| item["patient_id"] = Value::Null);
    }
    body
}

/// Under either address the answers of both records together; refused where one of them is.
fn joined(
    both: &[String; 2],
    ours: &BTreeMap<String, Told>,
    theirs: [&BTreeMap<String, Told>; 2],
) -> [(String, Told, Told); 2] {
    let [first, second] = [&theirs[0][&both[0]], &theirs[1][&both[1]]];
    let expected = match (first.0, second.0) {
        (200, 200) => (200, union(&named_as_asked(&both[0], &first.1), &named_as_asked(&both[1], &second.1))),
        (refused, other) if refused > other => first.clone(),
        _ => second.clone(),
    };
    both.clone().map(|address| {
        let (status, body) = &ours[&address];
        let body = if *status == 200 { of_person(&named_as_asked(&address, body)) } else { body.clone() };
        (address, (*status, body), expected.clone())
    })
}

/// Address, what was said, and what should have been.
fn say_the_same(who: &str, told: impl IntoIterator<Item = (String, Told, Told)>) {
    let differ = told.into_iter().filter(|(_, told, expected)| told != expected);
    let differ: Vec<String> = differ
        .map(|(address, told, expected)| format!("{address}\n  {}\n  {}", text(&told), text(&expected)))
        .collect();
    assert!(differ.is_empty(), "{who} is told otherwise:\n{}", differ.join("\n"));
}

fn text(told: &Told) -> String {
    format!("{} {}", told.0, told.1)
}

/// How the record that was merged stands at the end of that, which only the unmerge shows.
enum Standing {
    Inactive,
    Deceased,
}

impl Scene {
    async fn stands(&mut self, standing: &Standing) {
        let (method, below) = match standing {
            Standing::Inactive => (Method::DELETE, "/patients/{patient}"),
            Standing::Deceased => (Method::POST, "/patients/{patient}/record-death"),
        };
        let command = self.moves.on_patient(1, false, below, json!({}));
        self.done(&Command { method, ..command }).await;
    }
}

#[rstest::rstest]
#[case(1, Standing::Inactive)]
#[case(2, Standing::Deceased)]
#[tokio::test(flavor = "multi_thread")]
async fn an_unmerge_leaves_both_charts_as_if_nobody_had_merged_them(#[case] seed: u64, #[case] standing: Standing) {
    let mut scene = Scene::set(seed).await;
    let before = scene.remember().await;
    scene.merge().await;
    scene.random(COMMANDS_MERGED).await;
    assert!(scene.recorded.len() > KINDS_MERGED, "little happened: {:?}", scene.recorded);
    scene.shows_the_union().await;
    let during = scene.remember().await;
    scene.stands(&standing).await;
    scene.unmerge().await;
    scene.random(COMMANDS_AFTER).await;
    scene.is_as_if_never_merged().await;
    for moment in [before, during] {
        scene.says_what_it_said(&moment).await;
    }
    scene.twins.stack.read_models_equal_the_log().await;
    scene.twins.stack.verify_chains().await;
}
