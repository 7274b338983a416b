//! Runs the import of a planned book: several clinics at once, several patients of each, the rows of a patient in
//! order. It can be killed at any moment and run again: what the log holds is not done twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use command_api::{auth::passwords::Passwords, execute::Executor};
use events::ClinicId;
use futures::{TryStreamExt, stream};
use uuid::Uuid;

use super::{
    activations::Activations,
    clinic::Founding,
    give::{Giver, Stop},
    ids::Ids,
    mapping::{Mapping, Outcome},
    plan::{ClinicPlan, Row},
    report::{Refused, Stage},
    row::Desk,
};
use crate::progress::Progress;

const CLINICS_AT_ONCE: usize = 32;
/// Each has one command under way: what is under way together shares commits.
const PATIENTS_AT_ONCE: usize = 8;

pub struct Import<'a> {
    pub executor: Executor,
    pub ids: Ids,
    pub mapping: &'a Mapping,
    pub activations: &'a Activations,
    pub passwords: Passwords,
}

/// What the log holds of the book after a run.
#[derive(Debug, Default)]
pub struct Tally {
    pub clinics: u64,
    pub doctors: u64,
    pub patients: u64,
    pub appointments: BTreeMap<Outcome, u64>,
    pub refused: Vec<Refused>,
    pub took: Duration,
}

impl Tally {
    fn and(mut self, other: Self) -> Self {
        self.clinics += other.clinics;
        self.doctors += other.doctors;
        self.patients += other.patients;
        for (outcome, count) in other.appointments {
            *self.appointments.entry(outcome).or_default() += count;
        }
        self.refused.extend(other.refused);
        self
    }

    /// Lines that did not come to their end.
    pub fn refused_lines(&self) -> usize {
        self.refused.iter().map(|refused| refused.line).collect::<BTreeSet<_>>().len()
    }

    /// Lines that came to their end.
    pub fn rows(&self) -> u64 {
        self.appointments.values().sum()
    }
}

impl Import<'_> {
    /// # Errors
    /// When the log cannot be reached, or is corrupt. What is done stays, and a further run goes on from it.
    pub async fn run(&self, clinics: Vec<ClinicPlan>) -> anyhow::Result<Tally> {
        let (begun, run) = (Instant::now(), Uuid::now_v7());
        let progress = Progress::start(clinics.iter().map(|clinic| clinic.rows.len() as u64).sum(), "rows");
        let tallies = stream::iter(clinics.into_iter().map(Ok)).map_ok(|clinic| self.clinic(clinic, run, &progress));
        let tally = tallies
            .try_buffer_unordered(CLINICS_AT_ONCE)
            .try_fold(Tally::default(), |sum, tally| async { Ok(sum.and(tally)) });
        let tally = tally.await?;
        Ok(Tally { took: begun.elapsed(), ..tally })
    }

    async fn clinic(&self, plan: ClinicPlan, run: Uuid, progress: &Progress) -> anyhow::Result<Tally> {
        let clinic: ClinicId = self.ids.id("clinic", plan.first.line, 0, plan.first.at);
        let mut giver = Giver { executor: self.executor.clone(), ids: self.ids, clinic, fresh: false, run };
        giver.fresh = giver.recorded(clinic.into()).await?.is_empty();
        let (mapping, passwords, activations) = (self.mapping, &self.passwords, self.activations);
        let founding = Founding { giver: &giver, mapping, passwords, activations };
        let ready = match founding.found(&plan).await {
            Ok(ready) => ready,
            Err(Stop::Refused(refusal)) => {
                progress.add(plan.rows.len() as u64);
                return Ok(refuse_all(&plan, &refusal));
            }
            Err(Stop::Failed(error)) => return Err(error),
        };
        let minutes = mapping.appointment.minutes;
        let desk = Desk { giver: &giver, office: ready.office, doctors: &ready.doctors, minutes };
        let doctors = (plan.doctors.len() - ready.refused.len()) as u64;
        let founded = Tally { clinics: 1, doctors, refused: ready.refused, ..Tally::default() };
        stream::iter(by_patient(plan.rows).map(Ok))
            .map_ok(|rows| patient(&desk, rows, progress))
            .try_buffer_unordered(PATIENTS_AT_ONCE)
            .try_fold(founded, |sum, tally| async { Ok(sum.and(tally)) })
            .await
    }
}

async fn patient(desk: &Desk<'_>, rows: Vec<Row>, progress: &Progress) -> anyhow::Result<Tally> {
    let mut tally = Tally { patients: 1, ..Tally::default() };
    for row in &rows {
        match desk.take(row).await {
            Ok(()) => *tally.appointments.entry(row.entry.outcome).or_default() += 1,
            Err(Stop::Refused(refusal)) => {
                tally.patients -= u64::from(refusal.stage == Stage::RegisterPatient);
                tally.refused.push(refusal);
            }
            Err(Stop::Failed(error)) => return Err(error),
        }
        progress.add(1);
    }
    Ok(tally)
}

/// The rows of each patient, in the order of the lines.
fn by_patient(rows: Vec<Row>) -> impl Iterator<Item = Vec<Row>> {
    let mut patients: BTreeMap<u64, Vec<Row>> = BTreeMap::new();
    for row in rows {
        patients.entry(row.patient.line).or_default().push(row);
    }
    patients.into_values()
}

fn refuse_all(plan: &ClinicPlan, refusal: &Refused) -> Tally {
    let refused = plan.rows.iter().map(|row| Refused { line: row.entry.line, ..refusal.clone() });
    Tally { refused: refused.collect(), ..Tally::default() }
}
