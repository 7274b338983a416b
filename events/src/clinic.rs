//! What can happen to a clinic. A clinic is an organisation, not a person: nothing here is sealed.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

use crate::{
    AuditorGrantId, ClosureId, LegalHoldId, OfficeId, PatientId, UserId, calendar::WeeklyHours, retention::Retention,
    values::Address,
};

/// The plans ([`crate::plans`] says what they offer).
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Plan {
    Trial,
    Basic,
    Premium,
    Enterprise,
}

/// How much a clinic may have; `None` is unlimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub doctors: Option<i64>,
    pub patients: Option<i64>,
    pub receptionists: Option<i64>,
    pub offices: Option<i64>,
    /// Bytes of attachments.
    pub storage: Option<i64>,
}

/// What a clinic says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClinicProfile {
    pub name: String,
    pub email: String,
    pub phone: Option<String>,
    pub website: Option<String>,
    pub address: Option<Address>,
    pub registration_number: Option<String>,
    /// GSTIN in India.
    pub tax_id: Option<String>,
    /// An URL, for pages; what is printed is set by itself ([`ClinicLogo`]).
    pub logo: Option<String>,
    /// IANA name, `Asia/Kolkata`.
    #[schemars(with = "String")]
    pub time_zone: Tz,
}

/// A picture that stands for the clinic on what it prints. Small enough to lie in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClinicLogo {
    /// `image/png` or `image/jpeg`.
    pub media_type: String,
    /// Of the picture, in hexadecimal digits.
    pub sha256: String,
    /// The picture, in base64 (RFC 4648, 4).
    pub data: String,
}

/// What happens when a slot is taken already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "policy", deny_unknown_fields)]
pub enum Overbooking {
    /// Never two at once.
    #[default]
    Forbid,
    /// Only by the command `overbook`, which records who and why.
    Approve,
    /// So many at once, and more only by `overbook`.
    Capacity { places: i16 },
}

/// When patients are reminded of their appointments, by mail, where they have an address and have not objected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reminders {
    /// Hours before the start, the longest first; none: nobody is reminded.
    pub hours_before: Vec<i64>,
}

impl Reminders {
    fn are_off(&self) -> bool {
        self.hours_before.is_empty()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    #[serde(default)]
    pub overbooking: Overbooking,
    /// Minutes after the start before an appointment may be marked as a no-show.
    #[serde(default = "default_no_show_grace_minutes")]
    pub no_show_grace_minutes: i64,
    /// Minutes after the start at which the program itself marks who has not come as a no-show; never before the grace
    /// time. `None`: only people do. Not written while it is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark_no_shows_after_minutes: Option<i64>,
    /// Whether a booking waits for a confirmation (`pending`) or is `booked` at once.
    #[serde(default)]
    pub confirm_bookings: bool,
    /// Whether somebody else than who recorded a laboratory result verifies it. Not written while it is as Casebook comes.
    #[serde(default = "default_on", skip_serializing_if = "is_on")]
    pub results_verified_by_another: bool,
    /// When patients are reminded of appointments; nobody is, as Casebook comes. Not written then.
    #[serde(default, skip_serializing_if = "Reminders::are_off")]
    pub reminders: Reminders,
    /// How long records are kept. Not written while it is as Casebook comes, as in the events of before there was it.
    #[serde(default, skip_serializing_if = "Retention::is_default")]
    pub retention: Retention,
}

fn default_no_show_grace_minutes() -> i64 {
    15
}

fn default_on() -> bool {
    true
}

fn is_on(setting: &bool) -> bool {
    *setting
}

impl Settings {
    /// Minutes after the start at which the program marks a no-show; `None`: only people do.
    pub fn no_shows_marked_after_minutes(&self) -> Option<i64> {
        self.mark_no_shows_after_minutes.map(|minutes| minutes.max(self.no_show_grace_minutes))
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            overbooking: Overbooking::Forbid,
            no_show_grace_minutes: default_no_show_grace_minutes(),
            mark_no_shows_after_minutes: None,
            confirm_bookings: false,
            results_verified_by_another: true,
            reminders: Reminders::default(),
            retention: Retention::default(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Office {
    pub id: OfficeId,
    pub name: String,
    pub address: Option<Address>,
    pub phone: Option<String>,
    pub hours: WeeklyHours,
}

/// Days on which an office, or with `office: None` the whole clinic, is closed; both days included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Closure {
    pub id: ClosureId,
    pub office: Option<OfficeId>,
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub reason: String,
}

/// What an auditor may see by a grant alone. The written form is stored for ever.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::Display,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum AuditScope {
    Visits,
    Notes,
    /// Diagnoses, prescriptions, orders.
    Prescriptions,
    LabResults,
    DentalChart,
    Documents,
    /// The record at an earlier time.
    Replay,
    Export,
}

/// For a while, an auditor may see some kinds of data of a period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditorGrant {
    pub id: AuditorGrantId,
    pub auditor: UserId,
    pub scope: Vec<AuditScope>,
    /// What was recorded from here on.
    pub from: DateTime<Utc>,
    /// And before.
    pub to: DateTime<Utc>,
    /// When the grant itself ends.
    pub expires: DateTime<Utc>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "type", content = "data")]
pub enum ClinicEvent {
    ClinicRegistered {
        slug: String,
        profile: ClinicProfile,
        trial_ends_at: DateTime<Utc>,
    },
    ClinicProfileUpdated {
        profile: ClinicProfile,
    },
    ClinicLogoSet {
        logo: ClinicLogo,
    },
    ClinicLogoRemoved {},
    OfficeAdded {
        office: Office,
    },
    OfficeClosed {
        office: OfficeId,
    },
    OfficeHoursSet {
        office: OfficeId,
        hours: WeeklyHours,
    },
    ClosureDeclared {
        closure: Closure,
    },
    ClosureCancelled {
        closure: ClosureId,
    },
    SettingsChanged {
        settings: Settings,
    },
    /// The clinic pays: out of the trial, or out of what came after it.
    SubscriptionActivated {
        plan: Plan,
        paid_until: DateTime<Utc>,
    },
    /// The trial is over and nothing was paid. The clinic's people were refused from that instant on; this says so.
    TrialExpired {
        ended_at: DateTime<Utc>,
    },
    /// What was paid for is over: likewise.
    SubscriptionExpired {
        plan: Plan,
        paid_until: DateTime<Utc>,
    },
    PlanChanged {
        from: Plan,
        to: Plan,
    },
    /// Other limits than the plan's, for this clinic alone; `None` returns to the plan's.
    LimitsSet {
        limits: Option<Limits>,
    },
    ClinicSuspended {
        reason: String,
    },
    ClinicResumed {},
    /// Nothing it covers is erased until it is lifted.
    LegalHoldPlaced {
        hold: LegalHoldId,
        /// `None`: everybody's record.
        patient: Option<PatientId>,
        by: Option<UserId>,
        /// In words that name no person.
        reason: String,
    },
    LegalHoldLifted {
        hold: LegalHoldId,
        reason: String,
    },
    /// The clinic has ended. Its record is kept until then.
    ClinicClosed {
        retention_until: DateTime<Utc>,
    },
    /// Nothing has to be kept any more: the clinic's keys are destroyed, and with them all that was sealed.
    ClinicShredded {},
    AuditorGranted {
        grant: AuditorGrant,
    },
    AuditorGrantRevoked {
        grant: AuditorGrantId,
        auditor: UserId,
    },
}
