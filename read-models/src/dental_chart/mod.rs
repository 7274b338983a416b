//! Dental charts: what was seen on which tooth, what was planned and what was done, with everything that was corrected
//! and who did it.

mod entries;
mod on_day;
#[cfg(test)]
mod tests;
mod tooth;

use chrono::{DateTime, Utc};
use events::{DentalChartEvent, DomainEvent, PatientId, Recorded};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use entries::{ExtractionEntry, ObservationEntry, ObservationVersion, ProcedureEntry, StruckOut};
pub use tooth::{ToothState, teeth};

use crate::{Projection, by::By};

/// `read.dental_chart_1`: one row per chart, which is one patient's. A merge leaves the rows of both patients alone; a
/// query joins those of the group by [`DentalChartRow::join`].
pub struct DentalCharts;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DentalChartRow {
    /// The patient's.
    pub id: Uuid,
    pub patient_id: PatientId,
    /// In the order in which they were recorded; struck out ones too.
    pub observations: Vec<ObservationEntry>,
    /// In the order in which they were planned.
    pub procedures: Vec<ProcedureEntry>,
    /// Struck out ones too.
    pub extractions: Vec<ExtractionEntry>,
    pub begun_at: DateTime<Utc>,
    pub changed_at: DateTime<Utc>,
    pub version: i64,
    pub position: i64,
}

impl Projection for DentalCharts {
    const NAME: &'static str = "dental_chart";
    const REVISION: i32 = 1;
    const TABLE: &'static str = "read.dental_chart_1";
    const ONE_STREAM: bool = true;
    type Key = Uuid;
    type Row = DentalChartRow;

    fn keys(event: &Recorded) -> Vec<Uuid> {
        match event.event {
            DomainEvent::DentalChart(_) => vec![event.stream.id],
            _ => Vec::new(),
        }
    }

    fn fold(row: Option<DentalChartRow>, key: &Uuid, event: &Recorded) -> Option<DentalChartRow> {
        let DomainEvent::DentalChart(change) = &event.event else { return row };
        let mut row = row.unwrap_or_else(|| DentalChartRow::empty(PatientId(*key), event.occurred_at));
        row.take(change, By::of(event));
        row.begun_at = row.begun_at.min(event.occurred_at);
        row.changed_at = row.changed_at.max(event.occurred_at);
        row.version = event.version;
        row.position = event.position;
        Some(row)
    }
}

impl DentalChartRow {
    /// Of somebody in whose mouth nobody has looked yet.
    pub fn empty(patient: PatientId, at: DateTime<Utc>) -> Self {
        Self {
            id: patient.0,
            patient_id: patient,
            observations: Vec::new(),
            procedures: Vec::new(),
            extractions: Vec::new(),
            begun_at: at,
            changed_at: at,
            version: 0,
            position: 0,
        }
    }

    /// The chart of a person who has several: this one's id and version, everybody's entries.
    #[must_use]
    pub fn join(mut self, other: Self) -> Self {
        self.observations.extend(other.observations);
        self.procedures.extend(other.procedures);
        self.extractions.extend(other.extractions);
        self.observations.sort_by_key(|entry| (entry.first().by.at, entry.id));
        self.procedures.sort_by_key(|entry| (entry.planned.at, entry.id));
        self.extractions.sort_by_key(|entry| (entry.extracted.at, entry.id));
        self.begun_at = self.begun_at.min(other.begun_at);
        self.changed_at = self.changed_at.max(other.changed_at);
        self.position = self.position.max(other.position);
        self
    }

    fn take(&mut self, change: &DentalChartEvent, by: By) {
        match change {
            DentalChartEvent::ObservationRecorded { .. }
            | DentalChartEvent::ObservationCorrected { .. }
            | DentalChartEvent::ObservationEnteredInError { .. } => self.observe(change, by),
            DentalChartEvent::ProcedurePlanned { .. }
            | DentalChartEvent::ProcedureStarted { .. }
            | DentalChartEvent::ProcedureCompleted { .. }
            | DentalChartEvent::ProcedureCancelled { .. } => self.treat(change, by),
            DentalChartEvent::ToothExtracted { .. } | DentalChartEvent::ExtractionEnteredInError { .. } => {
                self.extract(change, by);
            }
        }
    }
}
