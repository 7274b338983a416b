//! Pages, cursors, filters and sorts.

use std::collections::BTreeSet;

use events::Role;

use crate::world::{Answer, World};

fn next_path(answer: &Answer) -> Option<String> {
    let link = answer.headers.get("link")?.to_str().unwrap();
    Some(link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap().to_owned())
}

#[tokio::test]
async fn pages_stay_whole_while_others_register() {
    let world = World::new().await;
    let mut clinic = world.clinic(1).await;
    let first: BTreeSet<String> = (0..7).map(|_| clinic.history.registered("Asha").to_string()).collect();
    world.publish(&clinic).await;
    let login = world.login(&clinic, &[Role::Receptionist]).await;
    for sort in ["number", "-number"] {
        let mut seen = Vec::new();
        let mut path = Some(clinic.path(&format!("/patients?limit=3&sort={sort}")));
        while let Some(next) = path {
            let page = world.get(&login, &next).await;
            seen.extend(page.ids().into_iter().map(str::to_owned));
            assert_eq!(page.body["next"].is_null(), next_path(&page).is_none());
            path = next_path(&page);
            clinic.history.registered("Late");
            world.publish(&clinic).await;
            assert!(seen.len() < 100, "pages come to an end");
        }
        let unique: BTreeSet<String> = seen.iter().cloned().collect();
        assert_eq!(unique.len(), seen.len(), "nothing twice ({sort})");
        assert!(first.is_subset(&unique), "nothing left out ({sort})");
    }
}

#[tokio::test]
async fn what_a_list_does_not_take_is_400() {
    let world = World::new().await;
    let mut clinic = world.clinic(1).await;
    for _ in 0..3 {
        clinic.history.registered("Asha");
    }
    world.publish(&clinic).await;
    let login = world.login(&clinic, &[Role::ClinicAdmin]).await;
    for query in [
        "limit=0",
        "limit=201",
        "limit=x",
        "colour=red",
        "status=unheard-of",
        "sort=name",
        "sort=number&sort=-number",
        "as_of=1",
    ] {
        let answer = world.get(&login, &clinic.path(&format!("/patients?{query}"))).await;
        assert_eq!(answer.code(), (400, "invalid-parameter"), "{query}");
    }
    for path in [
        "/appointments?status=x",
        "/appointments?doctor=x",
        "/appointments?from=yesterday",
        "/staff?role=king",
        "/doctors?status=away",
        "/offices?open=maybe",
        "/patients/search",
        "/patients/search?q=",
        "/patients/search?q=a&sort=x",
    ] {
        let answer = world.get(&login, &clinic.path(path)).await;
        assert_eq!(answer.code(), (400, "invalid-parameter"), "{path}");
    }
    let page = world.get(&login, &clinic.path("/patients?limit=1")).await;
    let cursor = page.body["next"].as_str().unwrap();
    for garbage in ["x", "e30", &cursor[1..], &format!("{cursor}A")] {
        let answer = world.get(&login, &clinic.path(&format!("/patients?limit=1&cursor={garbage}"))).await;
        assert_eq!(answer.code(), (400, "invalid-cursor"), "{garbage}");
    }
    let elsewhere = world.get(&login, &clinic.path(&format!("/patients?status=active&cursor={cursor}"))).await;
    assert_eq!(elsewhere.code(), (400, "invalid-cursor"));
    let staff = world.get(&login, &clinic.path(&format!("/staff?cursor={cursor}"))).await;
    assert_eq!(staff.code(), (400, "invalid-cursor"));
}

#[tokio::test]
async fn the_directory_goes_on_where_it_stopped_and_shows_no_more_than_it_should() {
    let world = World::new().await;
    for n in 1..=3 {
        world.clinic(n).await;
    }
    let first = world.ask(None, "/api/v1/clinics?limit=2", &[]).await;
    let rest = world.ask(None, &next_path(&first).unwrap(), &[]).await;
    assert_eq!((first.items().len(), rest.items().len(), next_path(&rest)), (2, 1, None));
    let entry = first.items()[0].as_object().unwrap();
    assert_eq!(entry.keys().collect::<Vec<_>>(), ["name", "slug", "city"]);
    let plans = world.ask(None, "/api/v1/plans", &[]).await;
    assert_eq!(plans.items()[1]["price_per_month"], serde_json::json!({"minor": 299_900, "currency": "INR"}));
    assert_eq!(plans.items()[3]["limits"]["doctors"], serde_json::Value::Null);
}
