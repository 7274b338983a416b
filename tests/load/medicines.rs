//! `medicine-search`: a medicine as one types, over a catalogue of 12,000 entries, while a thousand clinics have their
//! own.

use std::{
    env,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use casebook::catalogue::{
    mapping::Mapping,
    medicines::{Line, lines},
    run::{Import, Order},
    table::Table,
};
use command_api::execute::Executor;
use domain::Medicine;
use event_store::{DbRole, NewEvent, Store};
use events::{
    ClinicId, MedicineEvent, MedicineId,
    medicine::{Ingredient, MedicineEntry},
};
use futures::{StreamExt, TryStreamExt, future::try_join_all, stream};
use rand::{Rng, seq::IndexedRandom};
use uuid::Uuid;

use crate::{
    figure::{Figure, Goal, What, percentile},
    front::{Clerk, Desk, caught_up, clerks},
    measure::Row,
    patients::{append, register_clinics},
    world::World,
};

const ENTRIES: usize = 12_000;
const CLINICS: usize = 1_000;
const OWN_PER_CLINIC: usize = 40;
/// Each types on as soon as the answer is there.
const CLERKS: usize = 4;
const AT_ONCE: usize = 64;
/// What the design asks for, at the 95th percentile.
const GOAL_MS: f64 = 20.0;
const MAPPINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../casebook/mappings");
const LISTS: [(&str, &str); 2] = [
    ("india_A_Z_medicines_sample_500.csv", "indian-brands.toml"),
    ("rxnorm_from_synthea.csv", "rxnorm-medicines.toml"),
];
/// What makes a further brand of a brand.
const VARIANTS: [&str; 20] = [
    "", "Forte", "Plus", "XR", "DS", "Kid", "LS", "Neo", "Max", "Duo", "SR", "Mini", "CV", "Gold", "AX", "Rapid",
    "Junior", "MF", "Total", "Care",
];

pub struct MedicineSearch {
    clerks: Vec<Clerk>,
    names: Vec<String>,
}

/// `None`: the lists lie outside the repository, and are not here.
pub fn lists() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data");
    let folder = env::var_os("CASEBOOK_SHARED_DATA").map_or_else(|| beside.into(), PathBuf::from).join("medicines");
    folder.is_dir().then_some(folder)
}

impl MedicineSearch {
    pub async fn new(world: &World, desks: &[Desk], lists: &Path) -> Result<Self> {
        let catalogue = catalogue(lists)?;
        let names = catalogue.iter().map(|line| line.command.medicine.name.to_string()).collect();
        fill_platform(&world.store_as(DbRole::Projector)?, catalogue).await?;
        let store = world.store()?;
        let clinics = register_clinics(&store, CLINICS).await?;
        let all = clinics.into_iter().chain(desks.iter().map(|desk| ClinicId(desk.clinic)));
        let own = all.map(|clinic| store.append(own_entries(clinic)));
        stream::iter(own).buffer_unordered(AT_ONCE).try_for_each(|_| async { Ok(()) }).await?;
        caught_up(world).await?;
        world.analyze("read.medicine_1").await?;
        Ok(Self { clerks: clerks(desks, CLERKS).await?, names })
    }
}

/// The entries that are supplied, and further brands made of them.
fn catalogue(folder: &Path) -> Result<Vec<Line>> {
    let mut supplied = Vec::new();
    for (file, mapping) in LISTS {
        let mapping = Mapping::open(&Path::new(MAPPINGS).join(mapping))?;
        let table = Table::open(&folder.join(file), mapping.delimiter, mapping.columns())?;
        supplied.extend(lines(&table, &mapping).0.into_iter().map(|(_, line)| line));
    }
    let variants = VARIANTS.iter().enumerate().flat_map(|(n, variant)| {
        supplied.iter().map(move |line| {
            let mut command = line.command.clone();
            command.discontinued = false;
            let name = renamed(command.medicine.name.as_str(), n, variant);
            command.medicine.name = name.parse().context("a name stays a name")?;
            Ok(Line { key: format!("{}/{}", line.key, variant), command })
        })
    });
    variants.take(ENTRIES).collect()
}

/// `Augmentin 625 Duo Tablet` → `Bugmentin Forte 625 Duo Tablet`: so that names begin as variously as brands do.
fn renamed(name: &str, n: usize, variant: &str) -> String {
    let (first, rest) = name.split_once(' ').unwrap_or((name, ""));
    let mut letters = first.chars();
    let turned = match letters.next() {
        Some(letter) if letter.is_ascii_alphabetic() => {
            let letter = (b'A' + (letter.to_ascii_uppercase() as u8 - b'A' + n as u8) % 26) as char;
            format!("{letter}{}", letters.as_str())
        }
        _ => first.to_owned(),
    };
    [turned.as_str(), variant, rest].iter().filter(|word| !word.is_empty()).copied().collect::<Vec<_>>().join(" ")
}

async fn fill_platform(store: &Store, catalogue: Vec<Line>) -> Result<()> {
    let orders = catalogue.into_iter().map(|line| Order {
        line: 0,
        lines: 1,
        stage: casebook::import::report::Stage::AddMedicine,
        target: MedicineId::imported("bench", &line.key).into(),
        command: line.command,
    });
    let tally = Import::new(Executor::new(store.clone())).give::<Medicine>(orders.collect()).await?;
    anyhow::ensure!(tally.taken == ENTRIES as u64, "{} entries were taken: {:?}", tally.taken, tally.refused.first());
    Ok(())
}

fn own_entries(clinic: ClinicId) -> event_store::Append {
    let events = (0..OWN_PER_CLINIC).map(|n| {
        let entry = MedicineEntry {
            name: format!("House {} {n}", ["mixture", "amoxicillin", "paracetamol", "ointment"][n % 4]),
            generic_name: None,
            ingredients: vec![Ingredient {
                name: ["codeine", "amoxicillin", "acetaminophen", "zinc oxide"][n % 4].to_owned(),
                rxnorm: None,
                strength: Some(format!("{}mg", 5 * n + 5)),
                also: Vec::new(),
            }],
            classes: Vec::new(),
            form: None,
            route: None,
            unit: None,
            strength: None,
            manufacturer: None,
            pack: None,
            price: None,
            codes: Vec::new(),
            doses: None,
        };
        let stream = MedicineId(Uuid::now_v7()).into();
        NewEvent { stream, event: MedicineEvent::MedicineAdded { entry }.into() }
    });
    append(clinic, events.collect())
}

impl Row for MedicineSearch {
    fn figures(&self) -> Vec<Figure> {
        vec![
            Figure { name: "medicine-search-p50", unit: "ms", goal: Goal::Told },
            Figure { name: "medicine-search-p95", unit: "ms", goal: Goal::AtMost(1.0) },
        ]
    }

    fn what(&self) -> What {
        What {
            ceiling: "the 20 ms that the design allows.",
            casebook: "`GET /medicines/search?q=` by 4 clients, over 12,000 entries of the platform while 1,032 clinics have \
                40 of their own: beginnings of names, two words, and words with a slip of the pen.",
        }
    }

    async fn ceiling(&mut self, _: &World, _: Duration) -> Result<Vec<f64>> {
        Ok(vec![GOAL_MS, GOAL_MS])
    }

    async fn casebook(&mut self, _: &World, turn: Duration) -> Result<Vec<f64>> {
        let until = Instant::now() + turn;
        let clerks = std::mem::take(&mut self.clerks).into_iter();
        let tasks = clerks.map(|clerk| tokio::spawn(type_until(clerk, self.names.clone(), until)));
        let mut took = Vec::new();
        for done in try_join_all(tasks).await? {
            let (clerk, seen) = done?;
            self.clerks.push(clerk);
            took.extend(seen);
        }
        Ok(vec![percentile(&mut took, 0.5), percentile(&mut took, 0.95)])
    }
}

/// Searches one thing after another; how long each took, in milliseconds.
async fn type_until(mut clerk: Clerk, names: Vec<String>, until: Instant) -> Result<(Clerk, Vec<f64>)> {
    let mut took = Vec::new();
    while Instant::now() < until {
        let typed = typed(names.choose(&mut rand::rng()).context("there are names")?);
        let asked = Instant::now();
        clerk.search_medicines(&typed).await?;
        took.push(asked.elapsed().as_secs_f64() * 1e3);
    }
    Ok((clerk, took))
}

/// What somebody types who looks for this name.
fn typed(name: &str) -> String {
    let mut rng = rand::rng();
    let words: Vec<Vec<char>> = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| word.chars().collect())
        .collect();
    let Some(first) = words.first() else { return "a".to_owned() };
    let begin = |word: &[char], least: usize, rng: &mut rand::rngs::ThreadRng| {
        let count = rng.random_range(least.min(word.len())..=word.len());
        word[..count].iter().collect::<String>()
    };
    match rng.random_range(0..4) {
        0 | 1 => begin(first, 1, &mut rng),
        2 => {
            let second = words.get(1).unwrap_or(first);
            format!("{}+{}", first.iter().collect::<String>(), begin(second, 1, &mut rng))
        }
        _ => {
            let mut slip = first.clone();
            if slip.len() > 4 {
                slip.remove(rng.random_range(2..slip.len() - 1));
            }
            slip.into_iter().collect()
        }
    }
}
