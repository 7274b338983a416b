//! An import that is killed in the middle goes on where it was.

use std::{
    fmt::Write,
    path::Path,
    process::Child,
    time::{Duration, Instant},
};

use event_store::Store;
use rand::Rng;

use crate::{
    log::{self, Counts},
    world::{World, said},
};

const LOOK_EVERY: Duration = Duration::from_millis(5);
const WITHIN: Duration = Duration::from_secs(600);

/// Starts an import and kills it with SIGKILL once the log holds some number of events below `events`; gives the
/// number at which it was dead.
pub async fn kill_in_the_middle(world: &World, store: &Store, file: &Path, events: i64) -> i64 {
    let target = rand::rng().random_range(events / 10..events * 9 / 10);
    eprintln!("killing the import once the log holds {target} events");
    kill_at(world.start(file), store, target).await
}

/// Kills a process with SIGKILL once the log holds so many events; gives the number at which it was dead.
pub async fn kill_at(mut process: Child, store: &Store, target: i64) -> i64 {
    wait_for(store, &mut process, target).await;
    process.kill().unwrap();
    assert!(!process.wait().unwrap().success());
    recorded(store).await
}

async fn wait_for(store: &Store, process: &mut Child, target: i64) {
    let deadline = Instant::now() + WITHIN;
    while recorded(store).await < target {
        assert!(process.try_wait().unwrap().is_none(), "it ended before it could be killed");
        assert!(Instant::now() < deadline, "it does not get on");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// How many events the log holds; none before its tables are made.
pub async fn recorded(store: &Store) -> i64 {
    store.heads().await.map_or(0, |heads| heads.iter().map(|head| head.position).sum())
}

/// 600 lines of three clinics and 200 patients.
fn book() -> String {
    let mut book = "PatientId,AppointmentID,Gender,ScheduledDay,AppointmentDay,Age,Neighbourhood,No-show\n".to_owned();
    for n in 0..600 {
        let (patient, clinic, day) = (n % 200, n % 200 % 3, 2 + n % 5);
        let status = if n % 4 == 0 { "Yes" } else { "No" };
        writeln!(book, "{patient},{n},F,2016-04-18T09:00:00Z,2016-05-0{day}T00:00:00Z,40,CLINIC {clinic},{status}")
            .unwrap();
    }
    book
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_was_killed_goes_on_where_it_was_and_does_nothing_twice() {
    let world = World::new().await;
    let (file, store) = (world.write("book.csv", book()), world.store());
    let killed_at = kill_in_the_middle(&world, &store, &file, 2_300).await;
    let output = said(world.import(&file));
    assert!(output.contains("600 (450 fulfilled, 150 noshow)"), "{output}");
    assert!(recorded(&store).await > killed_at);
    let counts = log::counts(&store).await;
    let sum = |of: fn(&Counts) -> usize| counts.values().map(of).sum::<usize>();
    assert_eq!((sum(|c| c.patients), sum(|c| c.booked)), (200, 600));
    assert_eq!((sum(|c| c.fulfilled), sum(|c| c.no_shows)), (450, 150));
    log::assert_nothing_twice(&store).await;
    log::assert_intact(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_book_is_imported_by_one_process_at_a_time() {
    let world = World::new().await;
    let (file, store) = (world.write("book.csv", book()), world.store());
    let mut first = world.start(&file);
    wait_for(&store, &mut first, 10).await;
    let second = world.import(&file);
    assert!(String::from_utf8(second.stderr).unwrap().contains("another process is importing this very file"));
    assert!(first.wait().unwrap().success());
}
