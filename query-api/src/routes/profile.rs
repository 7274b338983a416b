//! Who the login is that asks.

use aide::axum::{ApiRouter, routing::get_with};
use axum::extract::State;
use events::{ClinicId, PatientId, Role, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{Authenticated, Problem};

use crate::{
    QueryState,
    scope::{Reflected, Scoped, Select},
    sql::Sql,
};

/// A login, as its token and its record say.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Profile {
    pub id: UserId,
    pub username: String,
    /// `null` until the record has been read into the directory of logins.
    pub name: Option<String>,
    pub email: Option<String>,
    /// As in the token: a change of role ends it.
    pub roles: Vec<Role>,
    /// `null` for platform roles.
    pub clinic: Option<ProfileClinic>,
    /// The one patient of a portal login.
    pub patient_id: Option<PatientId>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ProfileClinic {
    pub id: ClinicId,
    pub slug: Option<String>,
    pub name: Option<String>,
}

#[derive(Deserialize)]
struct Found {
    name: Option<String>,
    email: Option<String>,
    slug: Option<String>,
    clinic_name: Option<String>,
}

async fn profile(State(state): State<QueryState>, who: Authenticated) -> Result<Reflected<Profile>, Problem> {
    let select = Sql::new(
        "u.name, u.email, c.slug, c.name AS clinic_name FROM (SELECT) one \
         LEFT JOIN read.clinic_1 c ON c.clinic_id = s.clinic \
         LEFT JOIN read.staff_1 u ON u.clinic_id = s.clinic AND u.id = ",
    )
    .bind(who.user().0);
    let found = Scoped::own(&state.db, &who).run::<Found>(Select::new(&["staff_1", "clinic_1"], select)).await?;
    Ok(found.map(|rows| of(&who, rows.into_iter().next())))
}

fn of(who: &Authenticated, found: Option<Found>) -> Profile {
    let found = found.unwrap_or(Found { name: None, email: None, slug: None, clinic_name: None });
    let clinic = ProfileClinic { id: who.clinic(), slug: found.slug, name: found.clinic_name };
    Profile {
        id: who.user(),
        username: who.username().to_owned(),
        name: found.name,
        email: found.email,
        roles: who.roles().to_vec(),
        clinic: (!who.clinic().is_platform()).then_some(clinic),
        patient_id: who.patient(),
    }
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new().api_route(
        "/auth/profile",
        get_with(profile, |op| {
            op.id("getProfile")
                .tag("Login")
                .summary("Who I am")
                .description("The login that the access token speaks for: name, roles, clinic.")
        }),
    )
}
