//! The entries of a dental chart.

use events::{
    DentalChartEvent, DentalExtractionId, DentalObservationId, DentalProcedureId, DentalTemplateId,
    dental_chart::{DentalCancellationReason, DentalCorrectionReason, DentalProcedureStatus, ToothFinding},
    tooth::{Surface, Tooth, ToothCondition, ToothSeverity},
    values::Money,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::DentalChartRow;
use crate::by::By;

/// What an observation said from then on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ObservationVersion {
    pub tooth: Tooth,
    pub missing: bool,
    /// Empty also once the patient is erased, as all that says what was found.
    pub surfaces: Vec<Surface>,
    pub condition: Option<ToothCondition>,
    pub severity: Option<ToothSeverity>,
    pub note: Option<String>,
    pub by: By,
    /// Why the version before was not right; `null` for the first.
    pub reason: Option<DentalCorrectionReason>,
    pub text: Option<String>,
}

/// Why something should never have been recorded, and who said so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StruckOut {
    pub by: By,
    pub reason: DentalCorrectionReason,
    pub text: Option<String>,
}

/// Something seen on a tooth: what it says now, and what it said before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ObservationEntry {
    pub id: DentalObservationId,
    pub current: ObservationVersion,
    /// The first one first.
    pub earlier: Vec<ObservationVersion>,
    pub struck_out: Option<StruckOut>,
}

impl ObservationEntry {
    pub fn first(&self) -> &ObservationVersion {
        self.earlier.first().unwrap_or(&self.current)
    }

    /// What it says or said of any tooth, the first first.
    pub fn versions(&self) -> impl Iterator<Item = &ObservationVersion> {
        self.earlier.iter().chain([&self.current])
    }

    pub fn stands(&self) -> bool {
        self.struck_out.is_none()
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProcedureEntry {
    pub id: DentalProcedureId,
    pub status: DentalProcedureStatus,
    /// CDT, `D2391`; `null` once the patient is erased.
    pub code: Option<String>,
    /// Empty where it concerns the whole mouth.
    pub teeth: Vec<Tooth>,
    pub surfaces: Vec<Surface>,
    pub description: Option<String>,
    /// It is an implant or a prosthesis.
    pub replaces: bool,
    /// What it treats.
    pub observation_id: Option<DentalObservationId>,
    /// What proposed it.
    pub template_id: Option<DentalTemplateId>,
    pub estimate: Option<Money>,
    pub actual_cost: Option<Money>,
    pub complications: Option<String>,
    pub planned: By,
    pub started: Option<By>,
    pub completed: Option<By>,
    pub cancelled: Option<By>,
    pub cancellation_reason: Option<DentalCancellationReason>,
    pub cancellation_text: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExtractionEntry {
    pub id: DentalExtractionId,
    pub tooth: Tooth,
    /// In whose course.
    pub procedure_id: Option<DentalProcedureId>,
    pub reason: Option<String>,
    pub extracted: By,
    pub struck_out: Option<StruckOut>,
}

fn version(tooth: Tooth, missing: bool, finding: Option<&ToothFinding>, by: By) -> ObservationVersion {
    ObservationVersion {
        tooth,
        missing,
        surfaces: finding.map(|finding| finding.surfaces.clone()).unwrap_or_default(),
        condition: finding.map(|finding| finding.condition),
        severity: finding.and_then(|finding| finding.severity),
        note: finding.and_then(|finding| finding.note.clone()),
        by,
        reason: None,
        text: None,
    }
}

impl DentalChartRow {
    pub(super) fn observe(&mut self, change: &DentalChartEvent, by: By) {
        match change {
            DentalChartEvent::ObservationRecorded { observation, tooth, missing, sealed } => {
                let current = version(*tooth, *missing, sealed.open(), by);
                let entry = ObservationEntry { id: *observation, current, earlier: Vec::new(), struck_out: None };
                self.observations.push(entry);
            }
            DentalChartEvent::ObservationCorrected { observation, tooth, missing, reason, sealed } => {
                let said = sealed.open();
                let corrected = ObservationVersion {
                    reason: Some(*reason),
                    text: said.and_then(|said| said.text.clone()),
                    ..version(*tooth, *missing, said.map(|said| &said.finding), by)
                };
                if let Some(entry) = self.observations.iter_mut().find(|entry| entry.id == *observation) {
                    entry.earlier.push(std::mem::replace(&mut entry.current, corrected));
                }
            }
            DentalChartEvent::ObservationEnteredInError { observation, reason, sealed, .. } => {
                let text = sealed.open().and_then(|said| said.text.clone());
                if let Some(entry) = self.observations.iter_mut().find(|entry| entry.id == *observation) {
                    entry.struck_out = Some(StruckOut { by, reason: *reason, text });
                }
            }
            _ => {}
        }
    }

    pub(super) fn treat(&mut self, change: &DentalChartEvent, by: By) {
        if let DentalChartEvent::ProcedurePlanned { .. } = change {
            self.procedures.extend(planned(change, by));
            return;
        }
        let (DentalChartEvent::ProcedureStarted { procedure, .. }
        | DentalChartEvent::ProcedureCompleted { procedure, .. }
        | DentalChartEvent::ProcedureCancelled { procedure, .. }) = change
        else {
            return;
        };
        let Some(entry) = self.procedures.iter_mut().find(|entry| entry.id == *procedure) else { return };
        match change {
            DentalChartEvent::ProcedureStarted { .. } => {
                entry.status = DentalProcedureStatus::InProgress;
                entry.started = Some(by);
            }
            DentalChartEvent::ProcedureCompleted { cost, sealed, .. } => {
                entry.status = DentalProcedureStatus::Completed;
                entry.completed = Some(by);
                entry.actual_cost = cost.clone();
                entry.complications = sealed.open().and_then(|outcome| outcome.complications.clone());
            }
            DentalChartEvent::ProcedureCancelled { reason, sealed, .. } => {
                entry.status = DentalProcedureStatus::Cancelled;
                entry.cancelled = Some(by);
                entry.cancellation_reason = Some(*reason);
                entry.cancellation_text = sealed.open().and_then(|said| said.text.clone());
            }
            _ => {}
        }
    }

    pub(super) fn extract(&mut self, change: &DentalChartEvent, by: By) {
        match change {
            DentalChartEvent::ToothExtracted { extraction, tooth, procedure, sealed } => {
                self.extractions.push(ExtractionEntry {
                    id: *extraction,
                    tooth: *tooth,
                    procedure_id: *procedure,
                    reason: sealed.open().and_then(|said| said.text.clone()),
                    extracted: by,
                    struck_out: None,
                });
            }
            DentalChartEvent::ExtractionEnteredInError { extraction, reason, sealed, .. } => {
                let text = sealed.open().and_then(|said| said.text.clone());
                if let Some(entry) = self.extractions.iter_mut().find(|entry| entry.id == *extraction) {
                    entry.struck_out = Some(StruckOut { by, reason: *reason, text });
                }
            }
            _ => {}
        }
    }
}

fn planned(change: &DentalChartEvent, by: By) -> Option<ProcedureEntry> {
    let DentalChartEvent::ProcedurePlanned {
        procedure, teeth, replaces, observation, template, estimate, sealed, ..
    } = change
    else {
        return None;
    };
    let treatment = sealed.open();
    Some(ProcedureEntry {
        id: *procedure,
        status: DentalProcedureStatus::Planned,
        code: treatment.map(|treatment| treatment.code.clone()),
        teeth: teeth.clone(),
        surfaces: treatment.map(|treatment| treatment.surfaces.clone()).unwrap_or_default(),
        description: treatment.and_then(|treatment| treatment.description.clone()),
        replaces: *replaces,
        observation_id: *observation,
        template_id: *template,
        estimate: estimate.clone(),
        actual_cost: None,
        complications: None,
        planned: by,
        started: None,
        completed: None,
        cancelled: None,
        cancellation_reason: None,
        cancellation_text: None,
    })
}
