//! The logins of a clinic: its staff and its patients' portal accounts.

use chrono::{DateTime, Utc};
use events::{
    DomainEvent, PatientId, Recorded, Role, Sealed, StaffEvent, UserId,
    staff::{LockReason, StaffIdentity},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, VariantArray};
use uuid::Uuid;

use crate::Projection;

/// `read.staff_1`: one row per login.
pub struct Staff;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Display, EnumString, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum StaffStatus {
    /// Has not set a password yet.
    Invited,
    Active,
    /// Until `locked_until`, where that is set: no event ends such a lock, the clock does.
    Locked,
    Deactivated,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StaffRow {
    pub id: UserId,
    /// Empty once erased.
    pub username: Option<String>,
    pub name: Option<String>,
    pub email: Option<String>,
    pub roles: Vec<Role>,
    pub status: StaffStatus,
    pub locked_until: Option<DateTime<Utc>>,
    pub lock_reason: Option<LockReason>,
    /// The patient whose portal account this is.
    pub patient: Option<PatientId>,
    pub invited_at: DateTime<Utc>,
    pub activated_at: Option<DateTime<Utc>>,
    pub deactivated_at: Option<DateTime<Utc>>,
    /// Whether a login needs a code beside the password.
    pub totp: bool,
    pub version: i64,
    pub position: i64,
}

impl Projection for Staff {
    const NAME: &'static str = "staff";
    const REVISION: i32 = 1;
    const TABLE: &'static str = "read.staff_1";
    const ONE_STREAM: bool = true;
    type Key = Uuid;
    type Row = StaffRow;

    fn keys(event: &Recorded) -> Vec<Uuid> {
        match event.event {
            DomainEvent::Staff(_) => vec![event.stream.id],
            _ => Vec::new(),
        }
    }

    fn fold(row: Option<StaffRow>, _: &Uuid, event: &Recorded) -> Option<StaffRow> {
        let DomainEvent::Staff(change) = &event.event else { return row };
        let mut row = match (row, change) {
            (None, StaffEvent::StaffInvited { roles, patient, sealed, .. }) => invited(roles, *patient, sealed, event),
            (row, _) => row?,
        };
        row.take(change, event.occurred_at);
        row.version = event.version;
        row.position = event.position;
        Some(row)
    }
}

fn invited(roles: &[Role], patient: Option<PatientId>, sealed: &Sealed<StaffIdentity>, event: &Recorded) -> StaffRow {
    let identity = sealed.open();
    StaffRow {
        id: UserId(event.stream.id),
        username: identity.map(|identity| identity.username.clone()),
        name: identity.map(|identity| identity.name.clone()),
        email: identity.and_then(|identity| identity.email.clone()),
        roles: roles.to_vec(),
        status: StaffStatus::Invited,
        locked_until: None,
        lock_reason: None,
        patient,
        invited_at: event.occurred_at,
        activated_at: None,
        deactivated_at: None,
        totp: false,
        version: event.version,
        position: event.position,
    }
}

impl StaffRow {
    fn take(&mut self, change: &StaffEvent, at: DateTime<Utc>) {
        match change {
            StaffEvent::StaffActivated { .. } => {
                self.status = StaffStatus::Active;
                self.activated_at = Some(at);
            }
            StaffEvent::RoleGranted { role } if !self.roles.contains(role) => self.roles.push(*role),
            StaffEvent::RoleRevoked { role } => self.roles.retain(|kept| kept != role),
            StaffEvent::StaffLocked { reason, until, .. } => self.lock(*reason, *until),
            StaffEvent::StaffUnlocked { .. } => self.unlock(),
            StaffEvent::StaffDeactivated { .. } => {
                self.status = StaffStatus::Deactivated;
                self.deactivated_at = Some(at);
            }
            StaffEvent::TotpEnabled { .. } => self.totp = true,
            StaffEvent::TotpDisabled { .. } => self.totp = false,
            StaffEvent::StaffInvited { .. }
            | StaffEvent::ActivationRenewed { .. }
            | StaffEvent::RoleGranted { .. }
            | StaffEvent::PasswordChanged { .. }
            | StaffEvent::PasswordResetRequested { .. }
            | StaffEvent::DepartmentAssigned { .. }
            | StaffEvent::DepartmentUnassigned { .. }
            | StaffEvent::EmergencyAccessGranted { .. }
            | StaffEvent::EmergencyAccessEnded { .. }
            | StaffEvent::EmergencyAccessReviewed { .. } => {}
        }
    }

    fn lock(&mut self, reason: LockReason, until: Option<DateTime<Utc>>) {
        self.status = StaffStatus::Locked;
        self.lock_reason = Some(reason);
        self.locked_until = until;
    }

    fn unlock(&mut self) {
        self.status = if self.activated_at.is_some() { StaffStatus::Active } else { StaffStatus::Invited };
        self.lock_reason = None;
        self.locked_until = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Rows, sample::History};

    #[test]
    fn an_unlocked_login_is_what_it_was() {
        let mut history = History::new();
        let user = history.invited(&[Role::Nurse]);
        let locked = StaffEvent::StaffLocked { patient: None, reason: LockReason::Administrator, until: None };
        history.staff(user, locked);
        history.staff(user, StaffEvent::StaffUnlocked { patient: None });
        let row = history.row::<Staff>(user.0).unwrap();
        assert_eq!((row.status, row.lock_reason), (StaffStatus::Invited, None));
    }

    #[test]
    fn a_role_is_held_once() {
        let mut history = History::new();
        let user = history.invited(&[Role::Nurse]);
        history.staff(user, StaffEvent::RoleGranted { role: Role::Nurse });
        history.staff(user, StaffEvent::RoleGranted { role: Role::Billing });
        assert_eq!(history.row::<Staff>(user.0).unwrap().roles, [Role::Nurse, Role::Billing]);
    }

    #[test]
    fn an_erased_login_keeps_its_roles() {
        let mut history = History::new();
        let user = history.invited(&[Role::Nurse]);
        let erased = history.erased();
        let rows: Rows<Staff> = erased.events().collect();
        let row = rows.get(&user.0).unwrap();
        assert_eq!((row.name.as_deref(), row.roles.as_slice()), (None, &[Role::Nurse][..]));
    }
}
