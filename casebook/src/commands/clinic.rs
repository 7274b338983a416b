//! How a person names a clinic.

use anyhow::{Context, Result};
use event_store::Store;
use events::ClinicId;
use uuid::Uuid;

/// By id, or by slug.
///
/// # Errors
/// When no clinic has this slug.
pub async fn find(store: &Store, named: Option<&str>) -> Result<Option<ClinicId>> {
    let Some(named) = named else { return Ok(None) };
    if let Ok(id) = Uuid::parse_str(named) {
        return Ok(Some(ClinicId(id)));
    }
    let found = store.clinic_by_slug(named).await?;
    found.map(Some).with_context(|| format!("there is no clinic {named}"))
}
