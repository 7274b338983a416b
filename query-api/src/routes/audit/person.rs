//! A patient of whom somebody asks who knows what.

use events::PatientId;
use serde::de::IgnoredAny;
use service_kit::{Capability, Limit, Problem};
use uuid::Uuid;

use crate::{audit::same_person, reader::Reader, scope::Select, sql::Sql};

pub(super) struct Person {
    /// All ids of the same person.
    pub(super) ids: Vec<Uuid>,
    pub(super) asks_themselves: bool,
}

impl Person {
    /// For who reads the audit trail, and for the patient; else 403, recorded. 404 where the record has no such
    /// patient; one who was erased was there.
    pub(super) async fn of(reader: &Reader, patient: PatientId) -> Result<Self, Problem> {
        let reach = reader.may_read(Capability::Audit).await?;
        let own = reader.scope().patient() == Some(patient) && reach.covers(Limit::OwnAccessLog);
        if !reach.is_everything() && !own {
            return Err(reader.refuse(Capability::Audit).await);
        }
        if reader.all::<IgnoredAny>(first_of_chart(patient)).await?.value.is_empty() {
            return Err(Problem::not_found());
        }
        Ok(Self { ids: same_person(reader, patient).await?, asks_themselves: !reach.is_everything() })
    }
}

fn first_of_chart(patient: PatientId) -> Select {
    let sql = Sql::new("1 FROM log.event e WHERE e.clinic = s.clinic AND e.patient_version = 1 AND e.patient = ");
    Select::from_log(sql.bind(patient.0))
}
