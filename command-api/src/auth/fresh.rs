//! Fresh authentication: somebody who is logged in proves once more who they are, in the very request that needs
//! it. A login of a minute ago proves nothing about who sits at the desk now.

use event_store::PasswordHash;
use events::{access::LoginFailure, staff::Proof};
use secrecy::SecretString;
use service_kit::{Authenticated, Problem};

use super::{ledger::Tried, login::count_failure};
use crate::{app::App, execute::Failure, handle::must_stand};

/// 401 `reauthentication-failed` for a wrong password, which is recorded and counts toward the lock as at a login.
pub async fn prove_again(app: &App, who: &Authenticated, password: SecretString) -> Result<Proof, Problem> {
    let (clinic, user) = (who.clinic(), who.user());
    must_stand(app, who).await?;
    let known = app.store().credential(clinic, user).await.map_err(Failure::from)?;
    let stored = known.and_then(|login| login.password_hash).map(PasswordHash);
    if !app.passwords.verify(password, stored).await {
        let tried = Tried { clinic, username_hash: None, user: Some(user) };
        tried.record(app, LoginFailure::WrongPassword).await?;
        count_failure(app, clinic, user).await?;
        return Err(Problem::reauthentication_failed());
    }
    app.store().forget_failed_logins(clinic, user).await.map_err(Failure::from)?;
    Ok(Proof::Password)
}
