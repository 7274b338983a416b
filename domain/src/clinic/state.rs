//! What the rules know of a clinic, and how each event changes it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use events::{
    AuditorGrantId, ClinicEvent, LegalHoldId, OfficeId, PatientId, UserId,
    calendar::whole_day,
    claim::ClaimKey,
    clinic::{ClinicProfile, Closure, Limits, Office, Plan, Settings},
    values::Span,
};

use crate::{
    Refusal,
    values::{folded, folded_number},
};

/// A legal hold that was not lifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LegalHold {
    /// `None`: everybody's record.
    pub patient: Option<PatientId>,
    /// Who placed it.
    pub by: Option<UserId>,
}

/// The end of a clinic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    pub retention_until: DateTime<Utc>,
    /// Its keys are destroyed.
    pub shredded: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Clinic {
    pub slug: String,
    pub profile: ClinicProfile,
    pub plan: Plan,
    pub trial_ends_at: DateTime<Utc>,
    /// Set once a subscription is active.
    pub paid_until: Option<DateTime<Utc>>,
    /// That the trial is over, or the subscription has run out, is recorded.
    pub expired: bool,
    pub suspended: bool,
    /// Open offices.
    pub offices: Vec<Office>,
    /// Offices that were closed for good: their ids are not used again.
    pub closed_offices: BTreeSet<OfficeId>,
    pub closures: Vec<Closure>,
    pub settings: Settings,
    /// Limits set for this clinic alone.
    pub own_limits: Option<Limits>,
    pub holds: BTreeMap<LegalHoldId, LegalHold>,
    pub closed: Option<Closed>,
    /// The auditors of grants that were not revoked; those that are over are among them.
    pub auditor_grants: BTreeMap<AuditorGrantId, UserId>,
    /// The SHA-256 of the logo, in hexadecimal digits.
    pub logo_sha256: Option<String>,
}

impl Clinic {
    pub fn zone(&self) -> Tz {
        self.profile.time_zone
    }

    /// An open office.
    pub fn office(&self, id: OfficeId) -> Option<&Office> {
        self.offices.iter().find(|office| office.id == id)
    }

    /// An open office, or the refusal that says there is none.
    pub fn open_office(&self, id: OfficeId) -> Result<&Office, Refusal> {
        self.office(id).ok_or_else(|| Refusal::not_found("open office"))
    }

    /// How much the clinic may have: its own limits, or else its plan's.
    pub fn limits(&self) -> Limits {
        self.own_limits.unwrap_or(self.plan.limits())
    }

    /// When the trial ends, or what was paid for.
    pub fn ends_at(&self) -> DateTime<Utc> {
        self.paid_until.unwrap_or(self.trial_ends_at)
    }

    /// Whether the clinic's people may give commands now.
    pub fn standing(&self, now: DateTime<Utc>) -> Result<(), Refusal> {
        let is_over = self.expired || now >= self.ends_at();
        match self.paid_until {
            _ if self.closed.is_some() => Err(Refusal::forbidden("clinic-closed", "The clinic is closed.")),
            _ if self.suspended => Err(Refusal::forbidden("clinic-suspended", "The clinic is suspended.")),
            None if is_over => {
                Err(Refusal::forbidden("trial-expired", "The trial is over; a subscription goes on from here."))
            }
            Some(_) if is_over => Err(Refusal::forbidden("subscription-expired", "The subscription has run out.")),
            None | Some(_) => Ok(()),
        }
    }

    /// Whether a legal hold covers the patient's record.
    pub fn holds_record(&self, patient: PatientId) -> bool {
        self.holds.values().any(|hold| hold.patient.is_none_or(|held| held == patient))
    }

    /// A closure of the office, or of the whole clinic, that the span touches.
    pub fn closure_over(&self, office: OfficeId, span: &Span) -> Option<&Closure> {
        let concerns = |closure: &&Closure| closure.office.is_none_or(|closed| closed == office);
        self.closures
            .iter()
            .filter(concerns)
            .find(|closure| days_of(closure.from, closure.to, self.zone()).overlaps(span))
    }

    /// What the clinic holds that no other clinic may have.
    pub(crate) fn held(&self) -> Vec<ClaimKey> {
        let registration = self.profile.registration_number.as_deref().map(registration_claim);
        [slug_claim(&self.slug), name_claim(&self.profile.name)].into_iter().chain(registration).collect()
    }

    /// The state after an event; `None`: it cannot follow.
    pub(super) fn apply(mut self, event: &ClinicEvent) -> Option<Self> {
        match event {
            ClinicEvent::ClinicRegistered { .. } => return None,
            ClinicEvent::ClinicProfileUpdated { profile } => self.profile = profile.clone(),
            ClinicEvent::ClinicLogoSet { logo } => self.logo_sha256 = Some(logo.sha256.clone()),
            ClinicEvent::ClinicLogoRemoved {} => self.logo_sha256 = None,
            ClinicEvent::OfficeAdded { office } => {
                let known = self.office(office.id).is_some() || self.closed_offices.contains(&office.id);
                (!known).then(|| self.offices.push(office.clone()))?;
            }
            ClinicEvent::OfficeClosed { office } => {
                self.office(*office)?;
                self.offices.retain(|open| open.id != *office);
                self.closed_offices.insert(*office);
            }
            ClinicEvent::OfficeHoursSet { office, hours } => {
                self.offices.iter_mut().find(|open| open.id == *office)?.hours = hours.clone();
            }
            ClinicEvent::ClosureDeclared { closure } => self.closures.push(closure.clone()),
            ClinicEvent::ClosureCancelled { closure } => self.closures.retain(|declared| declared.id != *closure),
            ClinicEvent::SettingsChanged { settings } => self.settings = settings.clone(),
            ClinicEvent::SubscriptionActivated { plan, paid_until } => {
                self.plan = *plan;
                self.paid_until = Some(*paid_until);
                self.expired = false;
            }
            ClinicEvent::TrialExpired { .. } | ClinicEvent::SubscriptionExpired { .. } => {
                (!self.expired && *event == self.expiry()).then_some(())?;
                self.expired = true;
            }
            ClinicEvent::PlanChanged { to, .. } => self.plan = *to,
            ClinicEvent::LimitsSet { limits } => self.own_limits = *limits,
            ClinicEvent::ClinicSuspended { .. } => self.suspended = true,
            ClinicEvent::ClinicResumed {} => self.suspended = false,
            ClinicEvent::LegalHoldPlaced { hold, patient, by, .. } => {
                self.holds.insert(*hold, LegalHold { patient: *patient, by: *by }).is_none().then_some(())?;
            }
            ClinicEvent::LegalHoldLifted { hold, .. } => drop(self.holds.remove(hold)?),
            ClinicEvent::ClinicClosed { retention_until } => {
                let closed = Closed { retention_until: *retention_until, shredded: false };
                self.closed.replace(closed).is_none().then_some(())?;
            }
            ClinicEvent::ClinicShredded {} => self.closed.as_mut()?.shredded = true,
            ClinicEvent::AuditorGranted { grant } => {
                self.auditor_grants.insert(grant.id, grant.auditor).is_none().then_some(())?;
            }
            ClinicEvent::AuditorGrantRevoked { grant, .. } => drop(self.auditor_grants.remove(grant)?),
        }
        Some(self)
    }

    /// The state after the first event.
    pub(super) fn from_first(event: &ClinicEvent) -> Option<Self> {
        let ClinicEvent::ClinicRegistered { slug, profile, trial_ends_at } = event else { return None };
        Some(Self {
            slug: slug.clone(),
            profile: profile.clone(),
            plan: Plan::Trial,
            trial_ends_at: *trial_ends_at,
            paid_until: None,
            expired: false,
            suspended: false,
            offices: Vec::new(),
            closed_offices: BTreeSet::new(),
            closures: Vec::new(),
            settings: Settings::default(),
            own_limits: None,
            holds: BTreeMap::new(),
            closed: None,
            auditor_grants: BTreeMap::new(),
            logo_sha256: None,
        })
    }
}

/// From the midnight before the first day to the one after the last.
pub(super) fn days_of(first: NaiveDate, last: NaiveDate, zone: Tz) -> Span {
    Span { from: whole_day(first, zone).from, to: whole_day(last, zone).to }
}

/// Kept for ever: a slug is never used again.
pub(super) fn slug_claim(slug: &str) -> ClaimKey {
    ClaimKey::platform("slug", slug)
}

pub(super) fn name_claim(name: &str) -> ClaimKey {
    ClaimKey::platform("clinic-name", folded(name))
}

pub(super) fn registration_claim(number: &str) -> ClaimKey {
    ClaimKey::platform("registration-number", folded_number(number))
}
