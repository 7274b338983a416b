//! Dental charts, and the clinic's templates of dental treatment.

mod chart;
mod proposals;
mod templates;

use aide::axum::ApiRouter;

use crate::QueryState;

pub(super) fn routes() -> ApiRouter<QueryState> {
    chart::routes().merge(proposals::routes()).merge(templates::routes())
}
