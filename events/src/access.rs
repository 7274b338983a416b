//! Who saw what, who was refused, who logged in: the events of the access ledger.
//!
//! What every record needs lies in the columns of its row: when, who (name and roles at the time), on whose
//! behalf, from where, the operation (`command`: method and route), which patient, purpose, correlation. The
//! event adds the rest. It never holds a password, a token, a searched word in clear, or what was read.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};
use uuid::Uuid;

use crate::{AggregateKind, PatientId, Position, Sealed, UserId, claim::KeyedHash};

/// What was read, exported or printed, as exactly as it is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Shown {
    pub kind: AggregateKind,
    pub id: Uuid,
    /// The version that was shown.
    pub version: Option<i64>,
}

/// At which moment of the record somebody looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// As it was at a position (`as_of`).
    AsOf(Position),
    /// In a replay of the whole clinic.
    Replay(Uuid),
}

/// A parameter of a query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Parameter {
    /// An id, a day, a code of state.
    Plain(String),
    /// What somebody typed: a name, a phone number. The hash of the clinic's key.
    Hashed(KeyedHash),
}

/// The parameters of a query, by their names.
pub type Parameters = BTreeMap<String, Parameter>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum LoginFailure {
    /// No such user name in the clinic.
    UnknownUser,
    WrongPassword,
    /// Locked, deactivated, or not activated yet.
    NotAllowed,
    /// The secret of an activation or of a reset, or the birth date beside it, was wrong or out of date.
    WrongActivation,
    /// The password was right, and the code beside it was not.
    WrongCode,
    /// A refresh token that had been used already: its session was ended.
    TokenReused,
}

/// What leaves the system, or is made to be taken along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Handout {
    /// A bundle that proves itself.
    Export,
    Download,
    Print,
}

/// To whom data was disclosed outside the clinic, and what (45 CFR 164.528).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Disclosure {
    pub recipient: String,
    /// Where it is known.
    pub address: Option<String>,
    /// What was disclosed, in short.
    pub description: String,
    /// Why, or a copy of the request.
    pub statement: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "type", content = "data")]
pub enum AccessEvent {
    /// Data of one person was shown. The row names the patient.
    PatientShown {
        patient: PatientId,
        /// Other ids of the same person (merged charts).
        also: Vec<PatientId>,
        /// What kind of data: a capability of the matrix of rights.
        category: String,
        resource: Option<Shown>,
        parameters: Parameters,
        moment: Option<Moment>,
        /// The emergency access under which it was seen.
        emergency: Option<Uuid>,
    },
    /// A list or a search showed data of several patients, or of none: `log.access_patient` has them.
    PatientsListed {
        category: String,
        parameters: Parameters,
        /// How many patients were shown.
        count: i64,
        /// SHA-256 over their ids (16 bytes each, sorted, each once), in hexadecimal digits.
        patients_sha256: String,
        moment: Option<Moment>,
    },
    /// The roles do not allow it, or not as far.
    AccessRefused {
        capability: String,
        need: String,
        /// The patient of the path, where it names one.
        patient: Option<PatientId>,
    },
    /// The path named another clinic, or one that does not exist.
    CrossClinicAttempted { slug: String },
    /// Somebody of a clinic asked for what belongs to the platform.
    PlatformRefused {},
    LoggedIn {
        session: Uuid,
        /// The portal account's patient.
        patient: Option<PatientId>,
    },
    LoginFailed {
        failure: LoginFailure,
        /// Of the user name that was given; `None` where none was.
        username_hash: Option<KeyedHash>,
        /// The login, where there is one of that name.
        user: Option<UserId>,
        /// The portal account's patient.
        patient: Option<PatientId>,
    },
    LoggedOut {
        session: Uuid,
        /// The portal account's patient.
        patient: Option<PatientId>,
    },
    /// Data was handed out as a file or on paper.
    HandedOut {
        handout: Handout,
        /// Of one patient; else of the clinic.
        patient: Option<PatientId>,
        category: String,
        resource: Option<Shown>,
        parameters: Parameters,
        /// SHA-256 of what was handed out, in hexadecimal digits, where it is known.
        sha256: Option<String>,
        /// The same over the patients shown beside the one named here; absent where there are none. The log fills it in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        patients_sha256: Option<String>,
    },
    /// Somebody looked at the audit trail itself, or had it verified.
    AuditRead {
        /// Which part: `events`, `access`, `verify` …
        part: String,
        /// The one patient whose access log was read.
        patient: Option<PatientId>,
        parameters: Parameters,
        /// Entries shown.
        count: i64,
        /// The same over the patients shown beside the one named here; absent where there are none. The log fills it in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        patients_sha256: Option<String>,
    },
    /// Somebody at the clinic told an outsider, by whatever means, and accounts for it.
    DisclosureRecorded {
        disclosure: Uuid,
        patient: PatientId,
        /// An agency has asked that the patient not be told before (45 CFR 164.528(a)(2)).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        suspended_until: Option<DateTime<Utc>>,
        #[serde(default)]
        sealed: Sealed<Disclosure>,
    },
}

impl AccessEvent {
    /// Whether something of it is sealed, under the patient's key.
    pub fn has_sealed_part(&self) -> bool {
        match self {
            Self::DisclosureRecorded { .. } => true,
            Self::PatientShown { .. }
            | Self::PatientsListed { .. }
            | Self::AccessRefused { .. }
            | Self::CrossClinicAttempted { .. }
            | Self::PlatformRefused {}
            | Self::LoggedIn { .. }
            | Self::LoginFailed { .. }
            | Self::LoggedOut { .. }
            | Self::HandedOut { .. }
            | Self::AuditRead { .. } => false,
        }
    }

    /// Says who was shown beside the patient that the event names, where the event does not say so already.
    pub fn name_shown(&mut self, digest: String) {
        if let Self::AuditRead { patients_sha256, .. } | Self::HandedOut { patients_sha256, .. } = self {
            *patients_sha256 = Some(digest);
        }
    }

    /// The one patient whom the record is about. It does not move the chart.
    pub fn patient(&self) -> Option<PatientId> {
        match self {
            Self::PatientShown { patient, .. } | Self::DisclosureRecorded { patient, .. } => Some(*patient),
            Self::AccessRefused { patient, .. }
            | Self::LoggedIn { patient, .. }
            | Self::LoginFailed { patient, .. }
            | Self::LoggedOut { patient, .. }
            | Self::HandedOut { patient, .. }
            | Self::AuditRead { patient, .. } => *patient,
            Self::PatientsListed { .. } | Self::CrossClinicAttempted { .. } | Self::PlatformRefused {} => None,
        }
    }
}
