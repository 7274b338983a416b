//! Where access records go.

use event_store::{AccessRecord, AppendError, Store};
use events::ClinicId;
use futures::{FutureExt, future::BoxFuture};

/// Where it is written who saw what: the log. A benchmark of what that costs has another one.
pub trait Ledger: Send + Sync {
    /// Returns once the record is durable; what it speaks of is shown after that.
    fn record(&self, clinic: ClinicId, record: AccessRecord) -> BoxFuture<'_, Result<(), AppendError>>;
}

impl Ledger for Store {
    fn record(&self, clinic: ClinicId, record: AccessRecord) -> BoxFuture<'_, Result<(), AppendError>> {
        self.record_access(clinic, record).map(|recorded| recorded.map(drop)).boxed()
    }
}
