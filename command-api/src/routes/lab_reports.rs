//! Commands on laboratory reports.

use aide::axum::ApiRouter;
use domain::{
    LabReport,
    lab_report::{
        AcknowledgeCritical, AmendReport, CorrectReport, EnterReportInError, NotifyCritical, RecordResult,
        RegisterReport, ReleaseReport, VerifyResult,
    },
};
use service_kit::{Capability, Limit};

use super::{
    collection::{Collection, creates},
    needs::Needs,
};
use crate::app::App;

const LABORATORY: Needs<LabReport> = Needs::all(Capability::LabResults);
/// Doctors verify results and take note of critical ones.
const VERIFY: Needs<LabReport> = Needs::within(Capability::LabResults, &[(Limit::Verify, |_, _| true)]);

pub fn routes() -> ApiRouter<App> {
    Collection::of_clinic("/lab-reports")
        .create::<RegisterReport>(LABORATORY)
        .action::<RecordResult>("results", LABORATORY)
        .action::<VerifyResult>("verify-result", VERIFY)
        .action::<ReleaseReport>("release", LABORATORY)
        .action::<AmendReport>("amend", LABORATORY)
        .action::<CorrectReport>("correct", LABORATORY)
        .action::<NotifyCritical>("notify-critical", LABORATORY)
        .action::<AcknowledgeCritical>("acknowledge-critical", VERIFY)
        .action::<EnterReportInError>("enter-in-error", LABORATORY)
        .router()
}

creates!(LabReport: RegisterReport);
