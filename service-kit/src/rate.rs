//! A limit on how often one client may ask, for the routes where guessing pays: login, refresh, activation.

use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
};
use http::{HeaderName, HeaderValue};

use crate::{
    context::RequestContext,
    problem::{Problem, whole_seconds},
};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// After so many requests, clients who have their full quota again are forgotten.
const REQUESTS_BETWEEN_CLEANINGS: u64 = 4096;
/// Providers give a household at least this much of the IPv6 space.
const IPV6_PREFIX_BITS: u32 = 64;

/// So many requests of one client in a window, the quota filling up again evenly.
#[derive(Clone)]
pub struct RateLimit {
    name: &'static str,
    requests: NonZeroU32,
    window: Duration,
    limiter: Arc<DefaultKeyedRateLimiter<Option<IpAddr>, StateInformationMiddleware>>,
    clock: DefaultClock,
    asked: Arc<AtomicU64>,
}

impl RateLimit {
    /// `None` for an empty window. `name` stands in the answer's headers.
    pub fn per_client(name: &'static str, requests: NonZeroU32, window: Duration) -> Option<Self> {
        let quota = Quota::with_period(window.checked_div(requests.get())?)?.allow_burst(requests);
        let limiter = Arc::new(RateLimiter::keyed(quota).with_middleware());
        Some(Self { name, requests, window, limiter, clock: DefaultClock::default(), asked: Arc::default() })
    }

    /// What is left to the client, or how long it has to wait.
    fn take(&self, client: Option<IpAddr>) -> Result<u32, Duration> {
        if self.asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(REQUESTS_BETWEEN_CLEANINGS) {
            self.limiter.retain_recent();
        }
        match self.limiter.check_key(&client.map(network)) {
            Ok(state) => Ok(state.remaining_burst_capacity()),
            Err(refused) => Err(refused.wait_time_from(self.clock.now())),
        }
    }

    /// `RateLimit` and `RateLimit-Policy`, as the IETF's httpapi group drafts them.
    fn headers(&self, remaining: u32, wait: Duration) -> [(HeaderName, String); 2] {
        let policy = format!("\"{}\";q={};w={}", self.name, self.requests, self.window.as_secs());
        let state = format!("\"{}\";r={remaining};t={}", self.name, whole_seconds(wait));
        [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, state)]
    }

    fn until_next(&self) -> Duration {
        self.window / self.requests.get()
    }
}

/// Whoever owns an IPv6 network can use any address of it.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> IPV6_PREFIX_BITS << IPV6_PREFIX_BITS)),
    }
}

/// The middleware: `route.layer(from_fn_with_state(limit, rate::limit))`. Past the limit: 429.
pub async fn limit(State(limit): State<RateLimit>, request: Request, next: Next) -> Response {
    let context = RequestContext::of(request.extensions(), request.uri().path());
    let (mut response, headers) = match limit.take(context.client.address) {
        Ok(left) => (next.run(request).await, limit.headers(left, limit.until_next())),
        Err(wait) => (Problem::too_many_requests(wait).into_response(), limit.headers(0, wait)),
    };
    for (name, value) in headers {
        // Digits and a name of ours: always a header value.
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, middleware::from_fn_with_state, routing::post};
    use events::Client;
    use http::HeaderMap;
    use tower::ServiceExt;

    use super::*;

    fn limited() -> RateLimit {
        RateLimit::per_client("login", NonZeroU32::new(3).unwrap(), Duration::from_secs(60)).unwrap()
    }

    async fn ask(app: &Router, address: &str) -> Response {
        let client = Client { address: Some(address.parse().unwrap()), agent: None };
        let mut request = Request::post("/login").body(Body::empty()).unwrap();
        request.extensions_mut().insert(RequestContext::new(&HeaderMap::new(), "/login", client));
        app.clone().oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn past_the_limit_a_client_waits_and_another_does_not() {
        let app = Router::new().route("/login", post(async || "in")).layer(from_fn_with_state(limited(), limit));
        for left in ["2", "1", "0"] {
            let response = ask(&app, "198.51.100.1").await;
            assert_eq!(response.status().as_u16(), 200);
            let state = response.headers()["ratelimit"].to_str().unwrap();
            assert!(state.starts_with(&format!("\"login\";r={left};t=")), "{state}");
        }
        let refused = ask(&app, "198.51.100.1").await;
        assert_eq!(refused.status().as_u16(), 429);
        assert_eq!(refused.headers()["ratelimit-policy"], "\"login\";q=3;w=60");
        let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=20).contains(&wait), "{wait}");
        assert_eq!(ask(&app, "198.51.100.2").await.status().as_u16(), 200);
    }

    #[test]
    fn a_household_of_ipv6_is_one_client() {
        let limit = limited();
        let take = |address: &str| limit.take(Some(address.parse().unwrap()));
        assert!(take("2001:db8::1").is_ok() && take("2001:db8::2").is_ok() && take("2001:db8:0:0:ffff::3").is_ok());
        assert!(take("2001:db8::4").is_err());
        assert!(take("2001:db8:0:1::1").is_ok());
    }
}
