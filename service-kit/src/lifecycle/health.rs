//! `/healthz`: the process lives. `/readyz`: it can do its work now, check by check.

use std::{borrow::Cow, collections::BTreeMap, pin::Pin, sync::Arc, time::Duration};

use axum::{
    Router,
    response::{IntoResponse, Response},
    routing::get,
};
use http::StatusCode;
use serde::Serialize;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::json::Json;

/// A check that takes longer has failed.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// `Err` says in a few words what is wrong. It is shown to whoever reaches the port: names and counts of ours,
/// never an error's text.
pub type CheckFuture = Pin<Box<dyn Future<Output = Result<(), Cow<'static, str>>> + Send>>;
type Check = Arc<dyn Fn() -> CheckFuture + Send + Sync>;

/// The named checks of a process.
#[derive(Clone)]
pub struct Health {
    checks: Vec<(&'static str, Check)>,
    stopping: CancellationToken,
}

#[derive(Debug, Serialize)]
struct Report {
    status: &'static str,
    checks: BTreeMap<&'static str, Cow<'static, str>>,
}

impl Health {
    /// Not ready any more once `stopping` is cancelled, so that no new requests are sent here.
    pub fn new(stopping: CancellationToken) -> Self {
        Self { checks: Vec::new(), stopping }
    }

    pub fn check<F>(mut self, name: &'static str, check: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), Cow<'static, str>>> + Send + 'static,
    {
        self.checks.push((name, Arc::new(move || Box::pin(check()))));
        self
    }

    /// Asks the database for one row.
    pub fn database(self, pool: sqlx::PgPool) -> Self {
        self.check("database", move || {
            let pool = pool.clone();
            async move {
                let answer = sqlx::query("SELECT 1").execute(&pool).await;
                answer.map(drop).map_err(|_| "cannot be reached".into())
            }
        })
    }

    /// `/healthz` and `/readyz`.
    pub fn routes<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        let health = Arc::new(self);
        Router::new()
            .route("/healthz", get(async || Json(Report { status: "ok", checks: BTreeMap::new() })))
            .route("/readyz", get(async move || health.answer().await))
    }

    async fn answer(&self) -> Response {
        let checks = self.run().await;
        let ready = !self.stopping.is_cancelled() && checks.values().all(|outcome| outcome == "ok");
        match ready {
            true => Json(Report { status: "ready", checks }).into_response(),
            false => (StatusCode::SERVICE_UNAVAILABLE, Json(Report { status: "not ready", checks })).into_response(),
        }
    }

    /// All at the same time, each within its limit.
    async fn run(&self) -> BTreeMap<&'static str, Cow<'static, str>> {
        let mut running = JoinSet::new();
        for (name, check) in &self.checks {
            let (name, outcome) = (*name, check());
            running.spawn(async move {
                let outcome = tokio::time::timeout(CHECK_TIMEOUT, outcome).await;
                let said = outcome.unwrap_or(Err("no answer in time".into())).err();
                (name, said.unwrap_or("ok".into()))
            });
        }
        let mut report: BTreeMap<_, Cow<'static, str>> =
            self.checks.iter().map(|(name, _)| (*name, "the check failed".into())).collect();
        while let Some(outcome) = running.join_next().await {
            report.extend(outcome.ok());
        }
        report
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http_body_util::BodyExt;
    use serde_json::{Value, json};
    use tower::ServiceExt;

    use super::*;

    async fn ask(health: Health, path: &str) -> (u16, Value) {
        let request = http::Request::get(path).body(Body::empty()).unwrap();
        let response = health.routes::<()>().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    fn health() -> Health {
        Health::new(CancellationToken::new()).check("nats", async || Ok(()))
    }

    #[tokio::test]
    async fn ready_means_that_every_check_passes() {
        let (status, body) = ask(health(), "/readyz").await;
        assert_eq!((status, body), (200, json!({"status": "ready", "checks": {"nats": "ok"}})));
        let parked = health().check("projections", async || Err("2 clinics are parked".into()));
        let (status, body) = ask(parked.clone(), "/readyz").await;
        assert_eq!(status, 503);
        assert_eq!(body["checks"], json!({"nats": "ok", "projections": "2 clinics are parked"}));
        assert_eq!(ask(parked, "/healthz").await.0, 200);
    }

    #[tokio::test]
    async fn a_check_that_hangs_or_panics_has_failed() {
        let broken = health().check("slow", std::future::pending).check("broken", async || panic!("in a check"));
        let (status, body) = ask(broken, "/readyz").await;
        assert_eq!(status, 503);
        assert_eq!(body["checks"], json!({"nats": "ok", "slow": "no answer in time", "broken": "the check failed"}));
    }

    #[tokio::test]
    async fn a_process_that_stops_is_not_ready() {
        let health = health();
        health.stopping.cancel();
        assert_eq!(ask(health, "/readyz").await.0, 503);
    }

    #[tokio::test]
    async fn a_database_that_is_not_there_is_said_to_be_so() {
        let nowhere = sqlx::postgres::PgPoolOptions::new().connect_lazy("postgres://x@127.0.0.1:1/x").unwrap();
        let (status, body) = ask(health().database(nowhere), "/readyz").await;
        assert_eq!(status, 503);
        let said = body["checks"]["database"].as_str().unwrap();
        assert!(matches!(said, "cannot be reached" | "no answer in time"), "{said}");
    }
}
