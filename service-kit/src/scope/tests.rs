use std::sync::Mutex;

use axum::{Router, body::Body, routing::get};
use chrono::TimeDelta;
use events::ClinicId;
use http::{Request, StatusCode, header::AUTHORIZATION};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use super::*;
use crate::{
    access::Limit,
    tokens::{Identity, SigningKeys},
};

/// Keeps what it is told, or fails as a ledger that cannot be reached.
#[derive(Default)]
struct Kept {
    attempts: Mutex<Vec<Attempt>>,
    unreachable: bool,
}

impl AccessJournal for Kept {
    fn record(&self, attempt: Attempt) -> BoxFuture<'_, Result<(), Box<dyn std::error::Error + Send + Sync>>> {
        Box::pin(async move {
            self.attempts.lock().unwrap().push(attempt);
            match self.unreachable {
                true => Err("the ledger is away".into()),
                false => Ok(()),
            }
        })
    }
}

struct World {
    _folder: tempfile::TempDir,
    keys: SigningKeys,
    journal: Arc<Kept>,
}

impl World {
    fn new(unreachable: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = SigningKeys::open(&folder.path().join("key.pem")).unwrap();
        Self { _folder: folder, keys, journal: Arc::new(Kept { unreachable, ..Default::default() }) }
    }

    fn app(&self) -> Router {
        let authority = Authority::new(self.keys.verifier(), self.journal.clone());
        Router::new()
            .route("/me", get(|who: Authenticated| async move { who.username().to_owned() }))
            .route("/clinic/{slug}/merge/{id}", get(merge))
            .route("/clinic/{slug}/overbook", get(overbook))
            .route("/ops", get(|scope: PlatformScope| async move { scope.username().to_owned() }))
            .with_state(authority)
    }

    async fn ask(&self, path: &str, token: Option<&str>) -> (StatusCode, Value) {
        let mut request = Request::get(path);
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let response = self.app().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let status = response.status();
        let challenged = response.headers().contains_key("www-authenticate");
        assert_eq!(challenged, status == StatusCode::UNAUTHORIZED);
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    fn token(&self, identity: &Identity) -> String {
        self.keys.signer().sign(identity.clone(), Utc::now()).unwrap()
    }

    fn attempts(&self) -> Vec<Attempt> {
        self.journal.attempts.lock().unwrap().clone()
    }
}

async fn merge(scope: ClinicScope) -> Result<String, Problem> {
    scope.require(Capability::PatientMerge, Need::Write).await?;
    Ok(scope.slug().to_owned())
}

async fn overbook(scope: ClinicScope) -> Result<String, Problem> {
    let grant = scope.require(Capability::Overbook, Need::Write).await?;
    Ok(grant.write.covers(Limit::Own).to_string())
}

fn someone(clinic: ClinicId, slug: Option<&str>, roles: &[Role]) -> Identity {
    Identity {
        user: UserId(Uuid::now_v7()),
        clinic,
        slug: slug.map(str::to_owned),
        roles: roles.to_vec(),
        name: "asha".to_owned(),
        session: Uuid::now_v7(),
        patient: None,
    }
}

fn of_sunrise(roles: &[Role]) -> Identity {
    someone(ClinicId(Uuid::now_v7()), Some("sunrise"), roles)
}

#[tokio::test]
async fn a_valid_token_of_the_clinic_passes() {
    let world = World::new(false);
    let token = world.token(&of_sunrise(&[Role::ClinicAdmin]));
    assert_eq!(world.ask("/me", Some(&token)).await.0, StatusCode::OK);
    assert_eq!(world.ask("/clinic/sunrise/merge/1", Some(&token)).await.0, StatusCode::OK);
    assert!(world.attempts().is_empty());
}

#[tokio::test]
async fn without_a_genuine_token_the_answer_is_401() {
    let world = World::new(false);
    let identity = of_sunrise(&[Role::ClinicAdmin]);
    let expired = world.keys.signer().sign(identity.clone(), Utc::now() - TimeDelta::hours(1)).unwrap();
    let forged = World::new(false).token(&identity);
    for (token, code) in
        [(None, "unauthenticated"), (Some(forged), "unauthenticated"), (Some(expired), "token-expired")]
    {
        for path in ["/me", "/clinic/sunrise/merge/1", "/ops"] {
            let (status, body) = world.ask(path, token.as_deref()).await;
            assert_eq!((status, body["code"].as_str()), (StatusCode::UNAUTHORIZED, Some(code)), "{path}");
        }
    }
    assert!(world.attempts().is_empty(), "nobody is known, so there is no ledger to write to");
}

#[tokio::test]
async fn only_one_bearer_token_is_read() {
    let world = World::new(false);
    let token = world.token(&of_sunrise(&[Role::Doctor]));
    for values in [vec![format!("Basic {token}")], vec![token.clone()], vec![format!("Bearer {token}"); 2]] {
        let mut request = Request::get("/me");
        for value in values {
            request = request.header(AUTHORIZATION, value);
        }
        let response = world.app().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn another_clinic_is_404_and_recorded_in_the_token_s_ledger() {
    let world = World::new(false);
    let identity = of_sunrise(&[Role::ClinicAdmin]);
    let (status, body) = world.ask("/clinic/moonlight/merge/1", Some(&world.token(&identity))).await;
    assert_eq!((status, body["code"].as_str()), (StatusCode::NOT_FOUND, Some("not-found")));
    let attempts = world.attempts();
    assert_eq!(attempts.len(), 1);
    assert_eq!((attempts[0].clinic, attempts[0].actor.user), (identity.clinic, Some(identity.user)));
    assert_eq!(attempts[0].refused, Refused::CrossClinic { slug: "moonlight".to_owned() });
    assert_eq!(&*attempts[0].operation, "GET /clinic/{slug}/merge/{id}");
}

#[tokio::test]
async fn a_platform_token_is_no_clinic_s_and_a_clinic_s_is_no_platform_token() {
    let world = World::new(false);
    let platform = world.token(&someone(ClinicId::PLATFORM, None, &[Role::PlatformAdmin]));
    assert_eq!(world.ask("/ops", Some(&platform)).await.0, StatusCode::OK);
    assert_eq!(world.ask("/clinic/sunrise/merge/1", Some(&platform)).await.0, StatusCode::NOT_FOUND);
    let clinic = world.token(&of_sunrise(&[Role::ClinicAdmin, Role::PlatformAdmin]));
    assert_eq!(world.ask("/ops", Some(&clinic)).await.0, StatusCode::FORBIDDEN);
    let refused: Vec<&str> = world.attempts().iter().map(|attempt| attempt.refused.code()).collect();
    assert_eq!(refused, ["cross-clinic", "platform-only"]);
}

#[tokio::test]
async fn a_role_that_is_not_enough_is_403_and_recorded() {
    let world = World::new(false);
    let token = world.token(&of_sunrise(&[Role::Receptionist]));
    let (status, body) = world.ask("/clinic/sunrise/merge/1", Some(&token)).await;
    assert_eq!((status, body["code"].as_str()), (StatusCode::FORBIDDEN, Some("forbidden")));
    assert_eq!((body["capability"].as_str(), body["need"].as_str()), (Some("patient_merge"), Some("write")));
    let refused = Refused::Capability { capability: Capability::PatientMerge, need: Need::Write };
    assert_eq!(world.attempts()[0].refused, refused);
}

#[tokio::test]
async fn a_limited_grant_passes_for_the_handler_to_look_at() {
    let world = World::new(false);
    let token = world.token(&of_sunrise(&[Role::Doctor]));
    assert_eq!(world.ask("/clinic/sunrise/overbook", Some(&token)).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_refusal_that_cannot_be_recorded_is_503() {
    let world = World::new(true);
    let token = world.token(&of_sunrise(&[Role::Receptionist]));
    for path in ["/clinic/sunrise/merge/1", "/clinic/moonlight/merge/1", "/ops"] {
        assert_eq!(world.ask(path, Some(&token)).await.0, StatusCode::SERVICE_UNAVAILABLE, "{path}");
    }
}
