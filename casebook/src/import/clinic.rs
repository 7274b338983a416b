//! A clinic of the book comes to be: with its plan, its administrator's activation and its doctors.

use anyhow::Context;
use chrono::{TimeDelta, Utc};
use command_api::{
    auth::{NewActivation, passwords::Passwords},
    execute::Secret,
};
use domain::{
    Clinic, Doctor, Pseudonyms, Staff,
    clinic::{ActivateSubscription, FirstAdministrator, PaidPlan, RegisterClinic},
    doctor::RegisterDoctor,
    staff::{RenewActivation, username_hash},
    values::TimeZone,
};
use events::{ClinicEvent, DoctorId, DomainEvent, OfficeId, UserId};
use service_kit::tokens::OpaqueSecret;

use super::{
    activations::{Activations, Handover},
    give::{Giver, Order, Stop},
    mapping::Mapping,
    plan::ClinicPlan,
    report::{Refused, Stage},
};

/// Any number of patients, and a hundred doctors.
const PLAN: PaidPlan = PaidPlan::Premium;
/// What an imported clinic has paid for when nobody says otherwise: the platform changes it.
const PAID_FOR: TimeDelta = TimeDelta::days(365);
const ADMINISTRATOR: &str = "admin";

/// A clinic that its rows can be given in.
pub struct Ready {
    pub office: OfficeId,
    pub doctors: Vec<DoctorId>,
    /// Doctors who could not be registered; the rows that name them will be refused.
    pub refused: Vec<Refused>,
}

/// What is asked of the outside while a clinic comes to be.
pub struct Founding<'a> {
    pub giver: &'a Giver,
    pub mapping: &'a Mapping,
    pub passwords: &'a Passwords,
    pub activations: &'a Activations,
}

impl Founding<'_> {
    /// Does what earlier runs have not done.
    pub async fn found(&self, plan: &ClinicPlan) -> Result<Ready, Stop> {
        let clinic = self.giver.clinic.into();
        let recorded = self.giver.recorded(clinic).await?;
        if !recorded.contains(&Stage::RegisterClinic.event_type()) {
            self.register(plan).await?;
        }
        if !recorded.contains(&Stage::ActivateSubscription.event_type()) {
            self.subscribe(plan).await?;
        }
        self.activate(plan).await?;
        let office = self.office().await?;
        let (doctors, refused) = self.doctors(plan, office).await?;
        Ok(Ready { office, doctors, refused })
    }

    async fn register(&self, plan: &ClinicPlan) -> Result<(), Stop> {
        let (slug, domain) = (&plan.slug, &self.mapping.clinic.mail_domain);
        let email = format!("{slug}@{domain}").parse().context("the mapping's `mail_domain`")?;
        let command = RegisterClinic {
            id: Some(self.giver.clinic),
            name: plan.name.clone(),
            slug: plan.slug.clone(),
            email,
            phone: None,
            website: None,
            logo: None,
            address: None,
            registration_number: None,
            tax_id: None,
            time_zone: TimeZone(self.mapping.clinic.time_zone),
            admin: FirstAdministrator { username: ADMINISTRATOR.parse()?, name: "Administrator".parse()?, email: None },
        };
        // Nobody knows this password: the activation replaces it.
        let password = self.passwords.hash(OpaqueSecret::generate().expose().to_owned().into()).await;
        let secret = Some(Secret::Password(password));
        self.giver.give::<Clinic>(Order { secret, ..self.of_clinic(plan, Stage::RegisterClinic, command.into()) }).await
    }

    async fn subscribe(&self, plan: &ClinicPlan) -> Result<(), Stop> {
        let command = ActivateSubscription { plan: PLAN, paid_until: Utc::now() + PAID_FOR };
        self.giver.give::<Clinic>(self.of_clinic(plan, Stage::ActivateSubscription, command.into())).await
    }

    fn of_clinic(&self, plan: &ClinicPlan, stage: Stage, command: domain::ClinicCommand) -> Order<Clinic> {
        let (line, target) = (plan.first.line, self.giver.clinic.into());
        Order { stage, line, n: 0, target, command, occurred_at: plan.first.at, secret: None }
    }

    /// A one-time secret for the first administrator, kept for the operator before it is good for anything: so a
    /// process that dies in between loses none.
    async fn activate(&self, plan: &ClinicPlan) -> Result<(), Stop> {
        let (stage, administrator) = (Stage::RenewActivation, self.administrator().await?);
        if self.giver.recorded(administrator.into()).await?.contains(&stage.event_type()) {
            return Ok(());
        }
        let activation = NewActivation::generate(Utc::now());
        self.activations.keep(Handover {
            clinic: plan.name.to_string(),
            slug: plan.slug.to_string(),
            username: ADMINISTRATOR.to_owned(),
            activation: activation.expose().to_owned(),
            expires_at: activation.expires_at(),
        })?;
        let secret = Some(activation.secret());
        let (line, target, command) = (plan.first.line, administrator.into(), RenewActivation {}.into());
        let order = Order { stage, line, n: 0, target, command, occurred_at: Utc::now(), secret };
        self.giver.give::<Staff>(order).await
    }

    async fn administrator(&self) -> anyhow::Result<UserId> {
        let (store, clinic) = (self.giver.executor.store(), self.giver.clinic);
        let pseudonyms = Pseudonyms::new(&store.vault().clinic(clinic).await?.pseudonym_secret);
        let login = store.credential_of_username(clinic, &username_hash(&pseudonyms, ADMINISTRATOR)).await?;
        Ok(login.context("the clinic has no first administrator")?.user)
    }

    async fn office(&self) -> anyhow::Result<OfficeId> {
        let (store, clinic) = (self.giver.executor.store(), self.giver.clinic);
        let loaded = store.load_stream(clinic, clinic.into(), 0).await?;
        let office = loaded.events.iter().find_map(|recorded| match &recorded.event {
            DomainEvent::Clinic(ClinicEvent::OfficeAdded { office }) => Some(office.id),
            _ => None,
        });
        office.context("the clinic has no office")
    }

    async fn doctors(&self, plan: &ClinicPlan, office: OfficeId) -> Result<(Vec<DoctorId>, Vec<Refused>), Stop> {
        let (mut doctors, mut refused) = (Vec::new(), Vec::new());
        for n in 0..plan.doctors.len() {
            let doctor: DoctorId = self.giver.ids.id("doctor", plan.first.line, n, plan.first.at);
            doctors.push(doctor);
            match self.doctor(plan, n, doctor, office).await {
                Err(Stop::Refused(refusal)) => refused.push(refusal),
                other => other?,
            }
        }
        Ok((doctors, refused))
    }

    async fn doctor(&self, plan: &ClinicPlan, n: usize, doctor: DoctorId, office: OfficeId) -> Result<(), Stop> {
        let stage = Stage::RegisterDoctor;
        if !self.giver.fresh && self.giver.recorded(doctor.into()).await?.contains(&stage.event_type()) {
            return Ok(());
        }
        let command = RegisterDoctor {
            id: Some(doctor),
            name: plan.doctors[n].clone(),
            email: None,
            username: format!("doctor-{}", n + 1).parse()?,
            licence_number: format!("import-{}-{}", plan.slug, n + 1).parse()?,
            licence_expires: None,
            specialisation: None,
            qualification: None,
            years_of_experience: None,
            office_ids: vec![office],
        };
        let (line, occurred_at) = (plan.first.line, plan.first.at);
        // The clinic's administrator makes a new one for whoever this doctor turns out to be.
        let secret = Some(NewActivation::generate(Utc::now()).secret());
        let (target, command) = (doctor.into(), command.into());
        self.giver.give::<Doctor>(Order { stage, line, n, target, command, occurred_at, secret }).await
    }
}
