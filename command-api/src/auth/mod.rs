//! Logins: how somebody proves who they are, and what they get for it.

mod activate;
mod activation;
mod login;
mod password;
pub mod passwords;
mod session;

use aide::axum::{ApiRouter, routing::post_with};
use service_kit::Json;

pub use activation::NewActivation;
pub use login::LoginBody;
pub use session::{Prepared, Proven, Tokens};

use crate::app::App;

/// `/api/v1/auth/…`. The routes by which secrets could be guessed are limited per client by the caller.
pub fn routes() -> ApiRouter<App> {
    ApiRouter::new()
        .api_route(
            "/api/v1/auth/login",
            post_with(login::login, |operation| {
                operation.id("Login").tag("auth").summary("Log in").response::<200, Json<Tokens>>()
            }),
        )
        .api_route(
            "/api/v1/auth/activate",
            post_with(activate::activate, |operation| {
                operation.id("Activate").tag("auth").summary("Set the first password").response::<200, Json<Tokens>>()
            }),
        )
        .api_route(
            "/api/v1/auth/refresh",
            post_with(session::refresh, |operation| {
                operation.id("Refresh").tag("auth").summary("Exchange a refresh token").response::<200, Json<Tokens>>()
            }),
        )
        .api_route(
            "/api/v1/auth/logout",
            post_with(session::logout, |operation| {
                operation.id("Logout").tag("auth").summary("End this session at once").response::<204, ()>()
            }),
        )
        .api_route(
            "/api/v1/auth/password",
            post_with(password::change, |operation| {
                operation
                    .id("ChangePassword")
                    .tag("auth")
                    .summary("Change one's own password")
                    .response::<200, Json<Tokens>>()
            }),
        )
}
