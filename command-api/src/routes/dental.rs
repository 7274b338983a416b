//! Commands on dental charts, and on the clinic's templates of dental treatment.

use aide::axum::ApiRouter;
use domain::{
    DentalChart, DentalChartCommand, DentalTemplate,
    dental_chart::{
        CancelProcedure, CompleteProcedure, CorrectObservation, EnterExtractionInError, EnterObservationInError,
        ExtractTooth, PlanProcedure, RecordObservation, RecordObservations, StartProcedure,
    },
    dental_template::{DefineTemplate, RetireTemplate},
};
use service_kit::{Authenticated, Capability, Limit};

use super::{
    collection::{Collection, creates},
    needs::Needs,
};
use crate::{app::App, execute::Reached};

const TREAT: Needs<DentalChart> = Needs::all(Capability::DentalChart);
/// Nurses write down what is seen.
const OBSERVE: Needs<DentalChart> = Needs::within(Capability::DentalChart, &[(Limit::Observe, is_observation)]);
const TEMPLATES: Needs<DentalTemplate> = Needs::all(Capability::DentalChart);

/// The id of a chart is its patient's; it begins with its first entry.
pub fn routes() -> ApiRouter<App> {
    let charts = Collection::of_clinic("/dental-charts")
        .action::<RecordObservation>("observations", OBSERVE)
        .action::<RecordObservations>("bulk-observations", OBSERVE)
        .action::<CorrectObservation>("correct-observation", OBSERVE)
        .action::<EnterObservationInError>("enter-observation-in-error", OBSERVE)
        .action::<PlanProcedure>("plan-procedure", TREAT)
        .action::<StartProcedure>("start-procedure", TREAT)
        .action::<CompleteProcedure>("complete-procedure", TREAT)
        .action::<CancelProcedure>("cancel-procedure", TREAT)
        .action::<ExtractTooth>("extract-tooth", TREAT)
        .action::<EnterExtractionInError>("enter-extraction-in-error", TREAT);
    let templates = Collection::of_clinic("/dental-templates")
        .create::<DefineTemplate>(TEMPLATES)
        .action::<RetireTemplate>("retire", TEMPLATES);
    charts.router().merge(templates.router())
}

fn is_observation(_: &Authenticated, reached: &Reached<'_, DentalChart>) -> bool {
    match reached.command {
        DentalChartCommand::RecordObservation(_)
        | DentalChartCommand::RecordObservations(_)
        | DentalChartCommand::CorrectObservation(_)
        | DentalChartCommand::EnterObservationInError(_) => true,
        DentalChartCommand::PlanProcedure(_)
        | DentalChartCommand::StartProcedure(_)
        | DentalChartCommand::CompleteProcedure(_)
        | DentalChartCommand::CancelProcedure(_)
        | DentalChartCommand::ExtractTooth(_)
        | DentalChartCommand::EnterExtractionInError(_) => false,
    }
}

creates!(DentalTemplate: DefineTemplate);
