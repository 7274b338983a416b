//! From what waits in the outbox to a mail: whose it is, and what it says, are asked of the log now. What has become
//! worthless since it was queued is not written.

use ::mail::{House, Letter, Mail, OneTime, Sender};
use chrono::Utc;
use command_api::execute::{CurrentLogin, Executor, Failure};
use domain::Clinic;
use event_store::{MailKind, StoreError, TakenMail};
use events::{ClinicId, UserId};
use secrecy::{ExposeSecret, SecretString};
use service_kit::tokens::SecretHash;

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

const TOO_LATE: Unwritten = Unwritten::Pointless("too-late");
/// A later secret has taken its place, or it was used.
const SUPERSEDED: Unwritten = Unwritten::Pointless("superseded");
const ERASED: Unwritten = Unwritten::Pointless("erased");
const NO_ADDRESS: Unwritten = Unwritten::Pointless("no-address");

/// A mail, written.
pub async fn write(executor: &Executor, sender: &Sender, mail: &TakenMail) -> Result<Letter, Unwritten> {
    if Utc::now() >= mail.not_after {
        return Err(TOO_LATE);
    }
    match mail.kind {
        MailKind::Activation | MailKind::PasswordReset => bring_secret(executor, sender, mail).await,
    }
}

async fn bring_secret(executor: &Executor, sender: &Sender, mail: &TakenMail) -> Result<Letter, Unwritten> {
    let (store, clinic, user) = (executor.store(), mail.clinic, UserId(mail.about));
    let secret = store.open_mail(mail).await?.ok_or(ERASED)?;
    must_be_current(executor, mail, &secret).await?;
    let CurrentLogin { staff, username, name, email, slug } = executor.login(clinic, user).await?.ok_or(ERASED)?;
    let email = email.ok_or(NO_ADDRESS)?;
    let language = match staff.patient {
        Some(patient) => executor.demographics(clinic, patient).await?.and_then(|patient| patient.language),
        None => None,
    };
    let one_time = OneTime { name, username, secret, until: mail.not_after, is_portal: staff.patient.is_some() };
    let content = match mail.kind {
        MailKind::PasswordReset => Mail::PasswordReset(one_time),
        MailKind::Activation => Mail::Activation(one_time),
    };
    let house = house(executor, clinic, slug).await?;
    Letter::write(sender, &house, &email, &content, mail.id, language.as_deref()).map_err(|_| NO_ADDRESS)
}

async fn must_be_current(executor: &Executor, mail: &TakenMail, secret: &SecretString) -> Result<(), Unwritten> {
    let login = executor.store().credential(mail.clinic, UserId(mail.about)).await?.ok_or(ERASED)?;
    let kept = match mail.kind {
        MailKind::PasswordReset => login.reset,
        MailKind::Activation => login.activation,
    };
    let brought = SecretHash::of(secret.expose_secret());
    match kept.is_some_and(|(hash, _)| SecretHash(hash).matches(&brought)) {
        true => Ok(()),
        false => Err(SUPERSEDED),
    }
}

/// In whose name a mail is written.
async fn house(executor: &Executor, clinic: ClinicId, slug: Option<String>) -> Result<House, Unwritten> {
    let Some(state) = executor.state_of::<Clinic>(clinic, clinic.into()).await? else {
        return Ok(House { name: PLATFORM.to_owned(), slug, email: None, zone: chrono_tz::UTC });
    };
    let (zone, profile) = (state.zone(), state.profile);
    Ok(House { name: profile.name, slug, email: Some(profile.email), zone })
}
