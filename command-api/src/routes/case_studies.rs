//! Commands on case studies.

use aide::axum::ApiRouter;
use domain::{
    CaseStudy,
    case_study::{
        ApproveCaseStudy, DeIdentifyCaseStudy, DraftCaseStudy, LinkConsent, PublishCaseStudy, WithdrawCaseStudy,
    },
};
use service_kit::{Capability, Limit};

use super::{
    collection::{Collection, creates},
    needs::Needs,
};
use crate::app::App;

const WRITE: Needs<CaseStudy> = Needs::all(Capability::CaseStudies);
/// Administrators approve; that it is not their own the rules say.
const APPROVE: Needs<CaseStudy> = Needs::within(Capability::CaseStudies, &[(Limit::Approve, |_, _| true)]);

pub fn routes() -> ApiRouter<App> {
    Collection::of_clinic("/case-studies")
        .create::<DraftCaseStudy>(WRITE)
        .action::<DeIdentifyCaseStudy>("de-identify", WRITE)
        .action::<LinkConsent>("link-consent", WRITE)
        .action::<ApproveCaseStudy>("approve", APPROVE)
        .action::<PublishCaseStudy>("publish", WRITE)
        .action::<WithdrawCaseStudy>("withdraw", WRITE)
        .router()
}

creates!(CaseStudy: DraftCaseStudy);
