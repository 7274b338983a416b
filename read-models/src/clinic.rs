//! The clinic as its people, the public directory and the slot finder see it.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use events::{
    ClinicEvent, ClinicId, DomainEvent, OfficeId, Recorded,
    clinic::{ClinicProfile, Closure, Limits, Office, Plan, Settings},
    values::Address,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Projection;

/// `read.clinic_1`: one row per clinic.
pub struct Clinics;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClinicRow {
    pub id: ClinicId,
    pub slug: String,
    pub name: String,
    pub email: String,
    pub phone: Option<String>,
    pub website: Option<String>,
    pub address: Option<Address>,
    pub registration_number: Option<String>,
    pub tax_id: Option<String>,
    pub logo: Option<String>,
    #[schemars(with = "String")]
    pub time_zone: Tz,
    pub plan: Plan,
    pub trial_ends_at: DateTime<Utc>,
    /// Set once a subscription is active.
    pub paid_until: Option<DateTime<Utc>>,
    pub suspended: bool,
    pub suspension_reason: Option<String>,
    /// In the order in which they were added; closed ones stay, since appointments name them.
    pub offices: Vec<OfficeEntry>,
    /// Declared and not cancelled.
    pub closures: Vec<Closure>,
    pub settings: Settings,
    /// Other limits than the plan's, for this clinic alone.
    pub limits: Option<Limits>,
    pub registered_at: DateTime<Utc>,
    pub version: i64,
    pub position: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OfficeEntry {
    #[serde(flatten)]
    pub office: Office,
    pub open: bool,
}

impl Projection for Clinics {
    const NAME: &'static str = "clinic";
    const REVISION: i32 = 1;
    const TABLE: &'static str = "read.clinic_1";
    const ONE_STREAM: bool = true;
    type Key = Uuid;
    type Row = ClinicRow;

    fn keys(event: &Recorded) -> Vec<Uuid> {
        match event.event {
            DomainEvent::Clinic(_) => vec![event.stream.id],
            _ => Vec::new(),
        }
    }

    fn fold(row: Option<ClinicRow>, _: &Uuid, event: &Recorded) -> Option<ClinicRow> {
        let DomainEvent::Clinic(change) = &event.event else { return row };
        let mut row = match (row, change) {
            (None, ClinicEvent::ClinicRegistered { slug, profile, trial_ends_at }) => {
                registered(slug, profile, *trial_ends_at, event)
            }
            (row, _) => row?,
        };
        row.take(change);
        row.version = event.version;
        row.position = event.position;
        Some(row)
    }
}

fn registered(slug: &str, profile: &ClinicProfile, trial_ends_at: DateTime<Utc>, event: &Recorded) -> ClinicRow {
    let ClinicProfile { name, email, time_zone, .. } = profile.clone();
    ClinicRow {
        id: ClinicId(event.stream.id),
        slug: slug.to_owned(),
        name,
        email,
        phone: None,
        website: None,
        address: None,
        registration_number: None,
        tax_id: None,
        logo: None,
        time_zone,
        plan: Plan::Trial,
        trial_ends_at,
        paid_until: None,
        suspended: false,
        suspension_reason: None,
        offices: Vec::new(),
        closures: Vec::new(),
        settings: Settings::default(),
        limits: None,
        registered_at: event.occurred_at,
        version: event.version,
        position: event.position,
    }
}

impl ClinicRow {
    fn take(&mut self, change: &ClinicEvent) {
        match change {
            ClinicEvent::ClinicRegistered { profile, .. } | ClinicEvent::ClinicProfileUpdated { profile } => {
                self.set_profile(profile.clone());
            }
            ClinicEvent::OfficeAdded { office } => {
                self.offices.push(OfficeEntry { office: office.clone(), open: true });
            }
            ClinicEvent::OfficeClosed { office } => self.at(*office, |entry| entry.open = false),
            ClinicEvent::OfficeHoursSet { office, hours } => {
                self.at(*office, |entry| entry.office.hours = hours.clone());
            }
            ClinicEvent::ClosureDeclared { closure } => self.closures.push(closure.clone()),
            ClinicEvent::ClosureCancelled { closure } => self.closures.retain(|kept| kept.id != *closure),
            ClinicEvent::SettingsChanged { settings } => self.settings = settings.clone(),
            ClinicEvent::SubscriptionActivated { plan, paid_until } => {
                self.plan = *plan;
                self.paid_until = Some(*paid_until);
            }
            // Told by `read.standing_1`.
            ClinicEvent::TrialExpired { .. } | ClinicEvent::SubscriptionExpired { .. } => {}
            ClinicEvent::PlanChanged { to, .. } => self.plan = *to,
            ClinicEvent::LimitsSet { limits } => self.limits = *limits,
            ClinicEvent::ClinicSuspended { reason } => {
                self.suspended = true;
                self.suspension_reason = Some(reason.clone());
            }
            ClinicEvent::ClinicResumed {} => {
                self.suspended = false;
                self.suspension_reason = None;
            }
            // Told by `read.retention_1`.
            ClinicEvent::LegalHoldPlaced { .. }
            | ClinicEvent::LegalHoldLifted { .. }
            | ClinicEvent::ClinicClosed { .. }
            | ClinicEvent::ClinicShredded {} => {}
            // Told by `read.clinic_logo_1`.
            ClinicEvent::ClinicLogoSet { .. } | ClinicEvent::ClinicLogoRemoved {} => {}
            ClinicEvent::AuditorGranted { .. } | ClinicEvent::AuditorGrantRevoked { .. } => {}
        }
    }

    fn set_profile(&mut self, profile: ClinicProfile) {
        self.name = profile.name;
        self.email = profile.email;
        self.phone = profile.phone;
        self.website = profile.website;
        self.address = profile.address;
        self.registration_number = profile.registration_number;
        self.tax_id = profile.tax_id;
        self.logo = profile.logo;
        self.time_zone = profile.time_zone;
    }

    fn at(&mut self, office: OfficeId, change: impl FnOnce(&mut OfficeEntry)) {
        if let Some(entry) = self.offices.iter_mut().find(|entry| entry.office.id == office) {
            change(entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Rows, sample::History};

    #[test]
    fn a_closed_office_stays_named() {
        let mut history = History::new();
        history.clinic_registered();
        let office = history.office_added("Andheri");
        history.clinic(ClinicEvent::OfficeClosed { office });
        let rows: Rows<Clinics> = history.events().collect();
        let row = rows.get(&history.clinic.0).unwrap();
        assert_eq!((row.offices[0].office.name.as_str(), row.offices[0].open), ("Andheri", false));
        assert_eq!((row.version, row.position), (3, 3));
    }

    #[test]
    fn a_suspended_clinic_resumes_without_its_reason() {
        let mut history = History::new();
        history.clinic_registered();
        history.clinic(ClinicEvent::ClinicSuspended { reason: "unpaid".into() });
        let rows: Rows<Clinics> = history.events().collect();
        assert!(rows.get(&history.clinic.0).unwrap().suspended);
        history.clinic(ClinicEvent::ClinicResumed {});
        let rows: Rows<Clinics> = history.events().collect();
        let row = rows.get(&history.clinic.0).unwrap();
        assert_eq!((row.suspended, &row.suspension_reason), (false, &None));
    }
}
