//! A short key comes to be: a doctor's own, or the clinic's.

use events::{DoctorId, Role, ShortKeyEvent, ShortKeyId};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{ShortKey, items::checked};
use crate::{
    Context, Decision, Facts, Refusal,
    prescription::ItemBody,
    values::{Name, ShortCode},
};

/// Whose a short key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShortKeyOwner {
    /// Everybody's who prescribes in the clinic.
    Clinic,
    /// The doctor's who defines it.
    Own,
}

/// Defines an abbreviation for lines of a prescription. A code stands for one short key of the clinic, and for one of
/// each doctor.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DefineShortKey {
    #[serde(default)]
    pub id: Option<ShortKeyId>,
    pub code: ShortCode,
    #[serde(default)]
    pub title: Option<Name>,
    /// A doctor's own and everybody else's the clinic's, where it is left out.
    #[serde(default)]
    pub owner: Option<ShortKeyOwner>,
    /// In the order in which they are prescribed.
    #[schemars(length(min = 1, max = 40))]
    pub items: Vec<ItemBody>,
}

impl DefineShortKey {
    /// Whose it will be; `None`: the clinic's.
    pub fn doctor(&self, actor: &events::Actor) -> Option<DoctorId> {
        let is_own = self.owner.map_or(actor.has(Role::Doctor), |owner| owner == ShortKeyOwner::Own);
        actor.user.filter(|_| is_own).map(DoctorId::from)
    }

    pub(super) fn decide(
        self,
        state: Option<&ShortKey>,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        if state.is_some() {
            return Err(Refusal::conflict("duplicate", "There is a short key with this id.").at("/id"));
        }
        let doctor = self.doctor(context.actor);
        if doctor.is_some() && !context.actor.has(Role::Doctor) {
            return Err(Refusal::rule("not-a-doctor", "Only doctors have short keys of their own.").at("/owner"));
        }
        let code = String::from(self.code);
        facts.nobody_else_holds(&super::state::code_claim(doctor, &code), context.target)?;
        let (title, items) = (self.title.map(Into::into), checked(self.items, facts)?);
        Ok(Decision::one(context.target, ShortKeyEvent::ShortKeyDefined { code, doctor, title, items }))
    }
}
