//! Broken glass: the records that the asker has open for a while beyond what their roles show.
//!
//! Every statement of somebody who may break the glass also says what they have broken, out of the log itself: an
//! access that was ended is closed with the commit, and whoever has none open pays one look into an index.

use std::sync::{Arc, Mutex, PoisonError};

use events::{EmergencyAccessId, PatientId};
use serde::Deserialize;
use service_kit::{Authenticated, Capability, Problem};
use sqlx::{Row, postgres::PgRow, types::Json};

use crate::sql::Sql;

/// An open emergency access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
struct Open {
    access: EmergencyAccessId,
    patient: PatientId,
}

/// What the statements of one request have said. What one of them showed counts until the request is answered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Glass(Arc<Mutex<Vec<Open>>>);

impl Glass {
    /// Who can have broken any.
    pub(crate) fn may_be_broken_by(who: &Authenticated) -> bool {
        who.grant(Capability::BreakGlass).write.is_everything()
    }

    /// A column, and the join that it comes from; both empty for who cannot have broken any.
    pub(crate) fn asked(who: &Authenticated, body: &mut Sql) -> (&'static str, String) {
        if !Self::may_be_broken_by(who) {
            return ("", String::new());
        }
        let user = body.argument(who.user().0);
        let join = format!(
            "LEFT JOIN LATERAL (SELECT jsonb_agg(to_jsonb(o)) AS open FROM log.open_emergencies(s.clinic, {user}) o \
             OFFSET 0) g ON true "
        );
        (", g.open AS \"#glass\"", join)
    }

    /// Keeps what a statement says; its first row says what each says.
    pub(crate) fn take(&self, who: &Authenticated, first: Option<&PgRow>) -> Result<(), Problem> {
        let Some(row) = first.filter(|_| Self::may_be_broken_by(who)) else { return Ok(()) };
        let Some(Json(said)) = row.try_get::<Option<Json<Vec<Open>>>, _>("#glass")? else { return Ok(()) };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for open in said {
            if !known.contains(&open) {
                known.push(open);
            }
        }
        Ok(())
    }

    /// Whose records are open.
    pub(crate) fn patients(&self) -> Vec<PatientId> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().map(|open| open.patient).collect()
    }

    /// The access by which the record of one of these patients is open.
    pub(crate) fn opened(&self, patients: &[PatientId]) -> Option<EmergencyAccessId> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().find(|open| patients.contains(&open.patient)).map(|open| open.access)
    }
}
