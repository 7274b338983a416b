//! Auditors' grants: what an auditor may see for a while beyond the role. Asked of the log in the reader's scope, so
//! that a grant is over with the commit that revokes it; a token never says that there is one.

use events::{UserId, clinic::AuditScope, values::Span};
use serde::Deserialize;
use service_kit::{Capability, Problem};

use crate::{reader::Reader, scope::Select, sql::Sql};

/// What a grant has to name for a capability that an auditor has by grant alone.
pub(crate) const fn scope_of(capability: Capability) -> Option<AuditScope> {
    Some(match capability {
        Capability::Visits => AuditScope::Visits,
        Capability::Notes => AuditScope::Notes,
        Capability::Prescribe => AuditScope::Prescriptions,
        Capability::LabResults => AuditScope::LabResults,
        Capability::DentalChart => AuditScope::DentalChart,
        Capability::Documents => AuditScope::Documents,
        Capability::Replay => AuditScope::Replay,
        Capability::Export => AuditScope::Export,
        _ => return None,
    })
}

#[derive(Deserialize)]
struct Answer {
    granted: bool,
}

/// Adds the condition that a live grant of the user's covers the moment that stands in a column of `a`, the row.
pub(crate) fn covers_row(sql: Sql, user: UserId, scope: AuditScope, at: &'static str) -> Sql {
    sql.push(" AND log.is_granted(s.clinic, ")
        .bind(user.0)
        .push(", ")
        .bind(<&str>::from(scope))
        .push(", a.")
        .push(at)
        .push(", a.")
        .push(at)
        .push(")")
}

/// Whether a live grant of the asker's covers the capability and all that was recorded in the span.
pub(crate) async fn cover(reader: &Reader, capability: Capability, span: Span) -> Result<bool, Problem> {
    let Some(scope) = scope_of(capability) else { return Ok(false) };
    let sql = Sql::new("log.is_granted(s.clinic, ")
        .bind(reader.scope().user().0)
        .push(", ")
        .bind(<&str>::from(scope))
        .push(", ")
        .bind(span.from)
        .push(", ")
        .bind(span.to)
        .push(") AS granted");
    let answer = reader.one::<Answer>(Select::from_log(sql)).await?.value;
    Ok(answer.is_some_and(|answer| answer.granted))
}

#[cfg(test)]
mod tests {
    use events::Role;
    use service_kit::{
        Limit,
        access::{Cell, cell},
    };
    use strum::VariantArray;

    use super::*;

    #[test]
    fn a_grant_opens_what_an_auditor_has_by_grant_alone_and_nothing_else() {
        for capability in Capability::VARIANTS {
            let by_grant = matches!(
                cell(*capability, Role::Auditor),
                Cell::ReadWithin(Limit::Grant) | Cell::Within(Limit::Grant) | Cell::WriteWithin(Limit::Grant)
            );
            assert_eq!(scope_of(*capability).is_some(), by_grant, "{capability}");
        }
        let named: Vec<_> = Capability::VARIANTS.iter().filter_map(|capability| scope_of(*capability)).collect();
        assert!(AuditScope::VARIANTS.iter().all(|scope| named.contains(scope)));
    }
}
