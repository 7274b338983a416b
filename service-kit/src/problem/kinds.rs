//! The kinds of problem that any service may answer with. A service adds its own [`Kind`]s for its rules.

use http::StatusCode;

/// What a `code` means, wherever it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Stable, kebab-case; clients decide on it.
    pub code: &'static str,
    pub status: StatusCode,
    /// A short sentence, the same for every occurrence.
    pub title: &'static str,
    /// What a client can do about it; shown by `/docs`.
    pub explanation: &'static str,
    /// The code under which `/docs` explains it: its own, or that of the kind that it is a case of.
    pub explained_at: &'static str,
}

impl Kind {
    /// A case of this kind with a code of its own, such as one rule of the domain: `RULE_REFUSED.case("last-office")`.
    /// A code that is declared with the same status is that kind.
    pub fn case(self, code: &'static str) -> Self {
        let declared = ALL.iter().find(|kind| kind.code == code && kind.status == self.status);
        declared.copied().unwrap_or(Self { code, ..self })
    }
}

/// Declares kinds as constants and lists them: `kinds! { pub static ALL; NAME = "code", STATUS, "title", "explanation"; … }`.
#[macro_export]
macro_rules! kinds {
    ($list_vis:vis static $list:ident; $($name:ident = $code:literal, $status:ident, $title:literal, $explanation:literal;)+) => {
        $(
            #[doc = $title]
            pub const $name: $crate::problem::Kind = $crate::problem::Kind {
                code: $code,
                status: $crate::problem::StatusCode::$status,
                title: $title,
                explanation: $explanation,
                explained_at: $code,
            };
        )+
        /// Every kind declared here.
        $list_vis static $list: &[$crate::problem::Kind] = &[$($name),+];
    };
}

kinds! {
    pub static ALL;

    MALFORMED = "malformed", BAD_REQUEST, "The request cannot be read",
        "The body is not JSON, has an unknown, missing or repeated field, or a value of another JSON type than the \
         documented one. `errors` points at the place.";
    INVALID_PARAMETER = "invalid-parameter", BAD_REQUEST, "A query parameter is unknown or not valid",
        "Filters and sorts are listed per operation; anything else is refused. `errors` names the parameter.";
    INVALID_HEADER = "invalid-header", BAD_REQUEST, "A header is not valid",
        "`detail` names the header and the form it must have.";
    INVALID_CURSOR = "invalid-cursor", BAD_REQUEST, "The cursor is not one that this list gave",
        "Follow `next` or the `Link` header as they are; begin again without a cursor.";
    UNAUTHENTICATED = "unauthenticated", UNAUTHORIZED, "A valid access token is needed",
        "Send `Authorization: Bearer <access token>`. The token is missing, not genuine, or was revoked.";
    TOKEN_EXPIRED = "token-expired", UNAUTHORIZED, "The access token has expired",
        "An access token lives 15 minutes. Get a new one with the refresh token.";
    BAD_CREDENTIALS = "bad-credentials", UNAUTHORIZED, "These credentials are not accepted",
        "Clinic, user name or secret is wrong, or the account cannot be used now. Which of them is not said.";
    CODE_REQUIRED = "code-required", UNAUTHORIZED, "This login needs a code as well",
        "The password is right. Send it again with `code`: the six digits that the authenticator app shows now, or one of \
         the recovery codes. Who has neither is helped by an administrator (`POST …/staff/{id}/reset-totp`).";
    REAUTHENTICATION_FAILED = "reauthentication-failed", UNAUTHORIZED, "The password given with this request is wrong",
        "What you ask for needs your password once more, in the body. Wrong ones count as failed logins: the fifth in a \
         row locks the login for 15 minutes and ends its sessions.";
    FORBIDDEN = "forbidden", FORBIDDEN, "Your roles do not allow this",
        "The roles of the login do not include this capability. The refusal is recorded in the clinic's access ledger.";
    QUOTA_EXCEEDED = "quota-exceeded", FORBIDDEN, "The plan's limit is reached",
        "`limit` and `used` say how far the plan reaches. Change the plan or free a place.";
    CLINIC_SUSPENDED = "clinic-suspended", FORBIDDEN, "The clinic does not accept changes now",
        "The clinic is suspended, expired or closed. Reading, exporting and auditing go on.";
    NOT_FOUND = "not-found", NOT_FOUND, "There is nothing here",
        "The address or the id does not exist in this clinic. An id of another clinic answers exactly the same.";
    METHOD_NOT_ALLOWED = "method-not-allowed", METHOD_NOT_ALLOWED, "The address does not take this method",
        "`Allow` lists the methods that it takes.";
    CONFLICT = "conflict", CONFLICT, "The present state does not allow this",
        "Something else was decided first. Read the resource again and decide again.";
    DUPLICATE = "duplicate", CONFLICT, "This exists already",
        "A value that must be unique is in use. `errors` points at it.";
    REPLAY_NOT_READY = "replay-not-ready", CONFLICT, "The replay cannot be asked yet",
        "It is being built, or building it failed: `GET …/audit/replays/{id}` says how far it is, or why it failed.";
    TOO_MANY_REPLAYS = "too-many-replays", CONFLICT, "The clinic has as many replays as it may have at once",
        "Delete one that is no longer needed (`DELETE …/audit/replays/{id}`), or wait until one has expired.";
    REPLAY_EXPIRED = "replay-expired", GONE, "The replay is over",
        "A replay can be asked for 24 hours, unless it is deleted before. Ask for another one of the same moment.";
    ERASED = "erased", GONE, "This was erased",
        "The person's data was erased on request. The record that there was something remains.";
    STALE_VERSION = "stale-version", PRECONDITION_FAILED, "The resource has changed since it was read",
        "The version in `If-Match` is no longer the present one. Read again and decide again.";
    BODY_TOO_LARGE = "body-too-large", PAYLOAD_TOO_LARGE, "The body is too large",
        "A JSON body may have 1 MiB; uploads have limits of their own.";
    UNSUPPORTED_MEDIA_TYPE = "unsupported-media-type", UNSUPPORTED_MEDIA_TYPE, "The body must be JSON",
        "Send `Content-Type: application/json`.";
    RANGE_NOT_SATISFIABLE = "range-not-satisfiable", RANGE_NOT_SATISFIABLE, "The content does not reach that far",
        "`Content-Range` says how long it is.";
    INVALID = "invalid", UNPROCESSABLE_ENTITY, "A value is not acceptable",
        "The request can be read, but a value breaks a rule. `errors` points at it and says what is expected.";
    RULE_REFUSED = "rule-refused", UNPROCESSABLE_ENTITY, "A rule of the clinic's domain refuses this",
        "`detail` says which rule.";
    KEY_REUSED = "idempotency-key-reused", UNPROCESSABLE_ENTITY, "The idempotency key belongs to another request",
        "The key was used with another body or address within 48 hours. Use a fresh key for a new request.";
    LEGAL_HOLD = "legal-hold", LOCKED, "A legal hold forbids this",
        "The record is kept for a legal matter. It can be changed again once the hold is lifted.";
    PRECONDITION_REQUIRED = "precondition-required", PRECONDITION_REQUIRED, "The request must say which version it changes",
        "Send `If-Match: \"<version>\"` with the version that was read.";
    TOO_MANY_REQUESTS = "too-many-requests", TOO_MANY_REQUESTS, "Too many requests",
        "Wait as long as `Retry-After` says. `RateLimit` and `RateLimit-Policy` describe the limit.";
    INTERNAL = "internal", INTERNAL_SERVER_ERROR, "The server failed",
        "The failure is recorded under the correlation id; nothing more is said here. A command may or may not have \
         been recorded: repeat it with the same `Idempotency-Key`.";
    PROJECTION_LAG = "projection-lag", SERVICE_UNAVAILABLE, "The answer is not yet as new as asked for",
        "The read models have not reached `Casebook-Min-Position`. Repeat after `Retry-After`.";
    CONTENDED = "contended", SERVICE_UNAVAILABLE, "Others were faster too many times",
        "The same data changed again and again while the command was decided. Nothing was recorded; repeat it.";
    UNAVAILABLE = "unavailable", SERVICE_UNAVAILABLE, "A part of the system cannot be reached now",
        "Repeat after `Retry-After`, a command with the same `Idempotency-Key`.";
    PRESS_BUSY = "press-busy", SERVICE_UNAVAILABLE, "Too many documents wait to be printed",
        "Few are set at once, so that nobody else waits for them. Nothing was printed; repeat after `Retry-After`.";
    TIMEOUT = "timeout", SERVICE_UNAVAILABLE, "The answer took too long",
        "A command may still be recorded: repeat it with the same `Idempotency-Key`.";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_case_keeps_the_explanation_of_its_kind() {
        let case = RULE_REFUSED.case("last-office");
        assert_eq!((case.code, case.explained_at, case.title), ("last-office", "rule-refused", RULE_REFUSED.title));
        assert_eq!(CONFLICT.case("duplicate"), DUPLICATE);
        assert_eq!(FORBIDDEN.case("quota-exceeded"), QUOTA_EXCEEDED);
    }

    #[test]
    fn codes_are_unique_kebab_case_and_explained() {
        let codes: HashSet<&str> = ALL.iter().map(|kind| kind.code).collect();
        assert_eq!(codes.len(), ALL.len());
        for kind in ALL {
            assert!(kind.code.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{}", kind.code);
            assert!(kind.status.is_client_error() || kind.status.is_server_error(), "{}", kind.code);
            assert!(!kind.title.is_empty() && kind.explanation.len() > 20, "{}", kind.code);
        }
    }
}
