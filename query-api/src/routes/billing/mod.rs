//! Money: charges, invoices, and the clinic's money of a day.

mod charges;
mod invoices;
mod summary;

use aide::axum::ApiRouter;
use read_models::{charge::Charges, invoice::Invoices};

pub use invoices::Invoice;

use crate::{QueryState, clinical};

pub(super) fn routes() -> ApiRouter<QueryState> {
    clinical::routes::<Charges>().merge(clinical::routes::<Invoices>()).merge(summary::routes())
}
