//! What the rules know of a login, and how each event changes it. Nothing of it is sealed.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use events::{
    DepartmentId, EmergencyAccessId, PatientId, Role, StaffEvent,
    claim::{ClaimKey, KeyedHash},
    staff::{LockReason, Verdict},
};

use crate::Usage;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Invited,
    Active,
    Locked { reason: LockReason, until: Option<DateTime<Utc>> },
    Deactivated,
}

/// One breaking of the glass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmergencyAccess {
    pub patient: PatientId,
    pub expires: DateTime<Utc>,
    /// By hand, before its time.
    pub ended: bool,
    pub verdict: Option<Verdict>,
}

impl EmergencyAccess {
    pub fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.ended || now >= self.expires
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Staff {
    pub status: Status,
    pub roles: Vec<Role>,
    /// The patient of a portal account.
    pub patient: Option<PatientId>,
    pub username_hash: KeyedHash,
    pub email_hash: Option<KeyedHash>,
    pub emergencies: BTreeMap<EmergencyAccessId, EmergencyAccess>,
    pub departments: BTreeSet<DepartmentId>,
    /// Whether a login needs a code beside the password.
    pub totp: bool,
}

impl Staff {
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Whether the login is locked now: a lock after failed logins ends by itself.
    pub fn is_locked(&self, now: DateTime<Utc>) -> bool {
        matches!(self.status, Status::Locked { until, .. } if until.is_none_or(|until| now < until))
    }

    /// Whether somebody who knows the password may log in now.
    pub fn may_log_in(&self, now: DateTime<Utc>) -> bool {
        match self.status {
            Status::Invited | Status::Deactivated => false,
            Status::Active | Status::Locked { .. } => !self.is_locked(now),
        }
    }

    /// Activated, and neither deactivated nor locked by an administrator. A lock after failed logins is
    /// no end: otherwise anybody could take a clinic its last administrator by guessing passwords.
    pub fn is_in_use(&self) -> bool {
        matches!(self.status, Status::Active | Status::Locked { reason: LockReason::FailedLogins, .. })
    }

    /// Whether the login counts as one of the administrators of whom there must be one.
    pub fn is_administrator(&self) -> bool {
        self.is_in_use() && (self.has(Role::ClinicAdmin) || self.has(Role::PlatformAdmin))
    }

    /// How much the login counts as.
    pub(super) fn counts_as(&self, usage: Usage) -> i64 {
        i64::from(match usage {
            Usage::Admins => self.is_administrator(),
            Usage::Receptionists => self.status != Status::Deactivated && self.has(Role::Receptionist),
            Usage::Doctors | Usage::Patients | Usage::Offices | Usage::Storage => false,
        })
    }

    /// What the login holds that no other may have. The user name stays taken for ever, so that a name in
    /// the audit trail is always the same person's; the e-mail address is free once the login has ended.
    pub(crate) fn held(&self) -> Vec<ClaimKey> {
        let email = self.email_hash.as_ref().filter(|_| self.status != Status::Deactivated);
        std::iter::once(username_claim(&self.username_hash)).chain(email.map(email_claim)).collect()
    }

    /// The state after an event; `None`: it cannot follow.
    pub(super) fn apply(mut self, event: &StaffEvent) -> Option<Self> {
        let reviewed = matches!(event, StaffEvent::EmergencyAccessReviewed { .. });
        if self.status == Status::Deactivated && !reviewed {
            return None;
        }
        match event {
            StaffEvent::StaffInvited { .. } => return None,
            StaffEvent::StaffActivated { .. } | StaffEvent::StaffUnlocked { .. } => self.status = Status::Active,
            StaffEvent::ActivationRenewed { .. }
            | StaffEvent::PasswordChanged { .. }
            | StaffEvent::PasswordResetRequested { .. } => {}
            StaffEvent::TotpEnabled { .. } => self.totp = true,
            StaffEvent::TotpDisabled { .. } => self.totp = false,
            StaffEvent::RoleGranted { role } => (!self.has(*role)).then(|| self.roles.push(*role))?,
            StaffEvent::RoleRevoked { role } => self.roles.retain(|held| held != role),
            StaffEvent::DepartmentAssigned { department } => self.departments.insert(*department).then_some(())?,
            StaffEvent::DepartmentUnassigned { department } => self.departments.remove(department).then_some(())?,
            StaffEvent::StaffLocked { reason, until, .. } => {
                self.status = Status::Locked { reason: *reason, until: *until };
            }
            StaffEvent::StaffDeactivated { .. } => self.status = Status::Deactivated,
            StaffEvent::EmergencyAccessGranted { access, patient, expires, .. } => {
                let granted = EmergencyAccess { patient: *patient, expires: *expires, ended: false, verdict: None };
                self.emergencies.insert(*access, granted).is_none().then_some(())?;
            }
            StaffEvent::EmergencyAccessEnded { access, .. } => self.emergencies.get_mut(access)?.ended = true,
            StaffEvent::EmergencyAccessReviewed { access, verdict, .. } => {
                self.emergencies.get_mut(access)?.verdict = Some(*verdict);
            }
        }
        Some(self)
    }

    /// The state after the first event.
    pub(super) fn from_first(event: &StaffEvent) -> Option<Self> {
        let StaffEvent::StaffInvited { roles, patient, username_hash, email_hash, .. } = event else { return None };
        Some(Self {
            status: Status::Invited,
            roles: roles.clone(),
            patient: *patient,
            username_hash: username_hash.clone(),
            email_hash: email_hash.clone(),
            emergencies: BTreeMap::new(),
            departments: BTreeSet::new(),
            totp: false,
        })
    }
}

pub(super) fn username_claim(hash: &KeyedHash) -> ClaimKey {
    ClaimKey::clinic("username", hash)
}

/// The claim of an e-mail address on its login.
pub fn email_claim(hash: &KeyedHash) -> ClaimKey {
    ClaimKey::clinic("email", hash)
}
