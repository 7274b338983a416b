//! Of which patients an asker may see data, and which of it.

use std::collections::HashSet;

use events::{PatientId, Role, patient::Confidentiality};
use serde::Deserialize;
use service_kit::{Capability, Limit, Problem, Reach};
use uuid::Uuid;

use crate::{reader::Reader, scope::Select, sql::Sql};

/// The patients that an asker may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Audience {
    /// A portal login sees this patient alone.
    pub only: Option<PatientId>,
    /// Whether restricted records are seen.
    pub restricted: bool,
}

impl Audience {
    /// Of who asks for `capability`; 403, recorded, where the roles do not allow it.
    pub(crate) async fn of(reader: &Reader, capability: Capability) -> Result<Self, Problem> {
        let reach = reader.may_read(capability).await?;
        match (reach, reader.scope().patient()) {
            (Reach::Everything, _) => Ok(Self { only: None, restricted: sees_restricted(reader) }),
            // A patient's own restricted record is theirs to see.
            (reach, Some(patient)) if reach.covers(Limit::Own) => Ok(Self { only: Some(patient), restricted: true }),
            _ => Err(reader.refuse(capability).await),
        }
    }

    /// The patient to narrow to, where the request names `asked`; 403, recorded, for somebody else's.
    pub(crate) async fn narrowed(
        self,
        reader: &Reader,
        capability: Capability,
        asked: Option<PatientId>,
    ) -> Result<Option<PatientId>, Problem> {
        match (self.only, asked) {
            (Some(own), Some(other)) if own != other => Err(reader.refuse(capability).await),
            (own, asked) => Ok(asked.or(own)),
        }
    }

    pub(crate) fn sees(self, confidentiality: Confidentiality) -> bool {
        self.restricted || confidentiality == Confidentiality::Normal
    }
}

/// Doctors, and the clinic's administrators.
pub(crate) fn sees_restricted(reader: &Reader) -> bool {
    reader.scope().has(Role::Doctor) || reader.scope().has(Role::ClinicAdmin)
}

/// Those of the patients of whom no id of the same person is restricted.
pub(crate) async fn unrestricted(reader: &Reader, patients: Vec<Uuid>) -> Result<HashSet<Uuid>, Problem> {
    let sql = Sql::new(
        "g.asked AS id FROM (WITH RECURSIVE person(asked, id) AS (SELECT p.id, p.id FROM read.patient_1 p \
         WHERE p.clinic_id = s.clinic AND p.id = ANY(",
    )
    .bind(patients)
    .push(
        ") UNION SELECT person.asked, other.id FROM person \
         JOIN read.patient_1 p ON p.clinic_id = s.clinic AND p.id = person.id CROSS JOIN LATERAL ( \
         SELECT p.merged_into AS id UNION ALL SELECT m.id::uuid FROM jsonb_array_elements_text(p.merged_ids) m(id)) other \
         WHERE other.id IS NOT NULL) \
         SELECT person.asked FROM person LEFT JOIN read.patient_1 p ON p.clinic_id = s.clinic AND p.id = person.id \
         GROUP BY person.asked HAVING bool_and(p.confidentiality IS NOT DISTINCT FROM 'normal')) g",
    );
    ids(reader, Select::new(&["patient_1"], sql)).await
}

/// Those of the patients whose keys are fenced, which is done with the last event of their charts: for a moment the keys
/// still open what they sealed, and the read models still have it.
pub(crate) async fn erased(reader: &Reader, patients: Vec<Uuid>) -> Result<HashSet<Uuid>, Problem> {
    let sql = Sql::new("k.patient AS id FROM log.patient_key k WHERE k.clinic = s.clinic AND k.patient = ANY(")
        .bind(patients)
        .push(") AND (k.fenced_at IS NOT NULL OR k.destroyed_at IS NOT NULL)");
    ids(reader, Select::from_log(sql)).await
}

#[derive(Deserialize)]
struct Found {
    id: Uuid,
}

/// The ids that a query finds, in its column `id`.
async fn ids(reader: &Reader, select: Select) -> Result<HashSet<Uuid>, Problem> {
    Ok(reader.all::<Found>(select).await?.value.into_iter().map(|found| found.id).collect())
}
