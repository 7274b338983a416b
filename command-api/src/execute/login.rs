//! A login as the log has it at this moment. Nothing cached: tokens are made of it.

use domain::{Clinic, Staff, State};
use events::{
    ClinicId, DomainEvent, PatientEvent, PatientId, StaffEvent, StreamId, UserId, patient::Demographics,
    staff::StaffIdentity, values::BirthDate,
};

use super::{Executor, Failure, facts::fold};

pub struct CurrentLogin {
    pub staff: Staff,
    pub username: String,
    pub name: String,
    pub email: Option<String>,
    /// `None` on the platform.
    pub slug: Option<String>,
}

impl Executor {
    /// `None`: no such login, or its person has been erased.
    pub async fn login(&self, clinic: ClinicId, user: UserId) -> Result<Option<CurrentLogin>, Failure> {
        let stream = StreamId::from(user);
        let events = self.store.open_stream(clinic, stream).await?;
        let identity = events.iter().find_map(|recorded| identity(&recorded.event));
        let state = fold(stream, events.iter().map(|recorded| &recorded.event))?;
        let (Some(State::Staff(staff)), Some(identity)) = (state, identity) else { return Ok(None) };
        let StaffIdentity { username, name, email } = identity;
        Ok(Some(CurrentLogin { staff, username, name, email, slug: self.slug(clinic).await? }))
    }

    /// A slug never changes, so any state of the clinic will do.
    async fn slug(&self, clinic: ClinicId) -> Result<Option<String>, Failure> {
        if clinic.is_platform() {
            return Ok(None);
        }
        let stream = StreamId::from(clinic);
        let loaded = self.store.load_stream(clinic, stream, 0).await?;
        let state = fold(stream, loaded.events.iter().map(|recorded| &recorded.event))?;
        Ok(state.and_then(|state| Clinic::try_from(state).ok()).map(|clinic| clinic.slug))
    }
}

impl Executor {
    /// A patient's birth date as it is known now; the second proof of who activates a portal account.
    pub async fn birth_date(&self, clinic: ClinicId, patient: PatientId) -> Result<Option<BirthDate>, Failure> {
        Ok(self.demographics(clinic, patient).await?.and_then(|known| known.birth_date))
    }

    /// What is known of a patient now; `None` once it is erased.
    pub async fn demographics(&self, clinic: ClinicId, patient: PatientId) -> Result<Option<Demographics>, Failure> {
        let events = self.store.open_stream(clinic, patient.into()).await?;
        let known = events.iter().rev().find_map(|recorded| match &recorded.event {
            DomainEvent::Patient(
                PatientEvent::PatientRegistered { sealed, .. } | PatientEvent::DemographicsUpdated { sealed, .. },
            ) => sealed.open().cloned(),
            _ => None,
        });
        Ok(known)
    }
}

fn identity(event: &DomainEvent) -> Option<StaffIdentity> {
    match event {
        DomainEvent::Staff(StaffEvent::StaffInvited { sealed, .. }) => sealed.open().cloned(),
        _ => None,
    }
}
