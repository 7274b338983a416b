//! A clinic's templates of dental treatment, and what they propose.

use chrono::{DateTime, Utc};
use events::{
    DentalTemplateEvent, DentalTemplateId, DomainEvent, Recorded,
    dental_template::{FindingPattern, ProposedProcedure},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Projection, dental_chart::ObservationVersion};

/// `read.dental_template_1`: one row per template.
pub struct DentalTemplates;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DentalTemplateRow {
    pub id: DentalTemplateId,
    pub name: String,
    pub pattern: FindingPattern,
    pub procedures: Vec<ProposedProcedure>,
    pub defined_at: DateTime<Utc>,
    /// It proposes nothing since.
    pub retired_at: Option<DateTime<Utc>>,
    pub version: i64,
    pub position: i64,
}

impl Projection for DentalTemplates {
    const NAME: &'static str = "dental_template";
    const REVISION: i32 = 1;
    const TABLE: &'static str = "read.dental_template_1";
    const ONE_STREAM: bool = true;
    type Key = Uuid;
    type Row = DentalTemplateRow;

    fn keys(event: &Recorded) -> Vec<Uuid> {
        match event.event {
            DomainEvent::DentalTemplate(_) => vec![event.stream.id],
            _ => Vec::new(),
        }
    }

    fn fold(row: Option<DentalTemplateRow>, _: &Uuid, event: &Recorded) -> Option<DentalTemplateRow> {
        let DomainEvent::DentalTemplate(change) = &event.event else { return row };
        let mut row = match (row, change) {
            (None, DentalTemplateEvent::DentalTemplateDefined { name, pattern, procedures }) => DentalTemplateRow {
                id: DentalTemplateId(event.stream.id),
                name: name.clone(),
                pattern: *pattern,
                procedures: procedures.clone(),
                defined_at: event.occurred_at,
                retired_at: None,
                version: event.version,
                position: event.position,
            },
            (row, _) => row?,
        };
        if let DentalTemplateEvent::DentalTemplateRetired {} = change {
            row.retired_at = Some(event.occurred_at);
        }
        row.version = event.version;
        row.position = event.position;
        Some(row)
    }
}

/// The template that fits a finding most closely, and how closely; of those that fit it alike, the one defined last.
pub fn best<'t>(
    templates: &'t [DentalTemplateRow],
    finding: &ObservationVersion,
) -> Option<(&'t DentalTemplateRow, u8)> {
    let condition = finding.condition?;
    let in_use = templates.iter().filter(|template| template.retired_at.is_none());
    let fitting = in_use
        .filter_map(|template| Some((template, template.pattern.score(finding.tooth, &finding.surfaces, condition)?)));
    fitting.max_by_key(|(template, score)| (*score, template.defined_at, template.id))
}

#[cfg(test)]
mod tests {
    use events::{
        DentalChartEvent, DentalChartId, DentalObservationId, PatientId,
        dental_chart::ToothFinding,
        tooth::{Surface, Tooth, ToothCondition},
    };

    use super::*;
    use crate::{dental_chart::DentalCharts, sample::History};

    fn defined(history: &mut History, name: &str, pattern: FindingPattern) -> DentalTemplateId {
        let id = DentalTemplateId(history.fresh());
        let procedures = vec![ProposedProcedure { code: "D2391".into(), description: None, estimate: None }];
        let defined = DentalTemplateEvent::DentalTemplateDefined { name: name.into(), pattern, procedures };
        history.push(id.into(), defined);
        id
    }

    fn seen(history: &mut History, tooth: u8, condition: ToothCondition) -> ObservationVersion {
        let patient = PatientId(history.fresh());
        let finding = ToothFinding { surfaces: vec![Surface::Occlusal], condition, severity: None, note: None };
        let observation = DentalObservationId(history.fresh());
        let (tooth, missing, sealed) = (Tooth(tooth), false, finding.into());
        let recorded = DentalChartEvent::ObservationRecorded { observation, tooth, missing, sealed };
        history.push(DentalChartId::from(patient).into(), recorded);
        history.row::<DentalCharts>(patient.0).unwrap().observations[0].current.clone()
    }

    #[test]
    fn the_closest_of_those_in_use_proposes_and_of_equals_the_last() {
        let mut history = History::new();
        let any = FindingPattern::default();
        let cavity = FindingPattern { condition: Some(ToothCondition::Cavity), ..any };
        let last_resort = defined(&mut history, "any", any);
        defined(&mut history, "cavity", cavity);
        let later = defined(&mut history, "cavity again", cavity);
        let sixth = defined(&mut history, "sixth", FindingPattern { place: Some(6), ..cavity });
        let on_six = seen(&mut history, 16, ToothCondition::Cavity);
        let on_five = seen(&mut history, 15, ToothCondition::Cavity);
        let crack = seen(&mut history, 16, ToothCondition::Crack);
        let templates = |history: &History| -> Vec<DentalTemplateRow> {
            let rows = history.events().collect::<crate::Rows<DentalTemplates>>();
            rows.into_sorted().into_iter().map(|(_, row)| row).collect()
        };
        let all = templates(&history);
        let found = |finding| best(&all, finding).map(|(template, score)| (template.id, score));
        assert_eq!(found(&on_six), Some((sixth, 7)));
        assert_eq!(found(&on_five), Some((later, 6)));
        assert_eq!(found(&crack), Some((last_resort, 0)));
        for id in [sixth, last_resort] {
            history.push(id.into(), DentalTemplateEvent::DentalTemplateRetired {});
        }
        let left = templates(&history);
        assert_eq!(best(&left, &on_six).map(|(template, _)| template.id), Some(later));
        assert!(best(&left, &crack).is_none());
    }
}
