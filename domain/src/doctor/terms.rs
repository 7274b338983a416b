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

#[cfg(test)]
mod tests {
    use events::DoctorId;
    use serde_json::json;

    use super::*;
    use crate::testing::{World, body};

    #[test]
    fn a_fee_is_set_once() {
        let mut world = World::registered();
        let doctor = world.given_doctor(3);
        let fee = || body::<SetFee>(json!({"fee": {"minor": 50000, "currency": "inr"}}));
        world.when::<Doctor>(doctor, fee()).unwrap();
        assert!(world.when::<Doctor>(doctor, fee()).unwrap().is_empty(), "already so");
        let state = world.state::<Doctor>(doctor).unwrap();
        assert_eq!(state.fee, Some(Money { minor: 50_000, currency: "INR".into() }));
        assert!(serde_json::from_value::<SetFee>(json!({"fee": {"minor": -1, "currency": "INR"}})).is_err());
    }

    #[test]
    fn a_new_licence_frees_the_number_of_the_old_one() {
        let mut world = World::registered();
        let (one, two) = (world.given_doctor(3), world.given_doctor(4));
        let licence = |number: &str| body::<RecordLicence>(json!({"number": number, "expires": "2030-12-31"}));
        let refused = world.when::<Doctor>(one, licence("4")).unwrap_err();
        assert_eq!((refused.code, refused.pointer), ("duplicate", Some("/number")));
        world.when::<Doctor>(one, licence("MH-9")).unwrap();
        assert!(world.when::<Doctor>(one, licence("mh9")).unwrap().is_empty(), "already so");
        world.when::<Doctor>(two, licence("3")).unwrap();
        let nobody = world.when::<Doctor>(crate::testing::id::<DoctorId>(9), licence("5")).unwrap_err();
        assert_eq!(nobody.class, crate::Class::NotFound);
    }
}
