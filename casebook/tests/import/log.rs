//! What the log holds after an import, counted from its events.

use std::collections::{BTreeMap, BTreeSet};

use event_store::{Store, StoredRow};
use events::{ClinicEvent, ClinicId, DomainEvent, Ledger};

const PAGE_ROWS: u32 = 5_000;

/// A clinic as the book or the log has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub patients: usize,
    pub booked: usize,
    pub fulfilled: usize,
    pub no_shows: usize,
}

/// Every row of the clinics' records.
pub async fn rows(store: &Store) -> Vec<StoredRow> {
    let mut rows = Vec::new();
    for clinic in clinics(store).await {
        let mut last = 0;
        loop {
            let page = store.read_rows(clinic, Ledger::Record, last, PAGE_ROWS).await.unwrap();
            let Some(row) = page.last() else { break };
            last = row.position;
            rows.extend(page);
        }
    }
    rows
}

pub async fn clinics(store: &Store) -> Vec<ClinicId> {
    store.clinics().await.unwrap().into_iter().filter(|clinic| !clinic.is_platform()).collect()
}

pub async fn name_and_slug(store: &Store, clinic: ClinicId) -> (String, String) {
    let first = store.read_clinic(clinic, 0, 1).await.unwrap().remove(0);
    match first.event {
        DomainEvent::Clinic(ClinicEvent::ClinicRegistered { slug, profile, .. }) => (profile.name, slug),
        other => panic!("a clinic begins with its registration, not {other:?}"),
    }
}

/// By the clinics' names.
pub async fn counts(store: &Store) -> BTreeMap<String, Counts> {
    let mut counts: BTreeMap<ClinicId, Counts> = BTreeMap::new();
    for row in rows(store).await {
        let of_clinic = counts.entry(row.clinic).or_default();
        match row.event_type.as_ref() {
            "PatientRegistered" => of_clinic.patients += 1,
            "AppointmentBooked" => of_clinic.booked += 1,
            "AppointmentFulfilled" => of_clinic.fulfilled += 1,
            "AppointmentMarkedNoShow" => of_clinic.no_shows += 1,
            _ => {}
        }
    }
    let mut named = BTreeMap::new();
    for (clinic, counts) in counts {
        named.insert(name_and_slug(store, clinic).await.0, counts);
    }
    named
}

pub async fn assert_intact(store: &Store) {
    for clinic in clinics(store).await {
        let verdict = store.verify(clinic, Ledger::Record).await.unwrap();
        assert!(verdict.is_intact(), "{clinic}: {verdict:?}");
    }
}

/// That no step of any line was recorded twice: an event of each type at most once in its stream.
pub async fn assert_nothing_twice(store: &Store) {
    let mut seen = BTreeSet::new();
    for row in rows(store).await {
        let step = (row.clinic, row.stream_id, row.stream_kind.into_owned(), row.event_type.into_owned());
        assert!(seen.insert(step.clone()), "{step:?} was recorded twice");
    }
}
