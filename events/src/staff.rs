//! What can happen to a login. No event ever holds a password, a token or an activation secret.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};

use crate::{PatientId, Role, Sealed, claim::KeyedHash};

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
    PasswordChanged {
        patient: Option<PatientId>,
    },
    PasswordResetRequested {
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
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StaffReason {
    pub reason: String,
}

impl StaffEvent {
    /// The patient whose account it is: a portal account's events lie in the patient's chart.
    pub fn patient(&self) -> Option<PatientId> {
        match self {
            Self::StaffInvited { patient, .. }
            | Self::StaffActivated { patient }
            | Self::ActivationRenewed { patient }
            | Self::PasswordChanged { patient }
            | Self::PasswordResetRequested { patient }
            | Self::StaffLocked { patient, .. }
            | Self::StaffUnlocked { patient }
            | Self::StaffDeactivated { patient, .. } => *patient,
            Self::RoleGranted { .. } | Self::RoleRevoked { .. } => None,
        }
    }
}
