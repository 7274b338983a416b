//! Teeth are looked at and treated.

use events::{
    DentalChartEvent, DentalChartId, DentalExtractionId, DentalObservationId, DentalProcedureId, DentalTemplateEvent,
    DentalTemplateId, PatientId, Sealed,
    dental_chart::{
        CorrectedFinding, DentalCancellationReason, DentalCorrectionReason, DentalOutcome, DentalProcedureStatus,
        DentalText, DentalTreatment, ToothFinding,
    },
    dental_template::{FindingPattern, ProposedProcedure},
    tooth::{Surface, Tooth, ToothCondition, ToothSeverity},
    values::Money,
};
use strum::VariantArray;

use super::life::{Chance, Life, NAMES};

const TEETH: [Tooth; 4] = [Tooth(16), Tooth(21), Tooth(48), Tooth(75)];

/// What lies in charts by now.
#[derive(Clone, Debug, Default)]
pub(super) struct Mouths {
    observations: Vec<(PatientId, DentalObservationId, Tooth)>,
    procedures: Vec<(PatientId, DentalProcedureId, DentalProcedureStatus)>,
    templates: Vec<DentalTemplateId>,
}

fn finding(condition: ToothCondition, chance: &mut Chance) -> ToothFinding {
    let severity = chance.of(2).checked_sub(1).map(|_| ToothSeverity::Mild);
    let (surfaces, note) = (vec![chance.pick(Surface::VARIANTS)], Some(chance.pick(&NAMES).to_owned()));
    ToothFinding { surfaces, condition, severity, note }
}

fn said(chance: &mut Chance) -> Sealed<DentalText> {
    DentalText { text: Some(chance.pick(&NAMES).to_owned()) }.into()
}

impl Life {
    pub(super) fn teeth_change(&mut self, chance: &mut Chance) {
        let Some(patient) = self.patients.get(chance.of(self.patients.len())).map(|person| person.id) else { return };
        match chance.of(7) {
            0 | 1 => self.tooth_observed(patient, chance),
            2 => self.observation_corrected(chance),
            3 => self.treatment_planned(patient, chance),
            4 | 5 => self.treatment_goes_on(chance),
            _ => self.template_changes(chance),
        }
    }

    fn tooth_observed(&mut self, patient: PatientId, chance: &mut Chance) {
        let (tooth, condition) = (chance.pick(&TEETH), chance.pick(ToothCondition::VARIANTS));
        if chance.of(4) == 0 {
            let (extraction, sealed) = (DentalExtractionId(self.history.fresh()), said(chance));
            let extracted = DentalChartEvent::ToothExtracted { extraction, tooth, procedure: None, sealed };
            return self.history.push(DentalChartId::from(patient).into(), extracted);
        }
        let observation = DentalObservationId(self.history.fresh());
        let missing = condition == ToothCondition::Missing;
        let sealed = finding(condition, chance).into();
        let recorded = DentalChartEvent::ObservationRecorded { observation, tooth, missing, sealed };
        self.history.push(DentalChartId::from(patient).into(), recorded);
        self.mouths.observations.push((patient, observation, tooth));
    }

    fn observation_corrected(&mut self, chance: &mut Chance) {
        let index = chance.of(self.mouths.observations.len());
        let Some((patient, observation, tooth)) = self.mouths.observations.get(index).copied() else { return };
        let reason = DentalCorrectionReason::ReExamined;
        let event = if chance.of(3) == 0 {
            self.mouths.observations.remove(index);
            DentalChartEvent::ObservationEnteredInError { observation, tooth, reason, sealed: said(chance) }
        } else {
            let (tooth, condition) = (chance.pick(&TEETH), chance.pick(ToothCondition::VARIANTS));
            let text = Some(chance.pick(&NAMES).to_owned());
            let sealed = CorrectedFinding { finding: finding(condition, chance), text }.into();
            let missing = condition == ToothCondition::Missing;
            DentalChartEvent::ObservationCorrected { observation, tooth, missing, reason, sealed }
        };
        self.history.push(DentalChartId::from(patient).into(), event);
    }

    fn treatment_planned(&mut self, patient: PatientId, chance: &mut Chance) {
        let procedure = DentalProcedureId(self.history.fresh());
        let description = Some(chance.pick(&NAMES).to_owned());
        let treatment = DentalTreatment { code: "D2391".to_owned(), surfaces: vec![Surface::Mesial], description };
        let planned = DentalChartEvent::ProcedurePlanned {
            procedure,
            teeth: vec![chance.pick(&TEETH)],
            replaces: false,
            observation: None,
            template: None,
            estimate: Some(Money { minor: 250_000, currency: "INR".to_owned() }),
            sealed: treatment.into(),
        };
        self.history.push(DentalChartId::from(patient).into(), planned);
        self.mouths.procedures.push((patient, procedure, DentalProcedureStatus::Planned));
    }

    fn treatment_goes_on(&mut self, chance: &mut Chance) {
        use DentalProcedureStatus as Is;
        let index = chance.of(self.mouths.procedures.len());
        let Some((patient, procedure, was)) = self.mouths.procedures.get(index).copied() else { return };
        let teeth = vec![chance.pick(&TEETH)];
        let (event, status) = match (chance.of(3), was) {
            (0, Is::Planned | Is::InProgress) => {
                let (reason, sealed) = (DentalCancellationReason::PatientDeclined, said(chance));
                (DentalChartEvent::ProcedureCancelled { procedure, teeth, was, reason, sealed }, Is::Cancelled)
            }
            (_, Is::Planned) => (DentalChartEvent::ProcedureStarted { procedure, teeth }, Is::InProgress),
            (_, Is::InProgress) => {
                let sealed = DentalOutcome { complications: Some(chance.pick(&NAMES).to_owned()) }.into();
                (DentalChartEvent::ProcedureCompleted { procedure, teeth, cost: None, sealed }, Is::Completed)
            }
            (_, Is::Completed | Is::Cancelled) => return,
        };
        self.history.push(DentalChartId::from(patient).into(), event);
        self.mouths.procedures[index].2 = status;
    }

    fn template_changes(&mut self, chance: &mut Chance) {
        if let Some(template) = self.mouths.templates.pop().filter(|_| chance.of(2) == 0) {
            return self.history.push(template.into(), DentalTemplateEvent::DentalTemplateRetired {});
        }
        let template = DentalTemplateId(self.history.fresh());
        let pattern = FindingPattern { condition: Some(ToothCondition::Cavity), ..FindingPattern::default() };
        let procedures = vec![ProposedProcedure { code: "D2391".to_owned(), description: None, estimate: None }];
        let name = chance.pick(&NAMES).to_owned();
        self.history.push(template.into(), DentalTemplateEvent::DentalTemplateDefined { name, pattern, procedures });
        self.mouths.templates.push(template);
    }
}
