//! The chart tooth by tooth.

use std::collections::BTreeMap;

use events::tooth::Tooth;
use schemars::JsonSchema;
use serde::Serialize;

use super::{DentalChartRow, ExtractionEntry, ObservationEntry, ProcedureEntry};

/// What a chart says of one tooth.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ToothState {
    /// FDI.
    pub tooth: Tooth,
    /// It was extracted, or found to be gone.
    pub missing: bool,
    /// What is seen on it.
    pub observations: Vec<ObservationEntry>,
    /// What was planned, begun or done on it, and on other teeth with it.
    pub procedures: Vec<ProcedureEntry>,
    pub extractions: Vec<ExtractionEntry>,
}

/// Every tooth of which the chart says something, in the order of their numbers. What was struck out is not said.
pub fn teeth(chart: &DentalChartRow) -> Vec<ToothState> {
    let mut teeth = BTreeMap::<Tooth, ToothState>::new();
    for entry in chart.observations.iter().filter(|entry| entry.stands()) {
        let state = of(&mut teeth, entry.current.tooth);
        state.missing |= entry.current.missing;
        state.observations.push(entry.clone());
    }
    for entry in &chart.procedures {
        for tooth in &entry.teeth {
            of(&mut teeth, *tooth).procedures.push(entry.clone());
        }
    }
    for entry in chart.extractions.iter().filter(|entry| entry.struck_out.is_none()) {
        let state = of(&mut teeth, entry.tooth);
        state.missing = true;
        state.extractions.push(entry.clone());
    }
    teeth.into_values().collect()
}

fn of(teeth: &mut BTreeMap<Tooth, ToothState>, tooth: Tooth) -> &mut ToothState {
    teeth.entry(tooth).or_insert_with(|| ToothState {
        tooth,
        missing: false,
        observations: Vec::new(),
        procedures: Vec::new(),
        extractions: Vec::new(),
    })
}

impl DentalChartRow {
    /// Everything that was ever said of a tooth, what was corrected or struck out included.
    pub fn history_of(&self, tooth: Tooth) -> ToothState {
        let said = |entry: &&ObservationEntry| entry.versions().any(|version| version.tooth == tooth);
        let today = teeth(self).into_iter().find(|state| state.tooth == tooth);
        ToothState {
            tooth,
            missing: today.is_some_and(|state| state.missing),
            observations: self.observations.iter().filter(said).cloned().collect(),
            procedures: self.procedures.iter().filter(|entry| entry.teeth.contains(&tooth)).cloned().collect(),
            extractions: self.extractions.iter().filter(|entry| entry.tooth == tooth).cloned().collect(),
        }
    }
}
