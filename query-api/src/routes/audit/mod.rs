//! The audit trail: the record, the access ledger, and both laid together; one entry of either, with all that
//! its hash covers.

mod one;
mod trail;

use aide::axum::ApiRouter;

use crate::QueryState;

pub(super) fn routes() -> ApiRouter<QueryState> {
    trail::routes().merge(one::routes())
}
