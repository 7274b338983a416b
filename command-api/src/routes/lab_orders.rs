//! Commands on orders of laboratory tests.

use aide::axum::ApiRouter;
use domain::{
    LabOrder,
    lab_order::{
        ActivateLabOrder, CollectSpecimen, DraftTests, HoldLabOrder, OrderTests, RejectSpecimen, ReleaseLabOrder,
        RevokeLabOrder,
    },
};
use events::lab_order::LabOrderStatus;
use service_kit::{Authenticated, Capability, Limit};

use super::{
    collection::{Collection, creates},
    needs::Needs,
};
use crate::{app::App, execute::Reached};

const ORDER: Needs<LabOrder> = Needs::all(Capability::Prescribe);
/// Nurses draft, and take a draft back.
const DRAFT: Needs<LabOrder> = Needs::within(Capability::Prescribe, &[(Limit::Draft, is_draft)]);
/// Specimens are the laboratory's; doctors take them as well.
const SPECIMEN: Needs<LabOrder> = ORDER.or(Capability::LabResults, |_, _| true);

pub fn routes() -> ApiRouter<App> {
    Collection::of_clinic("/lab-orders")
        .create::<OrderTests>(ORDER)
        .create_at::<DraftTests>("/draft", DRAFT)
        .action::<ActivateLabOrder>("activate", ORDER)
        .action::<CollectSpecimen>("collect-specimen", SPECIMEN)
        .action::<RejectSpecimen>("reject-specimen", SPECIMEN)
        .action::<HoldLabOrder>("hold", ORDER)
        .action::<ReleaseLabOrder>("release", ORDER)
        .action::<RevokeLabOrder>("revoke", DRAFT)
        .router()
}

/// What is there is a draft, or nothing is there yet.
fn is_draft(_: &Authenticated, reached: &Reached<'_, LabOrder>) -> bool {
    reached.state.is_none_or(|order| order.status == LabOrderStatus::Draft)
}

creates!(LabOrder: OrderTests, DraftTests);
