//! Every query that there is, taken from the OpenAPI document, so that one which is added later is compared as well.

use std::collections::BTreeMap;

use futures::{StreamExt, stream};
use serde_json::{Map, Value, json};
use tests::{Client, Stack, working_time};

use super::{
    moves::Moves,
    twins::{OF_MERGES, OfMerge, Twins, World},
};

/// Requests on their way at once.
const AT_ONCE: usize = 8;
const BASE: &str = "/clinic/{slug}/api/v1";

/// Routes whose answers are not those of a clinic without the merge, and why.
pub(super) const NOT_COMPARED: [(&str, &str); 17] = [
    ("/audit/access", "who looked when: other looks, recorded at other positions"),
    ("/audit/access/{position}", "the same"),
    ("/audit/trail", "both ledgers together, so the looks are among it"),
    ("/audit/fhir", "the same, in FHIR's words"),
    ("/audit/events/{position}", "an entry of the list, with the hashes of this chain"),
    ("/audit/proofs/{position}", "hashes of this chain"),
    ("/audit/checkpoints", "hashes of this chain"),
    ("/audit/verify", "hashes of this chain"),
    ("/audit/export", "the rows themselves, merges among them"),
    ("/audit/replays", "what was asked for is no part of the record"),
    ("/audit/replays/{id}", "the same"),
    ("/patients/{id}/access-log", "who looked when"),
    ("/prescriptions/{id}/pdf", "what the resource says, set in type together with the moment of printing"),
    ("/invoices/{id}/pdf", "the same"),
    ("/lab-reports/{id}/pdf", "the same"),
    ("/visits/{id}/pdf", "the same"),
    ("/patients/{id}/export", "the rows themselves; what they hold is compared when the logs are"),
];

/// A query of the document.
pub(super) struct Route {
    /// `/patients/{id}/notes`
    pub below: String,
    parameters: Vec<(String, bool)>,
}

impl Route {
    pub(super) fn takes(&self, parameter: &str) -> bool {
        self.parameters.iter().any(|(name, _)| name == parameter)
    }

    /// Of one person, under each of their ids: while they are merged, of both.
    pub(super) fn is_of_person(&self) -> bool {
        let of_chart = self.below.starts_with("/dental-charts/{id}") && !self.below.ends_with("/history");
        self.below.starts_with("/patients/{id}") || of_chart
    }
}

/// All that are compared.
pub(super) async fn routes(stack: &Stack) -> Vec<Route> {
    let document = stack.client().get("/openapi.json").await.expect(200).json();
    let paths = document["paths"].as_object().expect("paths").iter();
    let queries = paths.filter_map(|(path, operations)| Some((path.strip_prefix(BASE)?, operations.get("get")?)));
    let routes = queries.map(|(below, query)| {
        let parameters = query["parameters"].as_array().into_iter().flatten();
        let of_query = parameters.filter(|parameter| parameter["in"] == "query");
        let name = |parameter: &Value| parameter["name"].as_str().expect("a name").to_owned();
        let parameters = of_query.map(|parameter| (name(parameter), parameter["required"] == true)).collect();
        Route { below: below.to_owned(), parameters }
    });
    let mut routes: Vec<Route> = routes.collect();
    let known = |below: &str| routes.iter().any(|route| route.below == below);
    assert!(NOT_COMPARED.iter().all(|(below, _)| known(below)), "a route that is not compared is none any more");
    routes.retain(|route| NOT_COMPARED.iter().all(|(below, _)| *below != route.below));
    routes
}

/// Things that are in no patient's record, by their collections.
pub(super) type Others = BTreeMap<&'static str, Vec<String>>;

/// What a route is asked, with ids of the first clinic: of each thing that there is, and of each of the two.
pub(super) fn addresses(route: &Route, moves: &Moves, others: &Others) -> Vec<String> {
    let collection = route.below.split('/').nth(1).unwrap_or_default();
    let paths: Vec<String> = match route.below.contains("{id}") {
        true => ids(collection, moves, others).iter().map(|id| route.below.replace("{id}", id)).collect(),
        false => vec![route.below.clone()],
    };
    let queries = queries(route, moves);
    let limit = if route.takes("limit") { "limit=100&" } else { "" };
    let address = |path: &String| {
        let path = path.replace("{tooth}", "16");
        queries.iter().map(move |query| format!("{path}?{limit}{query}")).collect::<Vec<_>>()
    };
    paths.iter().flat_map(address).collect()
}

fn ids(collection: &str, moves: &Moves, others: &Others) -> Vec<String> {
    let kind = match collection {
        "patients" | "dental-charts" => return moves.patients.to_vec(),
        "appointments" => "appointment",
        "visits" => "visit",
        "prescriptions" => "prescription",
        "lab-orders" => "order",
        "lab-reports" => "report",
        "notes" => "note",
        "documents" => "document",
        "charges" => "charge",
        "invoices" => "invoice",
        "case-studies" => "study",
        other => return others.get(other).unwrap_or_else(|| panic!("{other} has no id to ask for")).clone(),
    };
    let ids: Vec<String> = moves.all(kind).iter().map(|thing| thing.id.clone()).collect();
    assert!(!ids.is_empty(), "there is no {kind}");
    ids
}

/// The parameters that it cannot do without; and each of the two patients where it may name one.
fn queries(route: &Route, moves: &Moves) -> Vec<String> {
    let day = working_time(0, 10, 0).date_naive();
    let required = route.parameters.iter().filter(|(_, required)| *required);
    let required = required.map(|(name, _)| match name.as_str() {
        "q" => "q=ash".to_owned(),
        "code" => "code=FEVER".to_owned(),
        "office" => format!("office={}", moves.office),
        "date" => format!("date={day}"),
        other => panic!("the parameter {other} of {} has no value to ask with", route.below),
    });
    let required = required.collect::<Vec<_>>().join("&");
    let mut queries = vec![required.clone()];
    if route.takes("patient") && !route.below.contains("{id}") {
        queries.extend(moves.patients.iter().map(|patient| format!("{required}&patient={patient}")));
    }
    queries
}

/// An answer: its status, and its body with all pages of a list; of a refusal its code.
pub(super) type Told = (u16, Value);

/// The answers of one clinic, by address; `word` makes an address of this clinic out of one of the first.
pub(super) async fn ask(
    world: &World,
    who: &str,
    addresses: &[String],
    word: impl Fn(&str) -> String + Copy,
) -> BTreeMap<String, Told> {
    let client = world.who(who);
    let client = &client;
    let answers = stream::iter(addresses)
        .map(|address| async move { (address.clone(), all_pages(client, world, &word(address)).await) });
    answers.buffer_unordered(AT_ONCE).collect().await
}

async fn all_pages(client: &Client, world: &World, address: &str) -> Told {
    let mut items: Vec<Value> = Vec::new();
    let mut cursor = String::new();
    loop {
        let answer = client.get(&world.clinic.path(&format!("{address}{cursor}"))).await;
        let status = answer.status.as_u16();
        if status != 200 {
            return (status, json!(answer.code()));
        }
        let mut body = match serde_json::from_str(&answer.text) {
            Ok(body) => body,
            Err(_) => return (status, json!(answer.text)),
        };
        let Value::Object(list) = &mut body else { return (status, body) };
        let Some(Value::Array(page)) = list.get_mut("items") else { return (status, body) };
        items.append(page);
        match list.remove("next") {
            Some(Value::String(next)) => cursor = format!("&cursor={next}"),
            _ => {
                list.insert("items".to_owned(), json!(items));
                return (status, body);
            }
        }
    }
}

impl Twins {
    /// What the first clinic says, as the second says it, without what tells of merges.
    pub(super) fn as_there(&self, told: &Told) -> Told {
        let mut body = told.1.clone();
        self.without_merges(&mut body);
        let text = self.pairs.told_by_first(&body.to_string());
        (told.0, serde_json::from_str(&text).expect("it is JSON still"))
    }

    /// What the second says.
    pub(super) fn said_there(&self, told: &Told) -> Told {
        let mut body = told.1.clone();
        without_standing(&mut body);
        let text = self.pairs.told_by_second(&body.to_string());
        (told.0, serde_json::from_str(&text).expect("it is JSON still"))
    }

    fn without_merges(&self, value: &mut Value) {
        match value {
            Value::Array(items) => {
                items.retain(|item| !item["event"].as_str().is_some_and(|event| OF_MERGES.contains(&event)));
                items.iter_mut().for_each(|item| self.without_merges(item));
            }
            Value::Object(fields) => {
                self.count_again(fields);
                fields.values_mut().for_each(|field| self.without_merges(field));
                strip_standing(fields);
            }
            _ => {}
        }
    }

    /// Positions and versions as they would be without the events of merges.
    fn count_again(&self, fields: &mut Map<String, Value>) {
        let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (id, patient) = (text("id"), text("patient_id"));
        let (of_stream, is_record) = match fields.get("resource").or(fields.get("kind")) {
            Some(kind) if fields.contains_key("resource_id") => (text("resource_id"), kind == "patient"),
            Some(kind) => (id, kind == "patient"),
            None => (id, fields.contains_key("registered_at")),
        };
        let less = |name: &str, is_counted: &dyn Fn(&OfMerge, i64) -> bool| {
            let was = fields.get(name).and_then(Value::as_i64)?;
            Some(was - self.merges.iter().filter(|merge| is_counted(merge, was)).count() as i64)
        };
        let position = less("position", &|merge, was| merge.position <= was);
        let version = less("version", &|merge, was| is_record && merge.whose == of_stream && merge.version <= was);
        let chart = less("patient_version", &|merge, was| merge.whose == patient && merge.chart <= was);
        for (name, value) in [("position", position), ("version", version), ("patient_version", chart)] {
            if let Some(value) = value {
                fields.insert(name.to_owned(), json!(value));
            }
        }
    }
}

/// Where a record stands is told as a change where it is one: not while it is merged. And a place in the access ledger
/// depends on who looked before.
fn strip_standing(fields: &mut Map<String, Value>) {
    if let Some(Value::Array(changes)) = fields.get_mut("changes") {
        changes.retain(|change| change["field"] != "status");
    }
    fields.remove("access_position");
}

fn without_standing(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(without_standing),
        Value::Object(fields) => {
            fields.values_mut().for_each(without_standing);
            strip_standing(fields);
        }
        _ => {}
    }
}

/// What is each record's own, and not the person's.
const OWN: [&str; 13] = [
    "id",
    "number",
    "version",
    "status",
    "registered_at",
    "merged_into",
    "merged_ids",
    "patient_id",
    "begun_at",
    "changed_at",
    "none_known_since",
    "confidentiality",
    "position",
];

/// Two answers of separate records as one of the person's: lists together, all else as the first one's, the survivor's.
pub(super) fn union(first: &Value, second: &Value) -> Value {
    match (first, second) {
        (Value::Array(first), Value::Array(second)) => sorted(first.iter().chain(second)),
        (Value::Object(first), Value::Object(second)) => {
            let fields = first.iter().filter(|(name, _)| !OWN.contains(&name.as_str()));
            fields.map(|(name, value)| (name.clone(), union(value, &second[name]))).collect()
        }
        _ => first.clone(),
    }
}

/// An answer of the person's, so that it can be compared with that.
pub(super) fn of_person(told: &Value) -> Value {
    match told {
        Value::Array(items) => sorted(items.iter()),
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(name, _)| !OWN.contains(&name.as_str()));
            fields.map(|(name, value)| (name.clone(), of_person(value))).collect()
        }
        _ => told.clone(),
    }
}

/// In an order that depends on nothing but what they are.
fn sorted<'v>(items: impl Iterator<Item = &'v Value>) -> Value {
    let mut texts: Vec<String> = items.map(Value::to_string).collect();
    texts.sort();
    json!(texts)
}
