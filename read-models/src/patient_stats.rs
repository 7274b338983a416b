//! Counts of a clinic's patients, from the clear parts of events alone, so that they outlive an erasure.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use events::{
    ClinicEvent, ClinicId, DomainEvent, PatientEvent, Recorded,
    patient::{PatientStatus, Standing},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Projection, count::Counts};

/// `read.patient_stats_1`: one row per clinic.
pub struct PatientStats;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PatientStatsRow {
    pub id: ClinicId,
    /// Of all patients ever registered.
    pub by_status: Counts,
    /// Of those who are not merged: a merged one is counted in the survivor.
    pub by_gender: Counts,
    /// `1980` for 1980 to 1989, or `unknown`; of those who are not merged.
    pub by_birth_decade: Counts,
    /// `2026-03`, in the clinic's zone as it was then; never corrected by a merge.
    pub registrations_by_month: Counts,
    /// In which the months are cut.
    #[schemars(with = "String")]
    pub time_zone: Tz,
    pub position: i64,
}

impl Projection for PatientStats {
    const NAME: &'static str = "patient_stats";
    const REVISION: i32 = 1;
    const TABLE: &'static str = "read.patient_stats_1";
    const ONE_STREAM: bool = false;
    type Key = Uuid;
    type Row = PatientStatsRow;

    fn keys(event: &Recorded) -> Vec<Uuid> {
        let counted = match &event.event {
            DomainEvent::Clinic(change) => {
                matches!(change, ClinicEvent::ClinicRegistered { .. } | ClinicEvent::ClinicProfileUpdated { .. })
            }
            DomainEvent::Patient(change) => is_counted(change),
            _ => false,
        };
        if counted { vec![event.clinic.0] } else { Vec::new() }
    }

    fn fold(row: Option<PatientStatsRow>, _: &Uuid, event: &Recorded) -> Option<PatientStatsRow> {
        let mut row = row.unwrap_or_else(|| none(event.clinic));
        match &event.event {
            DomainEvent::Clinic(
                ClinicEvent::ClinicRegistered { profile, .. } | ClinicEvent::ClinicProfileUpdated { profile },
            ) => row.time_zone = profile.time_zone,
            DomainEvent::Patient(change) => row.take(change, event.occurred_at),
            _ => {}
        }
        row.position = event.position;
        Some(row)
    }
}

fn is_counted(change: &PatientEvent) -> bool {
    matches!(
        change,
        PatientEvent::PatientRegistered { .. }
            | PatientEvent::DemographicsUpdated { .. }
            | PatientEvent::PatientDeactivated { .. }
            | PatientEvent::PatientReactivated { .. }
            | PatientEvent::DeathRecorded { .. }
            | PatientEvent::PatientMergedInto { .. }
            | PatientEvent::PatientUnmergedFrom { .. }
            | PatientEvent::PatientErased { .. }
    )
}

fn none(clinic: ClinicId) -> PatientStatsRow {
    PatientStatsRow {
        id: clinic,
        by_status: Counts::default(),
        by_gender: Counts::default(),
        by_birth_decade: Counts::default(),
        registrations_by_month: Counts::default(),
        time_zone: Tz::UTC,
        position: 0,
    }
}

impl PatientStatsRow {
    fn take(&mut self, change: &PatientEvent, at: DateTime<Utc>) {
        use PatientStatus as Is;
        match change {
            PatientEvent::PatientRegistered { gender, birth_year, .. } => {
                self.enter(&Standing { status: Is::Active, gender: *gender, birth_year: *birth_year });
                self.registrations_by_month.add(at.with_timezone(&self.time_zone).format("%Y-%m"), 1);
            }
            PatientEvent::DemographicsUpdated { gender, birth_year, was, .. } => {
                self.leave(was);
                self.enter(&Standing { status: was.status, gender: *gender, birth_year: *birth_year });
            }
            PatientEvent::PatientDeactivated { was, .. } => self.shift(*was, Is::Inactive),
            PatientEvent::PatientReactivated { was } => self.shift(*was, Is::Active),
            PatientEvent::DeathRecorded { was, .. } => self.shift(*was, Is::Deceased),
            PatientEvent::PatientMergedInto { was, .. } => {
                self.leave(was);
                self.enter(&Standing { status: Is::Merged, ..*was });
            }
            PatientEvent::PatientUnmergedFrom { again, .. } => {
                self.leave(&Standing { status: Is::Merged, ..*again });
                self.enter(again);
            }
            // Gender and decade are still counted: they say nothing about a person.
            PatientEvent::PatientErased { was, .. } => self.by_status.shift(was.status, Is::Erased),
            _ => {}
        }
    }

    fn enter(&mut self, standing: &Standing) {
        self.count(standing, 1);
    }

    fn leave(&mut self, standing: &Standing) {
        self.count(standing, -1);
    }

    /// A merged record stays merged; what it would be counts when it is unmerged.
    fn shift(&mut self, from: PatientStatus, to: PatientStatus) {
        if from != PatientStatus::Merged {
            self.by_status.shift(from, to);
        }
    }

    fn count(&mut self, standing: &Standing, delta: i64) {
        self.by_status.add(standing.status, delta);
        if standing.status != PatientStatus::Merged {
            self.by_gender.add(standing.gender, delta);
            self.by_birth_decade.add(decade(standing.birth_year), delta);
        }
    }
}

const YEARS_OF_A_DECADE: i32 = 10;

fn decade(birth_year: Option<i32>) -> String {
    birth_year.map_or_else(|| "unknown".to_owned(), |year| (year - year.rem_euclid(YEARS_OF_A_DECADE)).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::History;

    fn stats(history: &History) -> PatientStatsRow {
        history.row::<PatientStats>(history.clinic.0).unwrap()
    }

    #[test]
    fn a_merged_patient_counts_in_the_survivor_until_unmerged() {
        let mut history = History::new();
        history.clinic_registered();
        let (source, survivor) = (history.registered("Asha"), history.registered("Asha R"));
        let before = stats(&history);
        history.merged(source, survivor);
        let merged = stats(&history);
        assert_eq!((merged.by_status.get("merged"), merged.by_gender.total()), (1, 1));
        history.unmerged(source, survivor);
        assert_eq!(PatientStatsRow { position: before.position, ..stats(&history) }, before);
    }

    #[test]
    fn a_corrected_birth_year_moves_the_decade() {
        let mut history = History::new();
        let patient = history.registered("Asha");
        history.birth_year_corrected(patient, Some(1984), Some(1991));
        let decades = stats(&history).by_birth_decade;
        assert_eq!(decades.iter().collect::<Vec<_>>(), [("1990", 1)]);
    }

    #[test]
    fn the_counts_outlive_an_erasure() {
        let mut history = History::new();
        history.clinic_registered();
        history.registered("Asha");
        assert_eq!(stats(&history.erased()), stats(&history));
    }

    #[test]
    fn a_month_is_cut_in_the_clinics_zone() {
        let mut history = History::new();
        history.now = "2026-03-31T19:00:00Z".parse().unwrap();
        history.clinic_registered();
        history.registered("Asha");
        assert_eq!(stats(&history).registrations_by_month.get("2026-04"), 1);
    }
}
