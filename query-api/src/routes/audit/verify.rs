//! Whether the clinic's ledgers are what was signed.

use aide::axum::{ApiRouter, routing::get_with};
use axum::extract::State;
use event_store::checkpoint::LedgerReport;
use events::Position;
use proof::Verdict;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::IgnoredAny};
use service_kit::{Problem, Query};

use super::trail::may_audit;
use crate::{
    QueryState,
    audit::LedgerName,
    disclosure::{Disclosed, disclose_audit},
    reader::Live,
    scope::{Reflected, Select},
    sql::Sql,
};

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct HowMuch {
    /// From the first row on, though an earlier verification has found some intact.
    whole: bool,
}

/// What a verification has found. Whoever does not trust this server verifies a bundle, or the anchors, with a
/// program of their own.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Verification {
    /// Whether nothing is wrong, neither with the checkpoints nor with one of the ledgers.
    intact: bool,
    /// Of the key that was trusted: this server's. To be compared with what the operator gave out.
    fingerprint: Option<String>,
    /// The last checkpoint that was taken into account; 0: none was made yet.
    checkpoint: i64,
    /// What is wrong with the checkpoints themselves. The ledgers are then compared with those before it alone.
    checkpoints: Option<Found>,
    ledgers: Vec<VerifiedLedger>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Found {
    #[serde(flatten)]
    verdict: Verdict,
    /// The same for people.
    sentence: String,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct VerifiedLedger {
    ledger: LedgerName,
    /// Rows up to here were verified before, and not read again.
    verified_before: Position,
    #[serde(flatten)]
    found: Found,
}

impl From<Verdict> for Found {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, sentence: verdict.to_string() }
    }
}

impl From<LedgerReport> for VerifiedLedger {
    fn from(LedgerReport { ledger, verdict, verified_before }: LedgerReport) -> Self {
        Self { ledger: ledger.into(), verified_before, found: verdict.into() }
    }
}

async fn verify(
    State(state): State<QueryState>,
    Live(reader): Live,
    Query(how): Query<HowMuch>,
) -> Result<Disclosed<Reflected<Verification>>, Problem> {
    may_audit(&reader).await?;
    // What the ledgers are is not asked of read models; that the login still stands is.
    let stands = reader.all::<IgnoredAny>(nothing()).await?;
    let (auditor, clinic) = (&state.auditor, reader.scope().clinic());
    let fingerprint = auditor.own_fingerprint(&state.checkpoint_keys).await.map_err(Problem::internal)?;
    let trusted = fingerprint.as_deref().unwrap_or_default();
    let report = auditor.verify(clinic, trusted, how.whole).await.map_err(Problem::internal)?;
    let found = stands.map(|_| Verification {
        intact: report.is_intact(),
        fingerprint,
        checkpoint: report.checkpoint,
        checkpoints: report.wrong.map(Found::from),
        ledgers: report.ledgers.into_iter().map(VerifiedLedger::from).collect(),
    });
    disclose_audit(&reader, "verification", None, 0, found).await
}

/// No rows: the position alone.
pub(super) fn nothing() -> Select {
    Select::from_log(Sql::new("1 WHERE false"))
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new().api_route(
        "/audit/verify",
        get_with(verify, |op| {
            op.id("verifyAudit").tag("Audit").summary("Whether nothing was altered, dropped or cut off").description(
                "Computes every hash of both ledgers again and compares them with what signed checkpoints say, from \
                 where the last verification ended or, with `whole`, from the first row on. Per ledger: `intact` up \
                 to the last checkpoint (with the number of rows after it), `altered_at`, `gap_at`, `cut_off_after`, or \
                 `altered_between`, where a tail was rewritten with a right chain.",
            )
        }),
    )
}
