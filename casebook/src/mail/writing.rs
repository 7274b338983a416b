//! From what waits in the outbox to a mail: whose it is, and what it says, are asked of the log now. What has become
//! worthless since it was queued is not written.

use ::mail::{House, Letter, Mail, OneTime, Reminder, Sender};
use chrono::Utc;
use command_api::execute::{CurrentLogin, Executor, Failure};
use domain::Clinic;
use event_store::{MailKind, StoreError, TakenMail};
use events::{AppointmentId, ClinicId, UserId, values::Address};
use secrecy::{ExposeSecret, SecretString};
use service_kit::tokens::SecretHash;

use super::reminder::{self, asked};

/// What the platform's own people know it by.
const PLATFORM: &str = "Casebook";

/// Why there is no mail, as codes that are kept with it.
#[derive(Debug, thiserror::Error)]
pub enum Unwritten {
    /// Nobody is to get it any more.
    #[error("{0}")]
    Pointless(&'static str),
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl From<StoreError> for Unwritten {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

const TOO_LATE: Unwritten = Unwritten::Pointless(TOO_LATE_CODE);
/// A later secret has taken its place, or it was used.
const SUPERSEDED_CODE: &str = "superseded";
const SUPERSEDED: Unwritten = Unwritten::Pointless(SUPERSEDED_CODE);
const ERASED_CODE: &str = "erased";
const ERASED: Unwritten = Unwritten::Pointless(ERASED_CODE);
pub const NO_ADDRESS_CODE: &str = "no-address";
pub const TOO_LATE_CODE: &str = "too-late";
const NO_ADDRESS: Unwritten = Unwritten::Pointless(NO_ADDRESS_CODE);
/// The appointment was moved or cancelled, or nobody wants to be reminded any more.
const NOT_DUE_CODE: &str = "not-due";
const NOT_DUE: Unwritten = Unwritten::Pointless(NOT_DUE_CODE);

/// Whether a mail with this code was not sent because nobody needs it any more: no failure, and nobody's worry.
pub fn is_not_needed(code: &str) -> bool {
    [SUPERSEDED_CODE, ERASED_CODE, NOT_DUE_CODE].contains(&code)
}

/// A mail, written.
pub async fn write(executor: &Executor, sender: &Sender, mail: &TakenMail) -> Result<Letter, Unwritten> {
    if Utc::now() >= mail.not_after {
        return Err(TOO_LATE);
    }
    match mail.kind {
        MailKind::Activation => bring_secret(executor, sender, mail, Brings::Activation).await,
        MailKind::PasswordReset => bring_secret(executor, sender, mail, Brings::Reset).await,
        MailKind::Reminder => remind(executor, sender, mail).await,
    }
}

/// Which of a login's secrets a mail brings.
#[derive(Clone, Copy)]
enum Brings {
    Activation,
    Reset,
}

async fn bring_secret(
    executor: &Executor,
    sender: &Sender,
    mail: &TakenMail,
    brings: Brings,
) -> Result<Letter, Unwritten> {
    let (store, clinic, user) = (executor.store(), mail.clinic, UserId(mail.about));
    let secret = store.open_mail(mail).await?.ok_or(ERASED)?;
    must_be_current(executor, mail, brings, &secret).await?;
    let CurrentLogin { staff, username, name, email, slug } = executor.login(clinic, user).await?.ok_or(ERASED)?;
    let email = email.ok_or(NO_ADDRESS)?;
    let language = match staff.patient {
        Some(patient) => executor.demographics(clinic, patient).await?.and_then(|patient| patient.language),
        None => None,
    };
    let one_time = OneTime { name, username, secret, until: mail.not_after, is_portal: staff.patient.is_some() };
    let content = match brings {
        Brings::Activation => Mail::Activation(one_time),
        Brings::Reset => Mail::PasswordReset(one_time),
    };
    let house = match clinic_of(executor, clinic).await? {
        Some(state) => house(&state),
        None => House { name: PLATFORM.to_owned(), slug, email: None, zone: chrono_tz::UTC },
    };
    Letter::write(sender, &house, &email, &content, mail.id, language.as_deref()).map_err(|_| NO_ADDRESS)
}

async fn must_be_current(
    executor: &Executor,
    mail: &TakenMail,
    brings: Brings,
    secret: &SecretString,
) -> Result<(), Unwritten> {
    let login = executor.store().credential(mail.clinic, UserId(mail.about)).await?.ok_or(ERASED)?;
    let kept = match brings {
        Brings::Activation => login.activation,
        Brings::Reset => login.reset,
    };
    let brought = SecretHash::of(secret.expose_secret());
    match kept.is_some_and(|(hash, _)| SecretHash(hash).matches(&brought)) {
        true => Ok(()),
        false => Err(SUPERSEDED),
    }
}

/// The appointment and its patient as they stand now decide whether anybody is reminded.
async fn remind(executor: &Executor, sender: &Sender, mail: &TakenMail) -> Result<Letter, Unwritten> {
    let (clinic, reminding) = (mail.clinic, mail.reminding.map(asked).ok_or(NOT_DUE)?);
    let (patient, slot) =
        match reminder::look(executor, clinic, AppointmentId(mail.about), |_, _, _| Some(reminding)).await {
            Ok(Some((_, patient, slot))) => (patient, slot),
            Ok(None) | Err(Failure::Refused(_)) => return Err(NOT_DUE),
            Err(failure) => return Err(failure.into()),
        };
    let Some(demographics) = executor.demographics(clinic, patient).await? else { return Err(ERASED) };
    let email = demographics.email.ok_or(NOT_DUE)?;
    let state = clinic_of(executor, clinic).await?.ok_or(NOT_DUE)?;
    let office = state.office(slot.office).ok_or(NOT_DUE)?;
    let profile = &state.profile;
    let address = office.address.as_ref().or(profile.address.as_ref());
    let content = Mail::Reminder(Reminder {
        start: slot.start,
        office: office.name.clone(),
        address: address.map(lines).unwrap_or_default(),
        phone: office.phone.clone().or_else(|| profile.phone.clone()),
    });
    let language = demographics.language.as_deref();
    Letter::write(sender, &house(&state), &email, &content, mail.id, language).map_err(|_| NO_ADDRESS)
}

/// As it is written on an envelope.
fn lines(address: &Address) -> Vec<String> {
    let city = [&address.postal_code, &address.city].into_iter().flatten().cloned().collect::<Vec<_>>().join(" ");
    let lines = [address.line.clone(), Some(city), address.state.clone()];
    lines.into_iter().flatten().filter(|line| !line.is_empty()).collect()
}

async fn clinic_of(executor: &Executor, clinic: ClinicId) -> Result<Option<Clinic>, Unwritten> {
    Ok(executor.state_of::<Clinic>(clinic, clinic.into()).await?)
}

/// In whose name a mail is written.
fn house(clinic: &Clinic) -> House {
    let profile = &clinic.profile;
    let (name, email) = (profile.name.clone(), Some(profile.email.clone()));
    House { name, slug: Some(clinic.slug.clone()), email, zone: clinic.zone() }
}
