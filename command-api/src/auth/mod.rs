//! Logins: how somebody proves who they are, and what they get for it.

mod activate;
mod activation;
mod fresh;
mod ledger;
mod login;
mod one_time;
mod password;
pub mod passwords;
mod reset;
mod session;
mod totp;

use aide::{
    axum::{ApiRouter, routing::post_with},
    transform::TransformOperation,
};
use service_kit::{Json, Problem};

pub use activation::{ACTIVATION_LIFE, NewActivation};
pub use fresh::prove_again;
pub use login::{LoginBody, user_named};
pub use session::{Prepared, Proven, Tokens};

use crate::app::App;

/// Under which `/docs` shows them.
const TAG: &str = "Login";

/// `/api/v1/auth/…`. The routes by which secrets could be guessed are limited per client by the caller.
pub fn routes() -> ApiRouter<App> {
    ApiRouter::new()
        .api_route(
            "/api/v1/auth/login",
            post_with(login::login, |operation| gives_tokens(operation, "Login", "Log in")),
        )
        .api_route(
            "/api/v1/auth/activate",
            post_with(activate::activate, |operation| gives_tokens(operation, "Activate", "Set the first password")),
        )
        .api_route(
            "/api/v1/auth/request-password-reset",
            post_with(reset::request, |operation| {
                operation
                    .id("RequestPasswordReset")
                    .tag(TAG)
                    .summary("Ask for another password")
                    .description(
                        "Where there is such a login with an e-mail address, and it may be used, a single-use secret is \
                         sent there, good for an hour. The answer is the same for everybody.",
                    )
                    .response::<202, ()>()
            }),
        )
        .api_route(
            "/api/v1/auth/reset-password",
            post_with(reset::reset, |operation| {
                gives_tokens(operation, "ResetPassword", "Set another password by a secret that came by mail")
            }),
        )
        .api_route(
            "/api/v1/auth/refresh",
            post_with(session::refresh, |operation| gives_tokens(operation, "Refresh", "Exchange a refresh token")),
        )
        .api_route(
            "/api/v1/auth/logout",
            post_with(session::logout, |operation| {
                operation.id("Logout").tag(TAG).summary("End this session at once").response::<204, ()>()
            }),
        )
        .api_route(
            "/api/v1/auth/totp",
            post_with(totp::begin, |operation| {
                operation
                    .id("BeginTotp")
                    .tag(TAG)
                    .summary("Set up a code at each login")
                    .description(
                        "Answers once with what an authenticator app is set up with; then confirm a code of it.",
                    )
                    .response::<200, Json<totp::TotpSetUp>>()
                    .response::<401, Problem>()
            }),
        )
        .api_route(
            "/api/v1/auth/totp/confirm",
            post_with(totp::confirm, |operation| {
                operation
                    .id("ConfirmTotp")
                    .tag(TAG)
                    .summary("Confirm a code of the app")
                    .description("From now on a login needs `code`. Answers once with ten recovery codes.")
                    .response::<200, Json<totp::RecoveryCodes>>()
            }),
        )
        .api_route(
            "/api/v1/auth/totp/disable",
            post_with(totp::disable, |operation| {
                operation
                    .id("DisableTotp")
                    .tag(TAG)
                    .summary("Log in by the password alone again")
                    .response::<401, Problem>()
            }),
        )
        .api_route(
            "/api/v1/auth/password",
            post_with(password::change, |operation| {
                gives_tokens(operation, "ChangePassword", "Change one's own password")
            }),
        )
}

/// What `/docs` says of an exchange of a secret for tokens.
fn gives_tokens<'a>(operation: TransformOperation<'a>, id: &str, summary: &str) -> TransformOperation<'a> {
    operation.id(id).tag(TAG).summary(summary).response::<200, Json<Tokens>>().response::<401, Problem>()
}
