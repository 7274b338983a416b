//! What one request carries with it: correlation id, path and client.

use std::sync::Arc;

use events::Client;
use http::{Extensions, HeaderMap};
use uuid::Uuid;

tokio::task_local! {
    static CURRENT: RequestContext;
}

/// Made once per request by [`crate::layers::apply`]; found in the request's extensions and, for problems, in
/// the task.
#[derive(Clone, Debug)]
pub struct RequestContext {
    /// The trace id of `traceparent`, else a fresh UUIDv7; on every event that the request records.
    pub correlation_id: Uuid,
    /// Without its query.
    pub path: Arc<str>,
    pub client: Client,
}

impl RequestContext {
    pub(crate) fn new(headers: &HeaderMap, path: &str, client: Client) -> Self {
        let correlation_id = trace_id(headers).unwrap_or_else(Uuid::now_v7);
        Self { correlation_id, path: path.into(), client }
    }

    /// The context of the request that this task answers, if any.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// What the layers put into the request; a bare one where there are none.
    pub(crate) fn of(extensions: &Extensions, path: &str) -> Self {
        extensions.get::<Self>().cloned().unwrap_or_else(|| Self::new(&HeaderMap::new(), path, Client::default()))
    }

    /// Runs the rest of a request inside this context.
    pub async fn scope<F: Future>(self, rest: F) -> F::Output {
        CURRENT.scope(self, rest).await
    }
}

/// W3C Trace Context: `00-<32 hex>-<16 hex>-<2 hex>`; a trace id of zeros is none.
fn trace_id(headers: &HeaderMap) -> Option<Uuid> {
    let value = headers.get("traceparent")?.to_str().ok()?;
    let mut parts = value.split('-');
    let (version, trace) = (parts.next()?, parts.next()?);
    let well_formed = version.len() == 2 && version != "ff" && trace.len() == 32 && parts.next()?.len() == 16;
    if !well_formed || !trace.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()) {
        return None;
    }
    Uuid::try_parse(trace).ok().filter(|id| !id.is_nil())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn correlation_of(traceparent: &str) -> Option<Uuid> {
        let headers = HeaderMap::from_iter([("traceparent".parse().unwrap(), traceparent.parse().unwrap())]);
        trace_id(&headers)
    }

    #[test]
    fn the_trace_id_is_the_correlation_id() {
        let id = correlation_of("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
        assert_eq!(id.simple().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
    }

    #[test]
    fn a_malformed_traceparent_is_as_none() {
        for wrong in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e47zz-00f067aa0ba902b7-01",
        ] {
            assert_eq!(correlation_of(wrong), None, "{wrong}");
        }
    }
}
