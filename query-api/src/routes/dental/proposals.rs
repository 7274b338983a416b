//! What the clinic usually does about what is seen in a mouth.

use std::collections::HashSet;

use aide::axum::{ApiRouter, routing::get_with};
use events::{
    DentalObservationId, DentalTemplateId, PatientId,
    dental_chart::DentalProcedureStatus,
    dental_template::ProposedProcedure,
    tooth::{Surface, Tooth, ToothCondition, ToothSeverity},
};
use read_models::{
    dental_chart::{DentalChartRow, ObservationEntry},
    dental_template::{DentalTemplateRow, best},
};
use schemars::JsonSchema;
use serde::Serialize;
use service_kit::{Capability, Path, Problem, Query, json::NoFilters, page::Items};

use super::{chart::Mouth, templates};
use crate::{
    QueryState,
    disclosure::{Disclosed, Subjects, disclose},
    reader::Reader,
    routes::ById,
    scope::Reflected,
};

/// What a template proposes about a finding. It is planned, or not, by a dentist.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Proposal {
    pub patient_id: PatientId,
    pub observation_id: DentalObservationId,
    pub tooth: Tooth,
    pub surfaces: Vec<Surface>,
    pub condition: Option<ToothCondition>,
    pub severity: Option<ToothSeverity>,
    /// The template that fits best.
    pub template_id: DentalTemplateId,
    pub template: String,
    /// How closely it fits: what names more fits more closely.
    pub score: u8,
    pub procedures: Vec<ProposedProcedure>,
}

impl Proposal {
    fn of(patient_id: PatientId, entry: &ObservationEntry, templates: &[DentalTemplateRow]) -> Option<Self> {
        let finding = &entry.current;
        let (template, score) = best(templates, finding)?;
        Some(Self {
            patient_id,
            observation_id: entry.id,
            tooth: finding.tooth,
            surfaces: finding.surfaces.clone(),
            condition: finding.condition,
            severity: finding.severity,
            template_id: template.id,
            template: template.name.clone(),
            score,
            procedures: template.procedures.clone(),
        })
    }
}

/// Of every finding that stands and about which nothing is planned or done.
fn open(chart: &DentalChartRow) -> impl Iterator<Item = &ObservationEntry> {
    let treated = chart.procedures.iter().filter(|procedure| procedure.status != DentalProcedureStatus::Cancelled);
    let treated: HashSet<DentalObservationId> = treated.filter_map(|procedure| procedure.observation_id).collect();
    chart.observations.iter().filter(move |entry| entry.stands() && !treated.contains(&entry.id))
}

async fn proposals(
    reader: Reader,
    Path(path): Path<ById>,
    _: Query<NoFilters>,
) -> Result<Disclosed<Reflected<Items<Proposal>>>, Problem> {
    let patient = PatientId(path.id);
    let Mouth { row, ids, position } = Mouth::read(&reader, patient, None).await?;
    let templates = templates::in_use(&reader).await?;
    let items = open(&row).filter_map(|entry| Proposal::of(patient, entry, &templates.value)).collect();
    let position = position.min(templates.position);
    let answer = Reflected { value: Items { items, next: None }, position };
    disclose(&reader, Capability::DentalChart, Subjects::person(patient, ids), answer).await
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new().api_route(
        "/dental-charts/{id}/proposals",
        get_with(proposals, |op| {
            op.id("listDentalProposals").tag("Dental charts").summary("What the clinic's templates propose").description(
                "For each finding about which nothing is planned or done yet, the procedures of the template that fits \
                 it best. Plan them by `plan-procedure`, with `observation_id` and `template_id`.",
            )
        }),
    )
}
