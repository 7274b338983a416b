//! What an auditor was granted.

use events::{ClinicId, UserId, clinic::AuditScope, values::Span};

use super::{Store, StoreError};

impl Store {
    /// Whether a grant that lives now lets the auditor see this kind of data of all of the span. Asked of the log:
    /// a grant that was revoked is over with the commit, everywhere.
    pub async fn is_granted(
        &self,
        clinic: ClinicId,
        auditor: UserId,
        scope: AuditScope,
        span: Span,
    ) -> Result<bool, StoreError> {
        let granted =
            sqlx::query_scalar("SELECT log.is_granted(s.clinic, $2, $3, $4, $5) FROM log.scope($1) AS s(clinic)")
                .bind(clinic.0)
                .bind(auditor.0)
                .bind(<&str>::from(scope))
                .bind(span.from)
                .bind(span.to)
                .fetch_one(&self.reads)
                .await?;
        Ok(granted)
    }
}
