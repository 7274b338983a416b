//! Measurements, as Prometheus reads them. Names and labels hold no personal data and no ids of persons.

use std::{sync::Arc, time::Duration};

use axum::{Router, response::IntoResponse, routing::get};
use http::header::CONTENT_TYPE;
use metrics::Unit;
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;

/// Counted by method, route and status.
pub const HTTP_REQUESTS: &str = "casebook_http_requests_total";
/// Seconds until an answer begins, by method and route.
pub const HTTP_SECONDS: &str = "casebook_http_request_seconds";

/// Bounds of every histogram of durations, in seconds: from a cache hit to a timeout.
const SECONDS_BUCKETS: [f64; 16] =
    [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0];
/// How often recorded values are folded into the histograms when nobody reads them.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// The recorder of this process.
#[derive(Clone)]
pub struct Metrics(Arc<PrometheusHandle>);

impl Metrics {
    /// Makes this the recorder of the process; once.
    pub fn install() -> Result<Self, BuildError> {
        let handle = PrometheusBuilder::new().set_buckets(&SECONDS_BUCKETS)?.install_recorder()?;
        metrics::describe_counter!(HTTP_REQUESTS, "Requests answered.");
        metrics::describe_histogram!(HTTP_SECONDS, Unit::Seconds, "Time until an answer begins.");
        Ok(Self(Arc::new(handle)))
    }

    /// What `/metrics` shows.
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// `/metrics`.
    pub fn routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let metrics = self.clone();
        Router::new().route("/metrics", get(move || async move { metrics.answer() }))
    }

    fn answer(&self) -> impl IntoResponse + use<> {
        ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], self.render())
    }

    /// Keeps the memory of histograms small until `stop`; a task of the process.
    pub async fn upkeep(self, stop: CancellationToken) {
        let mut tick = tokio::time::interval(UPKEEP_INTERVAL);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = tick.tick() => self.0.run_upkeep(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_measured_is_shown() {
        let metrics = Metrics::install().unwrap();
        metrics::counter!(HTTP_REQUESTS, "method" => "GET", "route" => "/x", "status" => "200").increment(3);
        metrics::histogram!(HTTP_SECONDS, "method" => "GET", "route" => "/x").record(0.004);
        let text = metrics.render();
        assert!(text.contains(r#"casebook_http_requests_total{method="GET",route="/x",status="200"} 3"#), "{text}");
        assert!(
            text.contains(r#"casebook_http_request_seconds_bucket{method="GET",route="/x",le="0.005"} 1"#),
            "{text}"
        );
    }
}
