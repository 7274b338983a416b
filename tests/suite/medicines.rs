//! The catalogue of medicines over HTTP: the platform's, what a clinic says of it, the clinic's own, and the search.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, Client, Stack, TestClinic};

/// Brands of the platform's catalogue, with what is in them.
const BRANDS: [(&str, &str); 8] = [
    ("Augmentin 625 Duo Tablet", "Amoxycillin (500mg) + Clavulanic Acid (125mg)"),
    ("Augmentin Duo Oral Suspension", "Amoxycillin (200mg/5ml) + Clavulanic Acid (28.5mg/5ml)"),
    ("Azithral 500 Tablet", "Azithromycin (500mg)"),
    ("Almox 500 Capsule", "Amoxycillin (500mg)"),
    ("Dolo 650 Tablet", "Paracetamol (650mg)"),
    ("Calpol 500mg Tablet", "Paracetamol (500mg)"),
    ("Amoxicillin 250 MG Oral Capsule", "Amoxicillin 250 MG Oral Capsule"),
    ("Warf 5 Tablet", "Warfarin (5mg)"),
];

struct Scene {
    stack: Stack,
    platform: Client,
    clinic: TestClinic,
    other: TestClinic,
}

impl Scene {
    /// Two clinics and a platform with a small catalogue.
    async fn set() -> Self {
        let stack = Stack::start().await;
        let platform = stack.platform().await;
        for (name, composition) in BRANDS {
            let body = json!({"name": name, "composition": composition});
            platform.post("/api/v1/medicines", body).await.expect(201);
        }
        let (clinic, other) =
            (TestClinic::register(&stack.client()).await, TestClinic::register(&stack.client()).await);
        stack.caught_up().await;
        Self { stack, platform, clinic, other }
    }

    async fn id_of(&self, name: &str) -> String {
        let found =
            self.clinic.get(&format!("/medicines/search?q={}", name.replace(' ', "+"))).await.expect(200).json();
        assert_eq!(found["items"][0]["name"], name, "{found}");
        found["items"][0]["id"].as_str().expect("an id").to_owned()
    }
}

/// The names that a search finds, the best first.
async fn found(clinic: &TestClinic, q: &str) -> Vec<String> {
    names(&clinic.get(&format!("/medicines/search?q={q}")).await.expect(200))
}

fn names(answer: &Answer) -> Vec<String> {
    let body = answer.json();
    let items = body["items"].as_array().expect("items").iter();
    items.map(|item| item["name"].as_str().expect("a name").to_owned()).collect()
}

async fn put(client: &Client, path: &str, version: i64, body: Value) -> Answer {
    let client = client.with("if-match", format!("\"{version}\""));
    client.send(Method::PUT, path, Some(body.to_string().into_bytes())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_medicine_is_found_as_one_types() {
    let scene = Scene::set().await;
    let clinic = &scene.clinic;
    // What begins as it is typed comes first, the shortest of them before the others.
    assert_eq!(found(clinic, "a").await.first().map(String::as_str), Some("Almox 500 Capsule"));
    assert_eq!(found(clinic, "aug").await, ["Augmentin 625 Duo Tablet", "Augmentin Duo Oral Suspension"]);
    assert_eq!(found(clinic, "augmentin+62").await, ["Augmentin 625 Duo Tablet"]);
    // By what is in it, in whichever words.
    assert_eq!(found(clinic, "clavulanic").await.len(), 2);
    assert_eq!(found(clinic, "amoxycillin+625").await, ["Augmentin 625 Duo Tablet"]);
    let amoxicillin = found(clinic, "amoxi").await;
    assert_eq!(amoxicillin.first().map(String::as_str), Some("Amoxicillin 250 MG Oral Capsule"));
    // Within a word, and with a slip of the pen.
    assert_eq!(found(clinic, "mentin").await.len(), 2);
    assert_eq!(found(clinic, "augmantin").await.len(), 2);
    assert_eq!(found(clinic, "paracetmol").await, ["Dolo 650 Tablet", "Calpol 500mg Tablet"]);
    assert_eq!(found(clinic, "azitral").await, ["Azithral 500 Tablet"]);
    assert_eq!(found(clinic, "zzzz").await, Vec::<String>::new());
    assert_eq!(
        clinic.get("/medicines/search?q=amox&limit=1").await.expect(200).json()["items"].as_array().unwrap().len(),
        1
    );
    for wrong in ["", "q=", "q=%25", "q=a&limit=0", "q=a&colour=red"] {
        clinic.get(&format!("/medicines/search?{wrong}")).await.expect(400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_override_and_a_hidden_medicine_are_seen_by_one_clinic_only() {
    let scene = Scene::set().await;
    let (clinic, other) = (&scene.clinic, &scene.other);
    let (dolo, calpol) = (scene.id_of("Dolo 650 Tablet").await, scene.id_of("Calpol 500mg Tablet").await);
    let path = format!("/medicines/{dolo}");
    assert_eq!(clinic.get(&path).await.expect(200).json()["version"], 0);
    let ours = json!({"name": "Dolo, our shelf", "composition": "Paracetamol (650mg)",
        "price": {"minor": 3000, "currency": "INR"}});
    clinic.post(&format!("{path}/override"), ours.clone()).await.expect(200);
    let hidden = clinic.post(&format!("/medicines/{calpol}/hide"), json!({})).await.expect(200);
    let seen = clinic.get_at(hidden.position(), &path).await.expect(200);
    assert_eq!((seen.text_of("name").as_str(), seen.json()["overridden"].clone()), ("Dolo, our shelf", json!(true)));
    assert_eq!((seen.json()["version"].clone(), seen.text_of("catalogue").as_str()), (json!(1), "platform"));
    assert_eq!(found(clinic, "dolo").await, ["Dolo, our shelf"]);
    assert_eq!(found(clinic, "650").await, ["Dolo, our shelf"], "not under its old name as well");
    assert_eq!(found(clinic, "calpol").await, Vec::<String>::new());
    assert_eq!(names(&clinic.get("/medicines?status=hidden").await.expect(200)), ["Calpol 500mg Tablet"]);
    let listed = names(&clinic.get("/medicines").await.expect(200));
    assert_eq!((listed.len(), listed.contains(&"Dolo, our shelf".to_owned())), (7, true));
    assert!(!listed.contains(&"Calpol 500mg Tablet".to_owned()));

    // The other clinic sees the platform's, all of it.
    assert_eq!(found(other, "dolo").await, ["Dolo 650 Tablet"]);
    assert_eq!(found(other, "calpol").await, ["Calpol 500mg Tablet"]);
    assert_eq!(names(&other.get("/medicines").await.expect(200)).len(), 8);
    assert_eq!(names(&other.get("/medicines?status=hidden").await.expect(200)), Vec::<String>::new());

    clinic.post(&format!("{path}/lift-override"), json!({})).await.expect(200);
    let shown = clinic.post(&format!("/medicines/{calpol}/show"), json!({})).await.expect(200);
    let back = clinic.get_at(shown.position(), &path).await.expect(200);
    assert_eq!((back.text_of("name").as_str(), back.json()["version"].clone()), ("Dolo 650 Tablet", json!(2)));
    assert_eq!(found(clinic, "calpol").await, ["Calpol 500mg Tablet"]);

    // What the platform retires is gone for everybody, whatever they call it.
    let again = clinic.post(&format!("{path}/override"), ours).await.expect(200);
    scene.platform.post(&format!("/api/v1/medicines/{dolo}/retire"), json!({})).await.expect(200);
    scene.stack.caught_up().await;
    clinic.get_at(again.position(), "/medicines").await.expect(200);
    assert_eq!((found(clinic, "dolo").await.len(), found(other, "dolo").await.len()), (0, 0));
    assert_eq!(clinic.get(&path).await.expect(200).text_of("status"), "retired");
    assert_eq!(names(&clinic.get("/medicines?status=retired").await.expect(200)), ["Dolo, our shelf"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clinics_own_medicine_is_its_own() {
    let scene = Scene::set().await;
    let (clinic, other) = (&scene.clinic, &scene.other);
    let body = json!({"name": "House cough mixture", "generic_name": "cough mixture", "form": "syrup", "unit": "mL",
        "ingredients": [{"name": "Dextromethorphan", "strength": "5mg/5ml"}],
        "doses": {"unit": "mg", "max_single": 30, "max_daily": "120"}});
    let added = clinic.post("/medicines", body.clone()).await.expect(201);
    assert_eq!(added.header("location"), clinic.path(&format!("/medicines/{}", added.id())));
    let path = format!("/medicines/{}", added.id());
    let seen = clinic.get_at(added.position(), &path).await.expect(200);
    assert_eq!(
        (seen.text_of("catalogue").as_str(), seen.json()["doses"]["max_daily"].clone()),
        ("clinic", json!(120.0))
    );
    assert_eq!(seen.json()["ingredients"][0]["name"], "dextromethorphan");
    assert_eq!(found(clinic, "cough").await, ["House cough mixture"]);
    assert_eq!(names(&clinic.get("/medicines?catalogue=clinic").await.expect(200)), ["House cough mixture"]);
    assert_eq!(found(other, "cough").await, Vec::<String>::new());
    other.get(&path).await.expect(404);

    let stale = put(&clinic.admin, &clinic.path(&path), 7, body.clone()).await.expect(412);
    assert_eq!(stale.code(), "stale-version");
    let mut better = body.clone();
    better["name"] = json!("House cough syrup");
    let updated = put(&clinic.admin, &clinic.path(&path), 1, better).await.expect(200);
    let seen = clinic.get_at(updated.position(), &path).await.expect(200);
    assert_eq!(
        (seen.text_of("name").as_str(), seen.header("etag")),
        ("House cough syrup", format!("\"2.{}\"", updated.position()).as_str())
    );
    clinic.admin.with("if-none-match", seen.header("etag")).get(&clinic.path(&path)).await.expect(304);
    let retired = clinic.post(&format!("{path}/retire"), json!({})).await.expect(200);
    clinic.get_at(retired.position(), &path).await.expect(200);
    assert_eq!(found(clinic, "cough").await, Vec::<String>::new());
    assert_eq!(put(&clinic.admin, &clinic.path(&path), 3, body).await.expect(409).code(), "medicine-retired");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_administrators_change_the_clinics_medicines_and_nobody_of_a_clinic_the_platforms() {
    let scene = Scene::set().await;
    let clinic = &scene.clinic;
    let dolo = scene.id_of("Dolo 650 Tablet").await;
    for role in ["nurse", "receptionist", "pharmacist", "lab_technician", "billing", "auditor"] {
        let client = clinic.staff(&[role]).await;
        client.get(&clinic.path("/medicines/search?q=dolo")).await.expect(200);
        for (below, body) in
            [("/medicines", json!({"name": "X"})), (format!("/medicines/{dolo}/hide").as_str(), json!({}))]
        {
            assert_eq!(client.post(&clinic.path(below), body).await.expect(403).code(), "forbidden", "{role} {below}");
        }
    }
    let (hers, here) = (&clinic.admin, format!("/medicines/{dolo}"));
    let refused = put(hers, &clinic.path(&here), 0, json!({"name": "Mine"})).await.expect(422);
    assert_eq!(refused.code(), "medicine-of-platform");
    assert_eq!(clinic.post(&format!("{here}/retire"), json!({})).await.expect(422).code(), "medicine-of-platform");
    let at_platform = format!("/api/v1/medicines/{dolo}");
    assert_eq!(hers.post(&format!("{at_platform}/retire"), json!({})).await.expect(403).code(), "forbidden");
    hers.post("/api/v1/medicines", json!({"name": "X"})).await.expect(403);
    put(&scene.platform, &at_platform, 1, json!({"name": "Dolo 650 Tab"})).await.expect(200);
    put(&scene.platform, &at_platform, 1, json!({"name": "Dolo"})).await.expect(412);
    scene.platform.post("/api/v1/medicines", json!({"name": "X", "colour": "red"})).await.expect(400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_read_page_by_page_without_a_gap_and_without_a_double() {
    let scene = Scene::set().await;
    let clinic = &scene.clinic;
    clinic.post("/medicines", json!({"name": "Basic cream"})).await.expect(201);
    let dolo = scene.id_of("Dolo 650 Tablet").await;
    let ours = clinic.post(&format!("/medicines/{dolo}/override"), json!({"name": "Aadolo"})).await.expect(200);
    clinic.get_at(ours.position(), "/medicines").await.expect(200);
    let whole = names(&clinic.get("/medicines?limit=200").await.expect(200));
    let (mut pages, mut next) = (Vec::new(), Some(String::new()));
    while let Some(cursor) = next {
        let after = if cursor.is_empty() { cursor } else { format!("&cursor={cursor}") };
        let page = clinic.get(&format!("/medicines?limit=2{after}")).await.expect(200);
        pages.extend(names(&page));
        next = page.json()["next"].as_str().map(str::to_owned);
    }
    assert_eq!(pages, whole);
    assert_eq!((whole.len(), whole[0].as_str()), (9, "Aadolo"));
    assert!(whole.is_sorted_by_key(|name| name.to_lowercase()), "{whole:?}");
}
