//! A code at each login, beside the password (RFC 6238): six digits of an authenticator app, or a recovery code. A code is
//! taken once.

use aws_lc_rs::rand;
use axum::{extract::State, http::StatusCode};
use chrono::Utc;
use domain::{
    Staff,
    staff::{DisableTotp, EnableTotp},
};
use event_store::{StoreError, totp::TotpSalt};
use events::{ClinicId, UserId, access::LoginFailure};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use service_kit::{Authenticated, Json, Problem, problem::RULE_REFUSED};
use totp_rs::{Builder, Secret, Totp};

use super::{fresh::prove_again, ledger::Tried, login::count_failure};
use crate::{
    app::App,
    execute::{Call, Failure},
};

const RECOVERY_CODES: usize = 10;
/// 80 bits: 16 letters and digits.
const RECOVERY_BYTES: usize = 10;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BeginTotp {
    /// One's own, once more.
    #[schemars(with = "String")]
    pub password: SecretString,
}

/// What an authenticator app is set up with. It is shown once.
#[derive(Serialize, JsonSchema)]
pub struct TotpSetUp {
    /// `otpauth://totp/…`, to be shown as a QR code.
    pub uri: String,
    /// The same to be typed: Base32.
    pub secret: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmTotp {
    /// Six digits that the app shows.
    #[schemars(with = "String")]
    pub code: SecretString,
}

/// For who loses the device. They are shown once, and each is good once.
#[derive(Serialize, JsonSchema)]
pub struct RecoveryCodes {
    pub recovery_codes: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndTotp {
    #[schemars(with = "String")]
    pub password: SecretString,
    /// Of the app, or a recovery code.
    #[schemars(with = "String")]
    pub code: SecretString,
}

/// Makes a new secret. Nothing changes until a code of it is confirmed.
pub async fn begin(
    State(app): State<App>,
    who: Authenticated,
    Json(body): Json<BeginTotp>,
) -> Result<Json<TotpSetUp>, Problem> {
    prove_again(&app, &who, body.password).await?;
    let (clinic, user) = (who.clinic(), who.user());
    if needs_code(&app, clinic, user).await? {
        let detail =
            "This login needs a code already. End that first (`/auth/totp/disable`), then set up the new device.";
        return Err(Problem::conflict(detail));
    }
    let salt: TotpSalt = random();
    if !app.store().begin_totp(clinic, user, &salt, Utc::now()).await.map_err(Failure::from)? {
        return Err(Problem::conflict("Another device is being confirmed. Try again in a minute."));
    }
    let totp = totp(&app, clinic, user, &salt, who.username()).await?;
    let uri = totp.to_url().map_err(Problem::internal)?;
    Ok(Json(TotpSetUp { uri, secret: totp.secret().to_base32() }))
}

/// From now on the login needs a code.
pub async fn confirm(
    State(app): State<App>,
    who: Authenticated,
    Json(body): Json<ConfirmTotp>,
) -> Result<Json<RecoveryCodes>, Problem> {
    let (clinic, user) = (who.clinic(), who.user());
    let salt = app.store().totp_salt(clinic, user).await.map_err(Failure::from)?;
    if needs_code(&app, clinic, user).await? {
        return Err(Problem::conflict("This login needs a code already."));
    }
    let salt = salt.ok_or_else(|| Problem::conflict("Begin with `POST /auth/totp`."))?;
    let totp = totp(&app, clinic, user, &salt, who.username()).await?;
    let step = step(&totp, body.code.expose_secret()).ok_or_else(|| wrong_code(CONFIRM))?;
    let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| recovery_code()).collect();
    let keys = app.store().vault().clinic(clinic).await.map_err(|error| Failure::from(StoreError::from(error)))?;
    let hashes: Vec<_> = codes.iter().map(|code| keys.recovery_hash(user, &plain(code))).collect();
    let confirmed = app.store().confirm_totp(clinic, user, &salt, step, &hashes, Utc::now());
    if !confirmed.await.map_err(Failure::from)? {
        return Err(wrong_code(CONFIRM));
    }
    app.executor.execute(call(&who, "EnableTotp", EnableTotp {})).await?;
    Ok(Json(RecoveryCodes { recovery_codes: codes }))
}

/// From now on the password is enough again.
pub async fn disable(
    State(app): State<App>,
    who: Authenticated,
    Json(body): Json<EndTotp>,
) -> Result<StatusCode, Problem> {
    prove_again(&app, &who, body.password).await?;
    let (clinic, user) = (who.clinic(), who.user());
    if needs_code(&app, clinic, user).await? && !takes(&app, clinic, user, body.code.expose_secret()).await? {
        fails(&app, Tried { clinic, username_hash: None, user: Some(user) }, user).await?;
        return Err(Problem::reauthentication_failed());
    }
    app.executor.execute(call(&who, "DisableTotp", DisableTotp {})).await?;
    app.store().forget_totp(clinic, user).await.map_err(Failure::from)?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a login shows beside the password, where it has to. A wrong code is recorded and counts toward the lock.
pub(super) async fn second_factor(
    app: &App,
    tried: Tried,
    user: UserId,
    staff: &Staff,
    code: Option<&SecretString>,
) -> Result<(), Problem> {
    let clinic = tried.clinic;
    match (staff.totp, code) {
        (false, _) => Ok(()),
        (true, None) => Err(Problem::code_required()),
        (true, Some(code)) if takes(app, clinic, user, code.expose_secret()).await? => Ok(()),
        (true, Some(_)) => {
            fails(app, tried, user).await?;
            Err(Problem::bad_credentials())
        }
    }
}

async fn fails(app: &App, tried: Tried, user: UserId) -> Result<(), Problem> {
    let clinic = tried.clinic;
    tried.record(app, LoginFailure::WrongCode).await?;
    count_failure(app, clinic, user).await
}

/// Whether the code is right, and was not taken before.
async fn takes(app: &App, clinic: ClinicId, user: UserId, code: &str) -> Result<bool, Problem> {
    let Some(salt) = app.store().totp_salt(clinic, user).await.map_err(Failure::from)? else { return Ok(false) };
    // What the device is called in the app does not matter here.
    let totp = totp(app, clinic, user, &salt, "login").await?;
    if let Some(step) = step(&totp, code) {
        return Ok(app.store().take_totp_step(clinic, user, step).await.map_err(Failure::from)?);
    }
    let keys = app.store().vault().clinic(clinic).await.map_err(|error| Failure::from(StoreError::from(error)))?;
    let hash = keys.recovery_hash(user, &plain(code));
    Ok(app.store().take_recovery_code(clinic, user, &hash).await.map_err(Failure::from)?)
}

/// Half a minute to either side, for clocks that are not quite right.
fn step(totp: &Totp, code: &str) -> Option<i64> {
    let code: String = code.chars().filter(|letter| !letter.is_whitespace()).collect();
    let is_code = code.len() == 6 && code.bytes().all(|digit| digit.is_ascii_digit());
    is_code.then(|| totp.check(&code, Utc::now().timestamp().unsigned_abs()))?.map(|step| step.cast_signed())
}

async fn needs_code(app: &App, clinic: ClinicId, user: UserId) -> Result<bool, Problem> {
    Ok(app.executor.login(clinic, user).await?.is_some_and(|login| login.staff.totp))
}

/// SHA-1, six digits, thirty seconds: what every app knows.
async fn totp(app: &App, clinic: ClinicId, user: UserId, salt: &TotpSalt, name: &str) -> Result<Totp, Problem> {
    let keys = app.store().vault().clinic(clinic).await.map_err(|error| Failure::from(StoreError::from(error)))?;
    // A colon would end the issuer.
    let name = name.replace(':', " ");
    let builder = Builder::new().with_secret(Secret::from(keys.totp_secret(user, salt))).with_account_name(name);
    builder.with_issuer(Some("Casebook")).build().map_err(Problem::internal)
}

fn call(who: &Authenticated, name: &'static str, command: impl Into<domain::StaffCommand>) -> Call<Staff> {
    let mut call = Call::<Staff>::new(who.clinic(), who.user().into(), name, command.into());
    call.actor = who.actor();
    call.client = who.client().clone();
    call.correlation_id = who.correlation_id();
    call
}

const CONFIRM: &str = "The code is not the one that the app shows now. Is the clock of the device right?";

fn wrong_code(detail: &'static str) -> Problem {
    Problem::new(RULE_REFUSED.case("wrong-code")).detail(detail)
}

/// `ABCD-EFGH-IJKL-MNOP`
fn recovery_code() -> String {
    let letters = Secret::from(Vec::from(random::<RECOVERY_BYTES>())).to_base32();
    let parts: Vec<&str> = (0..letters.len()).step_by(4).map(|at| &letters[at..at + 4]).collect();
    parts.join("-")
}

/// As it is hashed: people write it in lower case and with spaces.
fn plain(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).collect()
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // It fails only where the operating system gives no randomness: nothing can go on then.
    rand::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recovery_code_is_read_however_it_is_written() {
        let code = recovery_code();
        assert_eq!((code.len(), code.matches('-').count()), (19, 3));
        assert_eq!(plain(&code), plain(&code.to_lowercase().replace('-', " ")));
        assert_ne!(code, recovery_code());
    }
}
