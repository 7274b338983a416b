//! What surrounds an event in the log: where it stands, when, who, why and from where.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};
use uuid::Uuid;

use crate::{ClinicId, DomainEvent, PatientId, StreamId, UserId};

/// A place in a clinic's ledger: 1, 2, 3 … without gaps, in commit order.
pub type Position = i64;

/// The two ledgers of a clinic. The number is stored for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(i16)]
pub enum Ledger {
    /// What was done: domain events.
    Record = 1,
    /// Who saw what, and who was refused.
    Access = 2,
}

/// What a login may be. The written form is stored for ever.
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
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Role {
    /// Outside any clinic: registers, suspends, sets plans; never sees a patient.
    PlatformAdmin,
    /// Outside any clinic: rebuilds, backups, imports.
    Operator,
    ClinicAdmin,
    Doctor,
    Nurse,
    Receptionist,
    LabTechnician,
    Pharmacist,
    Billing,
    Auditor,
    /// A portal login, tied to one patient.
    Patient,
}

#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Display, EnumString, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ActorKind {
    Person,
    /// A scheduler, a lock after failed logins.
    System,
    /// A legacy book that is being read in.
    Import,
}

/// Who gave the command, as they were then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Actor {
    pub kind: ActorKind,
    /// `None` for somebody who has no login yet, and for the system.
    pub user: Option<UserId>,
    /// User name at the time; empty where there is no user.
    pub name: String,
    /// Roles at the time.
    pub roles: Vec<Role>,
    /// The login's session (the token family).
    pub session: Option<Uuid>,
    pub on_behalf_of: Option<UserId>,
}

impl Actor {
    /// Somebody without a login: a clinic that registers itself.
    pub fn anonymous() -> Self {
        Self::without_user(ActorKind::Person)
    }

    /// The program itself.
    pub fn system() -> Self {
        Self::without_user(ActorKind::System)
    }

    fn without_user(kind: ActorKind) -> Self {
        Self { kind, user: None, name: String::new(), roles: Vec::new(), session: None, on_behalf_of: None }
    }

    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

/// Purpose of use (HL7 v3 PurposeOfUse).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Display, EnumString, IntoStaticStr,
)]
#[serde(rename_all = "UPPERCASE")]
#[strum(serialize_all = "UPPERCASE")]
pub enum Purpose {
    /// Treatment.
    Treat,
    /// Payment.
    Hpaymt,
    /// Operation of the clinic.
    Hoperat,
    /// Emergency treatment (broken glass).
    Etreat,
    /// At the patient's request.
    Patrqt,
}

/// From where the command came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Client {
    pub address: Option<IpAddr>,
    /// `User-Agent`, cut to 200 characters.
    pub agent: Option<String>,
}

/// One event as a fold or an auditor meets it: decoded, its sealed part opened where it could be.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    pub clinic: ClinicId,
    pub ledger: Ledger,
    pub position: Position,
    pub stream: StreamId,
    /// 1, 2, 3 … in the stream.
    pub version: i64,
    pub event_id: Uuid,
    pub patient: Option<PatientId>,
    /// 1, 2, 3 … in the chart of the patient.
    pub patient_version: Option<i64>,
    /// Business time; in the past for what was imported.
    pub occurred_at: DateTime<Utc>,
    /// The server's; never runs backwards in a clinic.
    pub recorded_at: DateTime<Utc>,
    pub actor: Actor,
    pub purpose: Purpose,
    pub event: DomainEvent,
    /// The chain's value after this event.
    pub hash: [u8; 32],
}
