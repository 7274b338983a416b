//! What a doctor costs, and what allows the doctor to practise.

use chrono::NaiveDate;
use events::{DoctorEvent, doctor::Licence, values::Money};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Doctor, did,
    register::{licence_hash, licence_is_free},
};
use crate::{
    Context, Decision, Facts, Refusal,
    values::{DocumentNumber, Price},
};

/// Sets the fee for a consultation.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetFee {
    pub fee: Price,
}

impl SetFee {
    pub(super) fn decide(self, doctor: &Doctor, context: &Context<'_>) -> Decision {
        let fee: Money = self.fee.into();
        if doctor.fee.as_ref() == Some(&fee) {
            return Decision::already_so();
        }
        did(context, DoctorEvent::FeeSet { fee })
    }
}

/// Records a licence, in place of the one before: a renewal, or another number.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordLicence {
    /// Unique in the clinic.
    pub number: DocumentNumber,
    /// Its last day; left out: it does not end.
    #[serde(default)]
    pub expires: Option<NaiveDate>,
}

impl RecordLicence {
    pub(super) fn decide(self, doctor: &Doctor, facts: &Facts, context: &Context<'_>) -> Result<Decision, Refusal> {
        let licence_hash = licence_hash(context.pseudonyms, &self.number);
        licence_is_free(&licence_hash, facts, context).map_err(|refusal| refusal.at("/number"))?;
        let expires = self.expires;
        if licence_hash == doctor.licence_hash && expires == doctor.licence_expires {
            return Ok(Decision::already_so());
        }
        let sealed = Licence { number: self.number.into() }.into();
        Ok(did(context, DoctorEvent::LicenceRecorded { licence_hash, expires, sealed }))
    }
}
