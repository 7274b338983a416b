//! What the rules know of a dental chart, and how each event changes it. Nothing of it is sealed.

use std::collections::BTreeMap;

use events::{
    DentalChartEvent, DentalExtractionId, DentalObservationId, DentalProcedureId, dental_chart::DentalProcedureStatus,
    tooth::Tooth,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation {
    pub tooth: Tooth,
    /// It says that the tooth is not there.
    pub missing: bool,
    pub struck_out: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Procedure {
    pub teeth: Vec<Tooth>,
    /// It may be done where a tooth is missing.
    pub replaces: bool,
    pub status: DentalProcedureStatus,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extraction {
    pub tooth: Tooth,
    pub struck_out: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DentalChart {
    pub observations: BTreeMap<DentalObservationId, Observation>,
    pub procedures: BTreeMap<DentalProcedureId, Procedure>,
    pub extractions: BTreeMap<DentalExtractionId, Extraction>,
}

impl DentalChart {
    /// Whether the chart says that the tooth is not there: it was extracted, or found to be gone.
    pub fn is_missing(&self, tooth: Tooth) -> bool {
        let gone = |seen: &Observation| seen.missing && !seen.struck_out && seen.tooth == tooth;
        let pulled = |extraction: &Extraction| !extraction.struck_out && extraction.tooth == tooth;
        self.observations.values().any(gone) || self.extractions.values().any(pulled)
    }

    /// The state after an event; `None`: it cannot follow.
    pub(super) fn apply(mut self, event: &DentalChartEvent) -> Option<Self> {
        match event {
            DentalChartEvent::ObservationRecorded { observation, tooth, missing, .. } => {
                let seen = Observation { tooth: *tooth, missing: *missing, struck_out: false };
                self.observations.insert(*observation, seen).is_none().then_some(())?;
            }
            DentalChartEvent::ObservationCorrected { observation, tooth, missing, .. } => {
                let seen = self.standing(*observation)?;
                (seen.tooth, seen.missing) = (*tooth, *missing);
            }
            DentalChartEvent::ObservationEnteredInError { observation, .. } => {
                self.standing(*observation)?.struck_out = true;
            }
            DentalChartEvent::ProcedurePlanned { procedure, teeth, replaces, .. } => {
                let status = DentalProcedureStatus::Planned;
                let planned = Procedure { teeth: teeth.clone(), replaces: *replaces, status };
                self.procedures.insert(*procedure, planned).is_none().then_some(())?;
            }
            DentalChartEvent::ProcedureStarted { procedure, .. } => {
                self.go(*procedure, DentalProcedureStatus::Planned, DentalProcedureStatus::InProgress)?;
            }
            DentalChartEvent::ProcedureCompleted { procedure, .. } => {
                self.go(*procedure, DentalProcedureStatus::InProgress, DentalProcedureStatus::Completed)?;
            }
            DentalChartEvent::ProcedureCancelled { procedure, was, .. } => {
                self.go(*procedure, *was, DentalProcedureStatus::Cancelled)?;
            }
            DentalChartEvent::ToothExtracted { extraction, tooth, .. } => {
                let pulled = Extraction { tooth: *tooth, struck_out: false };
                self.extractions.insert(*extraction, pulled).is_none().then_some(())?;
            }
            DentalChartEvent::ExtractionEnteredInError { extraction, .. } => {
                let known = self.extractions.get_mut(extraction).filter(|known| !known.struck_out)?;
                known.struck_out = true;
            }
        }
        Some(self)
    }

    fn standing(&mut self, observation: DentalObservationId) -> Option<&mut Observation> {
        self.observations.get_mut(&observation).filter(|seen| !seen.struck_out)
    }

    fn go(
        &mut self,
        procedure: DentalProcedureId,
        from: DentalProcedureStatus,
        to: DentalProcedureStatus,
    ) -> Option<()> {
        let known = self.procedures.get_mut(&procedure).filter(|known| known.status == from)?;
        known.status = to;
        Some(())
    }
}
