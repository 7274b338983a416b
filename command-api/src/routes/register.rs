//! A clinic registers itself, and its first administrator is logged in with the answer.

use std::sync::Arc;

use aide::axum::{ApiRouter, routing};
use axum::{extract::State, response::Response};
use domain::{
    Clinic,
    clinic::{AdministratorAccount, RegisterClinic},
};
use events::{ClinicId, DomainEvent, Recorded, Role, StaffEvent, UserId};
use serde_json::{Map, Value};
use service_kit::{Problem, context::RequestContext};
use uuid::Uuid;

use crate::{
    app::App,
    auth::{Prepared, Proven},
    execute::{Call, Secret},
    handle::{self, Ran, Sent},
    incoming::{Incoming, Whole},
    routes::{collection::chosen_id, document::document},
};

const NAME: &str = "RegisterClinic";

type Body = RegisterClinic<AdministratorAccount>;

pub fn routes() -> ApiRouter<App> {
    let document = document::<Clinic, Body>(201);
    ApiRouter::new().api_route("/api/v1/clinics", routing::post_with(register, document))
}

async fn register(State(app): State<App>, incoming: Incoming<Body, Whole>) -> Result<Response, Problem> {
    let chosen = chosen_id(incoming.body.value.id.map(Into::into))?;
    let clinic = ClinicId(chosen.unwrap_or_else(Uuid::now_v7));
    let (command, password) = incoming.body.value.split();
    let (slug, username) = (command.slug.to_string(), command.admin.username.to_string());
    let password = app.passwords.hash(password.into_secret()).await;
    let session = Prepared::new(&app);
    let mut call = Call::<Clinic>::new(clinic, clinic.into(), NAME, command.into());
    call.fresh = chosen.is_none();
    call.secret = Some(Secret::Password(password));
    call.extra = {
        let (session, slug, username) = (session.clone(), slug.clone(), username.clone());
        Arc::new(move |recorded| {
            let proven = administrator(clinic, &slug, &username, recorded);
            proven.and_then(|proven| logged_in(&session, &proven)).unwrap_or_default()
        })
    };
    if let Some(context) = RequestContext::current() {
        call.client = context.client;
        call.correlation_id = context.correlation_id;
    }
    let path = incoming.path.clone();
    let sent = Sent {
        who: None,
        method: incoming.method,
        path: &path,
        body: &incoming.body.bytes,
        key: incoming.key.0.as_deref(),
    };
    let answered = handle::run(&app, &sent, call).await.map_err(|ran| match ran {
        Ran::Forbidden => Problem::forbidden(),
        Ran::Problem(problem) => problem,
    })?;
    let proven = administrator(clinic, &slug, &username, &answered.events);
    if let (false, Some(proven)) = (answered.replayed, proven) {
        session.begin(&app, &proven).await?;
    }
    handle::respond(answered, Some(&path))
}

/// The tokens of the first administrator, as members of the answer.
fn logged_in(session: &Prepared, proven: &Proven) -> Option<Map<String, Value>> {
    let tokens = session.tokens(proven).ok()?;
    serde_json::to_value(tokens).ok()?.as_object().cloned()
}

/// The first administrator, whom the registration has invited.
fn administrator(clinic: ClinicId, slug: &str, username: &str, recorded: &[Recorded]) -> Option<Proven> {
    let invited = |recorded: &Recorded| match recorded.event {
        DomainEvent::Staff(StaffEvent::StaffInvited { .. }) => Some(UserId(recorded.stream.id)),
        _ => None,
    };
    Some(Proven {
        clinic,
        slug: Some(slug.to_owned()),
        user: recorded.iter().find_map(invited)?,
        username: username.to_owned(),
        roles: vec![Role::ClinicAdmin],
        patient: None,
        must_change_password: false,
    })
}
