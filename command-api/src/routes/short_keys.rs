//! Commands on short keys.

use aide::axum::ApiRouter;
use domain::{
    ShortKey, ShortKeyCommand,
    short_key::{DefineShortKey, ReorderShortKey, RetireShortKey, SetShortKeyItems, UseShortKey},
};
use events::DoctorId;
use service_kit::{Authenticated, Capability, Limit};

use super::{
    collection::{Collection, creates},
    needs::Needs,
};
use crate::{app::App, execute::Reached};

/// Doctors have short keys of their own; the clinic's are the administrators'.
const KEYS: Needs<ShortKey> = Needs::within(Capability::ShortKeys, &[(Limit::OwnKeys, is_own)]);
/// Whoever writes prescriptions, or drafts them.
const USE: Needs<ShortKey> = Needs::within(Capability::Prescribe, &[(Limit::Draft, |_, _| true)]);

pub fn routes() -> ApiRouter<App> {
    Collection::of_clinic("/short-keys")
        .create::<DefineShortKey>(KEYS)
        .action::<SetShortKeyItems>("items", KEYS)
        .action::<ReorderShortKey>("reorder", KEYS)
        .action::<RetireShortKey>("retire", KEYS)
        .action::<UseShortKey>("use", USE)
        .router()
}

fn is_own(who: &Authenticated, reached: &Reached<'_, ShortKey>) -> bool {
    let owner = match (reached.command, reached.state) {
        (ShortKeyCommand::Define(define), _) => define.doctor(&who.actor()),
        // The rules say that it does not exist.
        (_, None) => return true,
        (_, Some(key)) => key.doctor,
    };
    owner == Some(DoctorId::from(who.user()))
}

creates!(ShortKey: DefineShortKey);
