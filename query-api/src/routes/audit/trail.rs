//! Pages of the audit trail.

use aide::{
    axum::{ApiRouter, routing::get_with},
    transform::TransformOperation,
};
use events::PatientId;
use service_kit::{Capability, ListQuery, Problem, page::List};

use crate::{
    QueryState,
    audit::{AuditEntry, AuditFilters, Part, entries, tell},
    disclosure::{Disclosed, disclose_audit_of},
    reader::{Live, Reader},
    scope::Reflected,
};

async fn page(
    reader: Reader,
    part: Part,
    query: ListQuery<AuditFilters>,
) -> Result<Disclosed<List<AuditEntry>>, Problem> {
    may_audit(&reader).await?;
    let Reflected { value: rows, position } = entries(&reader, part, &query).await?;
    let entries = tell(&reader, rows, false).await?;
    let page = query.answer(entries, position, |entry| entry.last);
    let (shown, count) = (whose_changes(page.items()), page.items().len());
    disclose_audit_of(&reader, part, query.filters.patient, shown, count, page).await
}

/// Whose records the entries say what changed in.
fn whose_changes(entries: &[AuditEntry]) -> Vec<PatientId> {
    let changed = entries.iter().filter(|entry| entry.changes.as_ref().is_some_and(|changes| !changes.is_empty()));
    let mut patients: Vec<PatientId> = changed.flat_map(|entry| &entry.patients).map(|patient| patient.id).collect();
    patients.sort_unstable();
    patients.dedup();
    patients
}

/// All of the trail, not one's own access log alone; else 403, recorded.
pub(super) async fn may_audit(reader: &Reader) -> Result<(), Problem> {
    match reader.may_read(Capability::Audit).await?.is_everything() {
        true => Ok(()),
        false => Err(reader.refuse(Capability::Audit).await),
    }
}

fn described<'t>(op: TransformOperation<'t>, id: &str, summary: &str, what: &str) -> TransformOperation<'t> {
    let description = format!(
        "{what} The newest first, unless `sort` names another element. Each entry has a sentence for people, and says \
         what changed: values where the asker's other rights show them, else the names of the fields."
    );
    op.id(id).tag("Audit").summary(summary).description(&description)
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new()
        .api_route(
            "/audit/events",
            get_with(
                |Live(reader): Live, query| page(reader, Part::Events, query),
                |op| described(op, "listAuditEvents", "What was done", "The clinic's record: every event."),
            ),
        )
        .api_route(
            "/audit/access",
            get_with(
                |Live(reader): Live, query| page(reader, Part::Access, query),
                |op| {
                    let what = "The access ledger: who was shown what, what was refused, who logged in.";
                    described(op, "listAuditAccess", "What was seen, and what was refused", what)
                },
            ),
        )
        .api_route(
            "/audit/trail",
            get_with(
                |Live(reader): Live, query| page(reader, Part::Trail, query),
                |op| described(op, "listAuditTrail", "Both ledgers together", "Record and access ledger by time."),
            ),
        )
}
