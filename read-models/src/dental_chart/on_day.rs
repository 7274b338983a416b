//! The mouth on an earlier day, by what is known of it today: what was found wrong since is told as corrected, what was
//! struck out is not told. What the *record* said on that day is another question (`as_of`).

use chrono::{DateTime, Utc};
use events::dental_chart::DentalProcedureStatus;

use super::{DentalChartRow, ProcedureEntry};
use crate::by::By;

impl DentalChartRow {
    /// As it was right before `end`.
    #[must_use]
    pub fn before(mut self, end: DateTime<Utc>) -> Self {
        self.observations.retain(|entry| entry.stands() && entry.first().by.at < end);
        self.extractions.retain(|entry| entry.struck_out.is_none() && entry.extracted.at < end);
        self.procedures.retain(|entry| entry.planned.at < end);
        for entry in &mut self.procedures {
            entry.go_back(end);
        }
        self
    }
}

impl ProcedureEntry {
    fn go_back(&mut self, end: DateTime<Utc>) {
        let is_later = |by: &Option<By>| by.as_ref().is_some_and(|by| by.at >= end);
        if is_later(&self.completed) {
            (self.completed, self.actual_cost, self.complications) = (None, None, None);
        }
        if is_later(&self.cancelled) {
            (self.cancelled, self.cancellation_reason, self.cancellation_text) = (None, None, None);
        }
        if is_later(&self.started) {
            self.started = None;
        }
        self.status = match (&self.cancelled, &self.completed, &self.started) {
            (Some(_), _, _) => DentalProcedureStatus::Cancelled,
            (None, Some(_), _) => DentalProcedureStatus::Completed,
            (None, None, Some(_)) => DentalProcedureStatus::InProgress,
            (None, None, None) => DentalProcedureStatus::Planned,
        };
    }
}
