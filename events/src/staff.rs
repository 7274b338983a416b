//! What can happen to a login. No event ever holds a password, a token or an activation secret.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};

use crate::{DepartmentId, EmergencyAccessId, PatientId, Role, Sealed, claim::KeyedHash};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StaffIdentity {
    pub username: String,
    pub name: String,
    pub email: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum LockReason {
    /// Too many wrong passwords; ends by itself.
    FailedLogins,
    /// By an administrator; ends by `unlock`.
    Administrator,
}

/// Why somebody had to see a record that their roles do not show; in words it is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum EmergencyReason {
    /// The patient's life is in danger.
    DangerToLife,
    /// A treatment cannot wait for somebody who may see the record.
    UrgentTreatment,
    /// The patient cannot say what has to be known.
    PatientUnresponsive,
    Other,
}

/// How somebody who was logged in already proved once more who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Proof {
    /// The password, given again with the request.
    Password,
}

/// What came out of a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Verdict {
    Justified,
    NotJustified,
}

/// Free text about an emergency access; it says something about the patient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EmergencyText {
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "type", content = "data")]
pub enum StaffEvent {
    StaffInvited {
        roles: Vec<Role>,
        /// The patient whose portal account this is; `None` for staff.
        patient: Option<PatientId>,
        username_hash: KeyedHash,
        email_hash: Option<KeyedHash>,
        #[serde(default)]
        sealed: Sealed<StaffIdentity>,
    },
    /// The login has a password of its own and may be used.
    StaffActivated {
        patient: Option<PatientId>,
    },
    /// A new activation secret was made; an earlier one is void.
    ActivationRenewed {
        patient: Option<PatientId>,
    },
    RoleGranted {
        role: Role,
    },
    RoleRevoked {
        role: Role,
    },
    DepartmentAssigned {
        department: DepartmentId,
    },
    /// Also before a login ends.
    DepartmentUnassigned {
        department: DepartmentId,
    },
    PasswordChanged {
        patient: Option<PatientId>,
    },
    PasswordResetRequested {
        patient: Option<PatientId>,
    },
    /// From now on a login needs a code beside the password (RFC 6238).
    TotpEnabled {
        patient: Option<PatientId>,
    },
    /// By the person, or by an administrator for somebody who lost the device.
    TotpDisabled {
        patient: Option<PatientId>,
    },
    StaffLocked {
        patient: Option<PatientId>,
        reason: LockReason,
        /// `None`: until somebody unlocks it.
        until: Option<DateTime<Utc>>,
    },
    StaffUnlocked {
        patient: Option<PatientId>,
    },
    StaffDeactivated {
        patient: Option<PatientId>,
        /// What the account counted as, so that no fold has to look elsewhere.
        roles: Vec<Role>,
        #[serde(default)]
        sealed: Sealed<StaffReason>,
    },
    /// The person broke the glass to the record of one patient, for a while. It lies in the patient's chart.
    EmergencyAccessGranted {
        access: EmergencyAccessId,
        patient: PatientId,
        reason: EmergencyReason,
        proof: Proof,
        expires: DateTime<Utc>,
        /// By when somebody else has to look at it.
        review_due: DateTime<Utc>,
        #[serde(default)]
        sealed: Sealed<EmergencyText>,
    },
    /// Ended by hand, before its time.
    EmergencyAccessEnded {
        access: EmergencyAccessId,
        patient: PatientId,
    },
    EmergencyAccessReviewed {
        access: EmergencyAccessId,
        patient: PatientId,
        verdict: Verdict,
        #[serde(default)]
        sealed: Sealed<EmergencyText>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StaffReason {
    pub reason: String,
}

impl StaffEvent {
    /// The patient whose account it is, or whose record was opened: such events lie in the patient's chart.
    pub fn patient(&self) -> Option<PatientId> {
        match self {
            Self::StaffInvited { patient, .. }
            | Self::StaffActivated { patient }
            | Self::ActivationRenewed { patient }
            | Self::PasswordChanged { patient }
            | Self::PasswordResetRequested { patient }
            | Self::TotpEnabled { patient }
            | Self::TotpDisabled { patient }
            | Self::StaffLocked { patient, .. }
            | Self::StaffUnlocked { patient }
            | Self::StaffDeactivated { patient, .. } => *patient,
            Self::EmergencyAccessGranted { patient, .. }
            | Self::EmergencyAccessEnded { patient, .. }
            | Self::EmergencyAccessReviewed { patient, .. } => Some(*patient),
            Self::RoleGranted { .. }
            | Self::RoleRevoked { .. }
            | Self::DepartmentAssigned { .. }
            | Self::DepartmentUnassigned { .. } => None,
        }
    }

    /// Whether it is about an emergency access.
    pub fn is_of_emergency(&self) -> bool {
        matches!(
            self,
            Self::EmergencyAccessGranted { .. }
                | Self::EmergencyAccessEnded { .. }
                | Self::EmergencyAccessReviewed { .. }
        )
    }
}
