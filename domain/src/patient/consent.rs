//! What the patient agreed to, and who may see the record.

use std::collections::BTreeMap;

use events::{
    ConsentId, PatientEvent, PatientId,
    patient::{Confidentiality, ConsentScope, ConsentText},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Chart, sealed_reason};
use crate::{
    Context, Decision, Refusal,
    case_study::consent::withdrawn_with,
    values::{Reason, Text},
};

/// Records a consent. There is one at a time for each scope.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GiveConsent {
    pub scope: ConsentScope,
    /// What was agreed to, as it was put to the patient.
    #[serde(default)]
    pub text: Option<Text<4000>>,
}

/// Withdraws a consent; and, for a person with several records, every consent of the same scope. The case studies that
/// rest on it are withdrawn with it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawConsent {
    pub consent_id: ConsentId,
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Says who may see the record; `normal` lifts a restriction.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RestrictRecord {
    pub confidentiality: Confidentiality,
    #[serde(default)]
    pub reason: Option<Reason>,
}

impl GiveConsent {
    pub(super) fn decide(self, chart: &Chart<'_>, context: &Context<'_>) -> Result<Decision, Refusal> {
        let given = |(_, member): (_, &super::Patient)| member.consents.values().any(|scope| *scope == self.scope);
        if chart.group.members().any(given) {
            let detail = format!("Consent to {} is given already; withdraw it first.", self.scope);
            return Err(Refusal::conflict("consent-given", detail).at("/scope"));
        }
        let text = ConsentText { text: self.text.map(Into::into) };
        chart.record(PatientEvent::ConsentGiven { consent: context.new_id(0), scope: self.scope, sealed: text.into() })
    }
}

impl WithdrawConsent {
    pub(super) fn decide(self, chart: &Chart<'_>) -> Result<Decision, Refusal> {
        let found = chart.group.holding(|member| member.consents.get(&self.consent_id).copied());
        let (_, scope) = found.ok_or_else(|| Refusal::not_found("consent").at("/consent_id"))?;
        let all = chart.group.members().flat_map(|(id, member)| member.consents.iter().map(move |given| (id, given)));
        let same: BTreeMap<ConsentId, PatientId> =
            all.filter(|(_, (_, other))| **other == scope).map(|(id, (consent, _))| (*consent, id)).collect();
        let decision = same.iter().fold(Decision::default(), |decision, (consent, id)| {
            let sealed = sealed_reason(self.reason.clone());
            decision.and(*id, PatientEvent::ConsentWithdrawn { consent: *consent, scope, sealed })
        });
        let studies = withdrawn_with(&same.into_keys().collect(), &chart.group, chart.facts);
        Ok(studies.into_iter().fold(decision, |decision, (study, ended)| decision.and(study, ended)))
    }
}

impl RestrictRecord {
    pub(super) fn decide(self, chart: &Chart<'_>) -> Result<Decision, Refusal> {
        let confidentiality = self.confidentiality;
        if chart.patient.confidentiality == confidentiality {
            return Ok(Decision::already_so());
        }
        chart.record(PatientEvent::RecordRestricted { confidentiality, sealed: sealed_reason(self.reason) })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        Patient,
        testing::{World, body},
    };

    fn give(scope: &str) -> GiveConsent {
        body(json!({"scope": scope, "text": "I agree."}))
    }

    #[test]
    fn a_scope_has_one_consent_at_a_time() {
        let mut world = World::with_clinic(chrono_tz::Asia::Kolkata);
        let patient = world.given_patient(1);
        world.patient(patient, give("research")).unwrap();
        assert_eq!(world.patient(patient, give("research")).unwrap_err().code, "consent-given");
        world.patient(patient, give("reminders")).unwrap();
        let consent = *world.state::<Patient>(patient).unwrap().consents.keys().next().unwrap();
        let withdraw = || WithdrawConsent { consent_id: consent, reason: None };
        world.patient(patient, withdraw()).unwrap();
        assert_eq!(world.patient(patient, withdraw()).unwrap_err().class, crate::Class::NotFound);
    }

    #[test]
    fn what_a_person_withdraws_is_withdrawn_under_every_record() {
        let mut world = World::with_clinic(chrono_tz::Asia::Kolkata);
        let [survivor, double] = [1, 2].map(|n| world.given_patient(n));
        for patient in [survivor, double] {
            world.patient(patient, give("research")).unwrap();
        }
        world.given_merge(double, survivor);
        let consent = *world.state::<Patient>(double).unwrap().consents.keys().next().unwrap();
        world.patient(survivor, WithdrawConsent { consent_id: consent, reason: None }).unwrap();
        assert!([survivor, double].iter().all(|id| world.state::<Patient>(*id).unwrap().consents.is_empty()));
    }

    #[test]
    fn a_restriction_is_set_and_lifted() {
        let mut world = World::with_clinic(chrono_tz::Asia::Kolkata);
        let patient = world.given_patient(1);
        let restrict = |word: &str| body::<RestrictRecord>(json!({"confidentiality": word, "reason": "VIP"}));
        assert_eq!(world.patient(patient, restrict("restricted")).unwrap().len(), 1);
        assert_eq!(world.patient(patient, restrict("restricted")).unwrap(), []);
        assert_eq!(world.patient(patient, restrict("normal")).unwrap().len(), 1);
    }
}
