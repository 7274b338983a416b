//! One entry, with its row as it was hashed: an auditor can compute the hash with any tool.

use aide::axum::{ApiRouter, routing::get_with};
use events::{Ledger, PatientId, Position};
use proof::bundle::ShownRow;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{Path, Problem, Query, json::NoFilters};

use super::trail::may_audit;
use crate::{
    QueryState,
    audit::{AuditEntry, Last, Part, is_open, one, tell},
    disclosure::{Disclosed, disclose_audit},
    reader::{Live, Reader},
    scope::Reflected,
};

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
struct ByPosition {
    /// In that ledger.
    position: Position,
}

/// One entry of the trail, and all that its hash covers.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AuditRecord {
    #[serde(flatten)]
    entry: AuditEntry,
    /// All columns of the row by their names in the log, as in a line of an export bundle, without a key. `payload`
    /// is missing where the record is restricted and the asker does not see restricted ones; its hash is there.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    row: ShownRow,
    /// SHA-256 over the row's columns, in hexadecimal digits.
    row_hash: String,
    /// Whether the row has the hashes that its columns give. Whether a row is missing, or a ledger was cut off, only
    /// a verification of the whole can tell.
    intact: bool,
}

async fn record(
    reader: Reader,
    part: Part,
    ledger: Ledger,
    position: Position,
) -> Result<Disclosed<Reflected<AuditRecord>>, Problem> {
    may_audit(&reader).await?;
    let Reflected { value: row, position } = one(&reader, ledger, position).await?;
    let entry =
        tell(&reader, vec![(row.clone(), Last::default())], true).await?.pop().ok_or_else(Problem::not_found)?;
    let open = is_open(&reader, &row).await?;
    let (row_hash, intact) = (hex::encode(row.row_hash()), row.is_intact());
    let mut row = ShownRow::of(row);
    if !open {
        (row.payload, row.payload_base64) = (None, None);
    }
    let patient = row.patient.map(PatientId);
    let answer = Reflected { value: AuditRecord { entry, row, row_hash, intact }, position };
    disclose_audit(&reader, part, patient, 1, answer).await
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new()
        .api_route(
            "/audit/events/{position}",
            get_with(
                |Live(reader): Live, Path(path): Path<ByPosition>, _: Query<NoFilters>| {
                    record(reader, Part::Events, Ledger::Record, path.position)
                },
                |op| {
                    op.id("getAuditEvent")
                        .tag("Audit")
                        .summary("One event, as it was hashed")
                        .description("The entry at a position of the record, with every column that its hash covers.")
                },
            ),
        )
        .api_route(
            "/audit/access/{position}",
            get_with(
                |Live(reader): Live, Path(path): Path<ByPosition>, _: Query<NoFilters>| {
                    record(reader, Part::Access, Ledger::Access, path.position)
                },
                |op| {
                    op.id("getAuditAccess").tag("Audit").summary("One access record, as it was hashed").description(
                        "The entry at a position of the access ledger, with all patients whom it showed, and every \
                         column that its hash covers.",
                    )
                },
            ),
        )
}
