//! What a clinic says of itself, and how it wants to work.

use events::{
    ClinicEvent,
    clinic::{ClinicProfile, Overbooking, Reminders, Settings},
    retention::Retention,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Clinic, did,
    state::{name_claim, registration_claim},
};
use crate::{
    Context, Decision, Facts, Read, Refusal,
    values::{Change, DocumentNumber, Email, Name, Patch, Phone, PostalAddress, TaxId, TimeZone, Url, Whole},
};

/// Times at which a patient may be reminded of one appointment.
const REMINDERS_MAX: usize = 4;

/// Changes the profile. What is left out stays; `null` empties what may be empty.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpdateProfile {
    pub name: Change<Name>,
    pub email: Change<Email>,
    pub phone: Patch<Phone>,
    pub website: Patch<Url>,
    pub logo: Patch<Url>,
    /// Replaces the whole address.
    pub address: Patch<PostalAddress>,
    pub registration_number: Patch<DocumentNumber>,
    pub tax_id: Patch<TaxId>,
    /// Days and office hours are cut in it from now on.
    pub time_zone: Change<TimeZone>,
}

impl UpdateProfile {
    fn claims(&self) -> Vec<events::claim::ClaimKey> {
        let name = match &self.name {
            Change::Set(name) => Some(name_claim(name.as_str())),
            Change::Unchanged => None,
        };
        let registration = match &self.registration_number {
            Patch::Set(number) => Some(registration_claim(number.as_str())),
            Patch::Unchanged | Patch::Clear => None,
        };
        name.into_iter().chain(registration).collect()
    }

    pub(super) fn reads(&self, facts: &Facts) -> Vec<Read> {
        if facts.contended { self.claims().into_iter().map(Read::Claim).collect() } else { Vec::new() }
    }

    pub(super) fn decide(self, clinic: &Clinic, facts: &Facts, context: &Context<'_>) -> Result<Decision, Refusal> {
        for claim in self.claims() {
            facts.nobody_else_holds(&claim, context.target)?;
        }
        let before = clinic.profile.clone();
        let profile = ClinicProfile {
            name: self.name.over(before.name),
            email: self.email.over(before.email),
            phone: self.phone.over(before.phone),
            website: self.website.over(before.website),
            logo: self.logo.over(before.logo),
            address: self.address.over(before.address),
            registration_number: self.registration_number.over(before.registration_number),
            tax_id: self.tax_id.over(before.tax_id),
            time_zone: self.time_zone.over(before.time_zone),
        };
        if profile == clinic.profile {
            return Ok(Decision::already_so());
        }
        Ok(did(context, ClinicEvent::ClinicProfileUpdated { profile }))
    }
}

/// What happens when a slot is taken already.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "policy", deny_unknown_fields)]
pub enum OverbookingPolicy {
    /// Never two at once.
    Forbid,
    /// Only by the command `overbook`, which records who and why.
    Approve,
    /// So many at once, and more only by `overbook`.
    Capacity { places: Whole<1, 20> },
}

impl From<OverbookingPolicy> for Overbooking {
    fn from(policy: OverbookingPolicy) -> Self {
        match policy {
            OverbookingPolicy::Forbid => Self::Forbid,
            OverbookingPolicy::Approve => Self::Approve,
            OverbookingPolicy::Capacity { places } => {
                Self::Capacity { places: i16::try_from(places.get()).unwrap_or(i16::MAX) }
            }
        }
    }
}

/// Changes how the clinic works. What is left out stays.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpdateSettings {
    pub overbooking: Change<OverbookingPolicy>,
    /// Minutes after the start before an appointment may be marked as a no-show.
    pub no_show_grace_minutes: Change<Whole<0, 1440>>,
    /// Minutes after the start (and never before the grace time) at which who is booked and has not come is marked as a
    /// no-show by itself; `null`: only people mark them, as Casebook comes.
    pub mark_no_shows_after_minutes: Patch<Whole<0, 1440>>,
    /// Whether a booking waits for a confirmation (`pending`) or is `booked` at once.
    pub confirm_bookings: Change<bool>,
    /// Whether somebody else than who recorded a laboratory result verifies it; it is so unless a clinic says otherwise.
    pub results_verified_by_another: Change<bool>,
    /// When patients are reminded of their appointments; nobody is, unless a clinic says so.
    pub reminders: Change<ReminderTimes>,
    /// How long records are kept; replaces all periods, and what is left out of it is as Casebook comes.
    pub retention: Change<RetentionPeriods>,
}

/// When patients are reminded of their appointments by mail, where they have an address and have not withdrawn a consent
/// to reminders.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReminderTimes {
    /// Hours before the start, at most four times; none: nobody is reminded.
    pub hours_before: Vec<Whole<1, 168>>,
}

impl TryFrom<ReminderTimes> for Reminders {
    type Error = Refusal;

    fn try_from(times: ReminderTimes) -> Result<Self, Refusal> {
        let mut hours_before: Vec<i64> = times.hours_before.into_iter().map(Whole::get).collect();
        hours_before.sort_unstable_by(|one, other| other.cmp(one));
        hours_before.dedup();
        if hours_before.len() > REMINDERS_MAX {
            let detail = format!("A patient is reminded of an appointment {REMINDERS_MAX} times at most.");
            return Err(Refusal::rule("too-many-reminders", detail).at("/reminders/hours_before"));
        }
        Ok(Self { hours_before })
    }
}

/// How long records are kept, in whole years. What the law of the place asks for is the clinic's to know.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionPeriods {
    /// The clinical record, from the last contact on: 10.
    pub clinical_years: Whole<0, 100>,
    /// The age at which a patient is of full age: 18.
    pub majority_age: Whole<14, 25>,
    /// The clinical record of a minor, from full age on: 3. The later of the two counts.
    pub past_majority_years: Whole<0, 100>,
    /// The audit trail and the access ledger, from the clinic's closing on: 10.
    pub audit_years: Whole<0, 100>,
    /// Disclosures and security, from the clinic's closing on: 6.
    pub disclosure_years: Whole<0, 100>,
}

impl Default for RetentionPeriods {
    fn default() -> Self {
        let usual = Retention::default();
        Self {
            clinical_years: within(usual.clinical_years),
            majority_age: within(usual.majority_age),
            past_majority_years: within(usual.past_majority_years),
            audit_years: within(usual.audit_years),
            disclosure_years: within(usual.disclosure_years),
        }
    }
}

fn within<const MIN: i64, const MAX: i64>(years: i64) -> Whole<MIN, MAX> {
    Whole::try_from(years).expect("the usual periods are within their bounds")
}

impl From<RetentionPeriods> for Retention {
    fn from(periods: RetentionPeriods) -> Self {
        Self {
            clinical_years: periods.clinical_years.get(),
            majority_age: periods.majority_age.get(),
            past_majority_years: periods.past_majority_years.get(),
            audit_years: periods.audit_years.get(),
            disclosure_years: periods.disclosure_years.get(),
        }
    }
}

impl UpdateSettings {
    pub(super) fn decide(self, clinic: &Clinic, context: &Context<'_>) -> Result<Decision, Refusal> {
        let before = &clinic.settings;
        let reminders = match self.reminders {
            Change::Set(times) => times.try_into()?,
            Change::Unchanged => before.reminders.clone(),
        };
        let settings = Settings {
            overbooking: self.overbooking.over(before.overbooking),
            no_show_grace_minutes: self.no_show_grace_minutes.over(before.no_show_grace_minutes),
            mark_no_shows_after_minutes: self.mark_no_shows_after_minutes.over(before.mark_no_shows_after_minutes),
            confirm_bookings: self.confirm_bookings.over(before.confirm_bookings),
            results_verified_by_another: self.results_verified_by_another.over(before.results_verified_by_another),
            reminders,
            retention: self.retention.over(before.retention),
        };
        if settings == *before {
            return Ok(Decision::already_so());
        }
        Ok(did(context, ClinicEvent::SettingsChanged { settings }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{World, body, id};

    fn update(world: &mut World, fields: serde_json::Value) -> Result<Vec<events::DomainEvent>, Refusal> {
        world.when::<Clinic>(world.clinic, body::<UpdateProfile>(fields))
    }

    fn profile(world: &World) -> &ClinicProfile {
        &world.state::<Clinic>(world.clinic).unwrap().profile
    }

    #[test]
    fn what_is_left_out_stays_and_null_empties() {
        let mut world = World::registered();
        update(&mut world, json!({"phone": "+91 98765 43210", "address": {"city": "Pune"}})).unwrap();
        assert_eq!(profile(&world).phone.as_deref(), Some("+919876543210"));
        update(&mut world, json!({"phone": null, "name": "Asha & Co"})).unwrap();
        assert_eq!((profile(&world).phone.as_deref(), profile(&world).name.as_str()), (None, "Asha & Co"));
        assert!(profile(&world).address.is_some());
        assert!(update(&mut world, json!({"name": "Asha & Co"})).unwrap().is_empty());
    }

    #[test]
    fn a_name_cannot_be_emptied() {
        assert!(serde_json::from_value::<UpdateProfile>(json!({"name": null})).is_err());
        assert!(serde_json::from_value::<UpdateProfile>(json!({"slug": "other"})).is_err());
    }

    #[test]
    fn a_new_name_frees_the_old_one_and_may_not_be_anothers() {
        let mut world = World::registered();
        world.claims.insert(name_claim("Taken"), id::<events::ClinicId>(9).into());
        let refused = update(&mut world, json!({"name": "TAKEN"})).unwrap_err();
        assert_eq!((refused.code, refused.extra), ("duplicate", vec![("taken", "clinic-name".into())]));
        update(&mut world, json!({"name": "New", "registration_number": null})).unwrap();
        assert!(!world.claims.contains_key(&name_claim("Asha Clinic")));
        assert!(!world.claims.contains_key(&registration_claim("MH-1/2")));
        assert!(world.claims.contains_key(&name_claim("New")));
    }

    #[test]
    fn settings_that_are_left_out_stay() {
        let mut world = World::registered();
        let sent = json!({"overbooking": {"policy": "capacity", "places": 3}});
        world.when::<Clinic>(world.clinic, body::<UpdateSettings>(sent)).unwrap();
        let sent = json!({"confirm_bookings": true});
        world.when::<Clinic>(world.clinic, body::<UpdateSettings>(sent.clone())).unwrap();
        assert!(world.when::<Clinic>(world.clinic, body::<UpdateSettings>(sent)).unwrap().is_empty());
        let settings = &world.state::<Clinic>(world.clinic).unwrap().settings;
        assert_eq!(settings.overbooking, Overbooking::Capacity { places: 3 });
        assert_eq!((settings.confirm_bookings, settings.no_show_grace_minutes), (true, 15));
        let often = json!({"reminders": {"hours_before": [2, 24, 2]}});
        world.when::<Clinic>(world.clinic, body::<UpdateSettings>(often)).unwrap();
        assert_eq!(world.state::<Clinic>(world.clinic).unwrap().settings.reminders.hours_before, [24, 2]);
        let too_often = json!({"reminders": {"hours_before": [1, 2, 3, 4, 5]}});
        let refused = world.when::<Clinic>(world.clinic, body::<UpdateSettings>(too_often)).unwrap_err();
        assert_eq!((refused.code, refused.pointer), ("too-many-reminders", Some("/reminders/hours_before")));
        let none = json!({"overbooking": {"policy": "capacity", "places": 0}});
        assert!(serde_json::from_value::<UpdateSettings>(none).is_err());
    }
}
