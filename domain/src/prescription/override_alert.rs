//! Saying why a severe alert does not hold a prescription back.

use events::{
    PrescriptionEvent,
    prescription::{AlertId, Overridden, OverrideReason},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{case::Case, safety};
use crate::{Decision, Refusal, values::Reason};

/// Says why this alert does not hold the draft back. It holds for this alert of this content: another medicine, or
/// another allergy, alerts anew.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OverrideAlert {
    /// As the check, or the refusal to issue, names it.
    pub alert_id: AlertId,
    pub reason: OverrideReason,
    /// In words; must be given where the reason is `other`.
    #[serde(default)]
    pub text: Option<Reason>,
}

impl OverrideAlert {
    pub(super) fn decide(self, case: &Case<'_>) -> Result<Decision, Refusal> {
        case.in_draft()?;
        case.prescriber()?;
        if self.reason == OverrideReason::Other && self.text.is_none() {
            return Err(Refusal::rule("text-required", "Say in words what the other reason is.").at("/text"));
        }
        let alerts = safety::alerts(case.id, case.prescription, case.facts, case.context)?;
        let alert = alerts.into_iter().find(|alert| alert.id == self.alert_id);
        let alert = alert.ok_or_else(|| Refusal::not_found("alert").at("/alert_id"))?;
        if case.prescription.overridden.contains(&alert.id) {
            return Ok(Decision::already_so());
        }
        case.record(PrescriptionEvent::PrescriptionAlertOverridden {
            patient: case.patient(),
            alert: alert.id,
            kind: alert.kind,
            severity: alert.severity,
            item: alert.item,
            reason: self.reason,
            sealed: Overridden { alert: alert.text, text: self.text.map(Into::into) }.into(),
        })
    }
}
