//! Who may do what: the matrix of the design, as one table, and what follows from it for a set of roles.

mod limits;
mod table;

use events::Role;
pub use limits::{Limit, Limits};
use schemars::JsonSchema;
use serde::Serialize;
use strum::{Display, IntoStaticStr, VariantArray};
pub use table::cell;

/// What a login may be allowed to do: a row of the matrix, or a part of one where its cells name parts.
/// The written form goes into the access ledger and is stored for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Display, IntoStaticStr, VariantArray, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Capability {
    /// Register and suspend clinics, plans.
    Clinics,
    /// Profile, offices, hours, settings, departments.
    ClinicProfile,
    /// Staff and roles.
    Staff,
    /// A doctor's hours and leave.
    DoctorHours,
    /// Register and update patients.
    PatientRegister,
    /// Demographics.
    PatientRead,
    /// Merge, unmerge, deactivate.
    PatientMerge,
    Appointments,
    Overbook,
    /// Check-in and queue.
    CheckIn,
    Vitals,
    Allergies,
    Problems,
    Visits,
    Notes,
    /// Diagnosis, issuing prescriptions, ordering tests.
    Prescribe,
    /// Dispense and refill.
    Dispense,
    /// Record and verify results.
    LabResults,
    DentalChart,
    Documents,
    Medicines,
    ShortKeys,
    CaseStudies,
    Consent,
    /// Restricting a record.
    Restriction,
    PortalAccounts,
    LiveEvents,
    Import,
    /// Invoices and payments.
    Billing,
    Statistics,
    /// Audit trail, access log, verification.
    Audit,
    /// Replay, state at an earlier time.
    Replay,
    Export,
    /// Rebuild, backups, parked events.
    Operations,
    BreakGlass,
    /// Erasure; two persons, as the domain's rules say.
    Erasure,
    LegalHold,
}

/// A cell of the matrix: what one role may do with one capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    Nothing,
    /// Reads all of it.
    Read,
    /// Reads within the limit.
    ReadWithin(Limit),
    /// Reads and writes within the limit.
    Within(Limit),
    /// Reads all of it, writes within the limit.
    WriteWithin(Limit),
    Full,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Display, IntoStaticStr, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Need {
    Read,
    Write,
}

/// How far a permission reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    Nothing,
    /// Only what one of the limits covers; the route asks with [`Reach::covers`].
    Within(Limits),
    Everything,
}

/// What a set of roles may do with one capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    pub read: Reach,
    pub write: Reach,
}

impl Reach {
    pub fn is_nothing(self) -> bool {
        self == Self::Nothing
    }

    pub fn is_everything(self) -> bool {
        self == Self::Everything
    }

    /// Whether it covers what falls under `limit`.
    pub fn covers(self, limit: Limit) -> bool {
        match self {
            Self::Nothing => false,
            Self::Within(limits) => limits.contains(limit),
            Self::Everything => true,
        }
    }

    /// Somebody with two roles may do what either may.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Everything, _) | (_, Self::Everything) => Self::Everything,
            (Self::Within(one), Self::Within(two)) => Self::Within(one.and(two)),
            (Self::Nothing, reach) | (reach, Self::Nothing) => reach,
        }
    }
}

impl Grant {
    pub const NOTHING: Self = Self { read: Reach::Nothing, write: Reach::Nothing };

    /// Whether anything at all may be read.
    pub fn allows_read(self) -> bool {
        !self.read.is_nothing()
    }

    /// Whether anything at all may be written.
    pub fn allows_write(self) -> bool {
        !self.write.is_nothing()
    }

    pub fn allows(self, need: Need) -> bool {
        !self.reach(need).is_nothing()
    }

    pub fn reach(self, need: Need) -> Reach {
        match need {
            Need::Read => self.read,
            Need::Write => self.write,
        }
    }

    fn or(self, other: Self) -> Self {
        Self { read: self.read.or(other.read), write: self.write.or(other.write) }
    }
}

impl From<Cell> for Grant {
    fn from(cell: Cell) -> Self {
        let within = |limit| Reach::Within(Limits::from(limit));
        let (read, write) = match cell {
            Cell::Nothing => (Reach::Nothing, Reach::Nothing),
            Cell::Read => (Reach::Everything, Reach::Nothing),
            Cell::ReadWithin(limit) => (within(limit), Reach::Nothing),
            Cell::Within(limit) => (within(limit), within(limit)),
            Cell::WriteWithin(limit) => (Reach::Everything, within(limit)),
            Cell::Full => (Reach::Everything, Reach::Everything),
        };
        Self { read, write }
    }
}

/// What these roles together may do.
pub fn grant(roles: &[Role], capability: Capability) -> Grant {
    roles.iter().map(|role| Grant::from(cell(capability, *role))).fold(Grant::NOTHING, Grant::or)
}

#[cfg(test)]
mod tests;
