//! `make import-real`: the whole real book, killed in the middle, and compared with itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    thread::available_parallelism,
    time::{Duration, Instant},
};

use casebook::import::{
    mapping::Mapping,
    plan::{ClinicPlan, plan},
    source::Book,
};
use chrono::Utc;
use flate2::read::MultiGzDecoder;

use crate::{
    crash::{kill_in_the_middle, recorded},
    log::{self, Counts},
    project::projected,
    world::{MAPPING, World, said},
};

const FILE: &str = "appointments/appointments-a-to-i.csv.gz";
const RESULT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/results/import.md");
/// What the data's own description says of them.
const CLINICS: usize = 37;
const TOTAL: Counts = Counts { patients: 22_909, booked: 40_678, fulfilled: 32_108, no_shows: 8_570 };

/// The data lies outside the repository: its licence forbids a copy.
fn shared_data() -> PathBuf {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data");
    env::var_os("CASEBOOK_SHARED_DATA").map_or_else(|| beside.into(), PathBuf::from)
}

/// Counted from the file, with nothing of the import's own.
fn counted(file: &Path) -> BTreeMap<String, Counts> {
    let mut csv = csv::Reader::from_reader(MultiGzDecoder::new(fs::File::open(file).unwrap()));
    let header = csv.headers().unwrap().clone();
    let column = |name: &str| header.iter().position(|found| found == name).unwrap();
    let (clinic, patient, missed) = (column("Neighbourhood"), column("PatientId"), column("No-show"));
    let (mut clinics, mut patients): (BTreeMap<String, Counts>, BTreeSet<_>) = Default::default();
    for row in csv.records() {
        let row = row.unwrap();
        let counts = clinics.entry(row[clinic].to_owned()).or_default();
        counts.patients += usize::from(patients.insert((row[clinic].to_owned(), row[patient].to_owned())));
        counts.booked += 1;
        counts.fulfilled += usize::from(&row[missed] == "No");
        counts.no_shows += usize::from(&row[missed] == "Yes");
    }
    clinics
}

fn total(clinics: &BTreeMap<String, Counts>) -> Counts {
    clinics.values().fold(Counts::default(), |sum, clinic| Counts {
        patients: sum.patients + clinic.patients,
        booked: sum.booked + clinic.booked,
        fulfilled: sum.fulfilled + clinic.fulfilled,
        no_shows: sum.no_shows + clinic.no_shows,
    })
}

/// `None`, said aloud: the data is not here.
fn real_book() -> Option<PathBuf> {
    let file = shared_data().join(FILE);
    if !file.exists() {
        eprintln!("SKIPPED: the real data is absent ({}); CASEBOOK_SHARED_DATA names its folder", file.display());
    }
    file.exists().then_some(file)
}

#[test]
fn the_real_book_is_planned_whole_without_collisions_and_the_same_at_every_run() {
    let Some(file) = real_book() else { return };
    let mapping = Mapping::open(Path::new(MAPPING)).unwrap();
    let planned = || plan(Book::open(&file, &mapping).unwrap().entries, &mapping);
    let clinics = planned();
    let of = |clinic: &ClinicPlan| (clinic.name.to_string(), clinic.rows.len());
    let expected: BTreeMap<_, _> = counted(&file).into_iter().map(|(name, counts)| (name, counts.booked)).collect();
    assert_eq!(clinics.iter().map(of).collect::<BTreeMap<_, _>>(), expected);
    assert_eq!(clinics.iter().map(|clinic| &clinic.slug).collect::<BTreeSet<_>>().len(), CLINICS);
    for (clinic, again) in clinics.iter().zip(planned()) {
        let seats = |clinic: &ClinicPlan| clinic.rows.iter().map(|row| (row.doctor, row.start)).collect::<Vec<_>>();
        assert_eq!(seats(clinic), seats(&again));
        assert_eq!(seats(clinic).into_iter().collect::<BTreeSet<_>>().len(), clinic.rows.len(), "{}", clinic.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: make import-real"]
async fn the_real_book_is_imported_whole_though_it_is_killed_in_the_middle() {
    let Some(file) = real_book() else { return };
    let expected = counted(&file);
    assert_eq!((expected.len(), total(&expected)), (CLINICS, TOTAL));
    let (world, begun) = (World::durable().await, Instant::now());
    let store = world.store();
    let events = TOTAL.patients + TOTAL.booked + 3 * TOTAL.fulfilled + TOTAL.no_shows;
    let killed_at = kill_in_the_middle(&world, &store, &file, i64::try_from(events).unwrap()).await;
    let first = begun.elapsed();
    eprintln!("killed after {:.1} s at {killed_at} events; going on", first.as_secs_f64());
    let summary = said(world.import(&file));
    let second = begun.elapsed() - first;
    eprintln!("{summary}");
    assert_eq!(log::counts(&store).await, expected, "the log");
    log::assert_nothing_twice(&store).await;
    log::assert_intact(&store).await;
    let projecting = Instant::now();
    assert_eq!(projected(&world).await, expected, "the read models");
    let run = Run { killed_at, first, second, projected: projecting.elapsed(), events: recorded(&store).await };
    run.write(&world);
}

/// What a run took.
struct Run {
    killed_at: i64,
    first: Duration,
    second: Duration,
    projected: Duration,
    events: i64,
}

impl Run {
    fn write(&self, world: &World) {
        let Self { killed_at, first, second, projected, events } = self;
        let Counts { patients, booked, fulfilled, no_shows } = TOTAL;
        let (seconds, cores) = ((*first + *second).as_secs_f64(), available_parallelism().unwrap());
        let profile = if cfg!(debug_assertions) { "dev" } else { "release" };
        let text = format!(
            "# Import of the real book\n\n\
             Written by `make import-real` on {}: {cores} cores, profile {profile}, {}.\n\n\
             | what | count |\n| --- | --- |\n\
             | clinics | {CLINICS} |\n| patients | {patients} |\n| appointments | {booked} |\n\
             | fulfilled | {fulfilled} |\n| no-shows | {no_shows} |\n| events | {events} |\n\n\
             The importing process was killed with SIGKILL after {:.1} s, when the log held {killed_at} events, and \
             started again; the second run took {:.1} s. That is {:.0} rows/s and {:.0} events/s over both.\n\n\
             Patients, bookings, fulfilled appointments and no-shows of each clinic are those of the CSV file, counted \
             from the file, from the log and from the read models (projected in {:.1} s); no step was recorded twice; \
             the chain of every clinic is intact.\n",
            Utc::now().format("%Y-%m-%d"),
            postgres_version(world),
            first.as_secs_f64(),
            second.as_secs_f64(),
            booked as f64 / seconds,
            *events as f64 / seconds,
            projected.as_secs_f64(),
        );
        eprintln!("{text}");
        fs::create_dir_all(Path::new(RESULT).parent().unwrap()).unwrap();
        fs::write(RESULT, text).unwrap();
    }
}

fn postgres_version(world: &World) -> String {
    let postgres = world.programs().join("postgres");
    let version = Command::new(postgres).arg("--version").output().unwrap().stdout;
    String::from_utf8(version).unwrap().trim().to_owned()
}
