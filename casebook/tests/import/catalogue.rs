//! Lists of medicines, substances and interactions: the real ones and those that come along, killed and gone on with.

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
};

use event_store::Store;
use events::{
    CatalogueId, ClinicId, DomainEvent, MedicineEvent, Recorded, StreamId, SubstanceEvent, SubstanceId,
    catalogue::{CatalogueEvent, CatalogueList},
    medicine::MedicineEntry,
    substance::InteractionSeverity,
};

use crate::{
    crash::{kill_at, recorded},
    world::{World, said, started},
};

const MAPPINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/mappings");
const HEADER: &str =
    "id,name,price(₹),Is_discontinued,manufacturer_name,type,pack_size_label,short_composition1,short_composition2\n";

/// `None`, said aloud: the lists lie outside the repository, and are not here.
fn list(file: &str) -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data");
    let folder = env::var_os("CASEBOOK_SHARED_DATA").map_or_else(|| beside.into(), PathBuf::from);
    let file = folder.join("medicines").join(file);
    if !file.exists() {
        eprintln!("SKIPPED: the real data is absent ({}); CASEBOOK_SHARED_DATA names its folder", file.display());
    }
    file.exists().then_some(file)
}

/// The words of `casebook import medicines` for a list of brands.
fn brands(file: &Path) -> Vec<String> {
    medicines(file, "indian-brands.toml")
}

fn medicines(file: &Path, mapping: &str) -> Vec<String> {
    let mapping = format!("{MAPPINGS}/{mapping}");
    ["medicines", file.to_str().unwrap(), "--mapping", &mapping].map(str::to_owned).to_vec()
}

fn import(world: &World, what: &[String]) -> String {
    let words: Vec<&str> = what.iter().map(String::as_str).collect();
    said(world.importing(&words).output().unwrap())
}

async fn platform(store: &Store) -> Vec<Recorded> {
    store.read_clinic(ClinicId::PLATFORM, 0, 100_000).await.unwrap()
}

/// What the platform's catalogue holds: each medicine's entry, and whether it was retired.
async fn catalogue(store: &Store) -> BTreeMap<StreamId, (MedicineEntry, bool)> {
    let mut medicines = BTreeMap::new();
    for recorded in platform(store).await {
        let DomainEvent::Medicine(event) = recorded.event else { continue };
        match event {
            MedicineEvent::MedicineAdded { entry } => {
                assert!(medicines.insert(recorded.stream, (entry, false)).is_none(), "added twice");
            }
            MedicineEvent::MedicineUpdated { entry } => medicines.get_mut(&recorded.stream).unwrap().0 = entry,
            MedicineEvent::MedicineRetired {} => medicines.get_mut(&recorded.stream).unwrap().1 = true,
            other => panic!("a list does not cause {other:?}"),
        }
    }
    medicines
}

fn named<'c>(catalogue: &'c BTreeMap<StreamId, (MedicineEntry, bool)>, name: &str) -> &'c MedicineEntry {
    &catalogue.values().find(|(entry, _)| entry.name == name).unwrap_or_else(|| panic!("{name} is not there")).0
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_lists_are_imported_whole_though_they_are_killed_in_the_middle() {
    let Some(indian) = list("india_A_Z_medicines_sample_500.csv") else { return };
    let Some(rxnorm) = list("rxnorm_from_synthea.csv") else { return };
    let world = World::new().await;
    let store = world.store();
    let words = brands(&indian);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    // Past the table of substances that comes along, and well before the end.
    let killed_at = kill_at(started(&mut world.importing(&words)), &store, 450).await;
    assert!(killed_at < 800, "it was killed in the middle, at {killed_at}");
    let summary = import(&world, &brands(&indian));
    assert!(summary.contains("500 lines of medicines") && summary.contains("Refused lines: 0\n"), "{summary}");
    let summary = import(&world, &medicines(&rxnorm, "rxnorm-medicines.toml"));
    assert!(summary.contains("123 lines of medicines"), "{summary}");

    let all = catalogue(&store).await;
    assert_eq!((all.len(), all.values().filter(|(_, retired)| *retired).count()), (623, 37));
    let augmentin = named(&all, "Augmentin 625 Duo Tablet");
    let inside: Vec<_> = augmentin.ingredients.iter().map(|one| (one.name.as_str(), one.strength.as_deref())).collect();
    assert_eq!(inside, [("amoxicillin", Some("500mg")), ("clavulanate", Some("125mg"))]);
    assert_eq!(augmentin.classes, ["penicillins"]);
    assert_eq!(
        (augmentin.form.as_deref(), augmentin.price.as_ref().map(|price| price.minor)),
        (Some("tablet"), Some(22_342))
    );
    let american = named(&all, "Amoxicillin 250 MG / Clavulanate 125 MG Oral Tablet");
    assert_eq!(
        american.ingredients.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(),
        ["amoxicillin", "clavulanate"]
    );
    assert_eq!(named(&all, "Acetaminophen 325 MG Oral Tablet").ingredients[0].also[0], "paracetamol");
    let without: Vec<_> =
        all.values().filter(|(entry, _)| entry.ingredients.is_empty()).map(|(entry, _)| &entry.name).collect();
    assert!(without.is_empty(), "nothing is known of what is in {without:?}");

    // A further run finds all of it so already, and says no second time that it was done.
    let before = recorded(&store).await;
    import(&world, &brands(&indian));
    assert_eq!(recorded(&store).await, before);
    let imports = platform(&store).await.into_iter().filter_map(|recorded| match recorded.event {
        DomainEvent::Catalogue(CatalogueEvent::CatalogueImported { list, count, refused, sha256, .. }) => {
            assert_eq!((recorded.stream.id, sha256.len()), (CatalogueId::of(list).0, 64));
            Some((list, count, refused))
        }
        _ => None,
    });
    let substances = include_str!("../../tables/substances.csv").lines().count() as i64 - 1;
    let lists = [
        (CatalogueList::Substances, substances, 0),
        (CatalogueList::Medicines, 500, 0),
        (CatalogueList::Medicines, 123, 0),
    ];
    assert_eq!(imports.collect::<Vec<_>>(), lists);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_edition_changes_what_has_changed_and_refused_lines_are_told() {
    let world = World::new().await;
    let store = world.store();
    let row = |id: u32, name: &str, price: &str, gone: &str| {
        format!("{id},{name},{price},{gone},Maker,allopathy,strip of 10 tablets,Paracetamol (500mg),\n")
    };
    let first =
        [row(1, "Dolo", "10", "FALSE"), row(2, "Calpol", "12.50", "FALSE"), row(3, "Old", "1", "TRUE")].concat();
    let file = world.write("first.csv", format!("{HEADER}{first}"));
    import(&world, &brands(&file));
    let before = catalogue(&store).await;
    assert_eq!(before.len(), 3);
    let second = [
        row(1, "Dolo", "11", "FALSE"),
        row(2, "Calpol", "12.50", "TRUE"),
        row(3, "Old", "1", "FALSE"),
        row(4, "New", "a lot", "FALSE"),
        row(5, "Newest", "5", "FALSE"),
    ];
    let file = world.write("second.csv", format!("{HEADER}{}", second.concat()));
    let report = world.path("report.csv");
    let mut words = brands(&file);
    words.extend(["--report".to_owned(), report.to_str().unwrap().to_owned()]);
    let summary = import(&world, &words);
    assert!(summary.contains("3 lines of medicines") && summary.contains("Refused lines: 2"), "{summary}");
    let report = std::fs::read_to_string(report).unwrap();
    let lines: Vec<_> =
        report.lines().skip(1).map(|line| line.split(',').take(3).collect::<Vec<_>>().join(",")).collect();
    assert_eq!(lines, ["4,add-medicine,medicine-retired", "5,read,unreadable"]);
    let after = catalogue(&store).await;
    assert_eq!((after.len(), named(&after, "Dolo").price.as_ref().unwrap().minor), (4, 1_100));
    assert_eq!(after.values().filter(|(_, retired)| *retired).count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_interactions_is_kept_under_the_names_that_the_platform_knows() {
    let world = World::new().await;
    let store = world.store();
    let summary = import(&world, &["interactions".to_owned()]);
    assert!(summary.contains("Refused lines: 0\n"), "{summary}");
    let text = "ingredient_a,ingredient_b,severity,text\nWarfarin,Acetylsalicylic acid,moderate,Bleeding.\n\
                aspirin,warfarin,severe,More bleeding.\nparacetamol,acetaminophen,minor,One and the same.\n";
    let file = world.write("own.csv", text);
    let own = ["interactions", file.to_str().unwrap(), "--source", "Our pharmacy"].map(str::to_owned);
    assert!(import(&world, &own).contains("2 lines of interactions"));
    let aspirin: StreamId = SubstanceId::of("aspirin").into();
    let set: Vec<_> = platform(&store).await.into_iter().filter(|recorded| recorded.stream == aspirin).collect();
    let of_ours = set.into_iter().find_map(|recorded| match recorded.event {
        DomainEvent::Substance(SubstanceEvent::InteractionsSet { interactions, source, .. })
            if source == "Our pharmacy" =>
        {
            Some(interactions)
        }
        _ => None,
    });
    let of_ours = of_ours.expect("the table was taken");
    assert_eq!((of_ours.len(), of_ours[0].severity), (1, InteractionSeverity::Severe));
    assert_eq!(of_ours[0].ingredients, ["aspirin", "warfarin"]);
    let before = recorded(&store).await;
    import(&world, &own);
    assert_eq!(recorded(&store).await, before);
}
