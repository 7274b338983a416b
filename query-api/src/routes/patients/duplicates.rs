//! Patients who may be the same person: equal phone, first name and birth date. People decide.

use aide::axum::{ApiRouter, routing::get_with};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{Capability, ListQuery, Problem, json::NoFilters, page::List};
use uuid::Uuid;

use super::{
    MODELS,
    body::{PatientSummary, SummaryRow},
};
use crate::{
    QueryState,
    audience::Audience,
    disclosure::{Disclosed, Subjects, disclose},
    reader::Reader,
    scope::{Reflected, Select},
    sql::Sql,
};

/// Patients who share phone, first name and birth date.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DuplicateCandidates {
    /// In the order of their registration.
    pub patients: Vec<PatientSummary>,
}

#[derive(Deserialize)]
struct Candidates {
    patients: Vec<SummaryRow>,
}

/// Groups in the order of their first patient, whose id is the cursor.
fn select(audience: Audience, after: Option<Uuid>, limit: i64) -> Select {
    let sql = Sql::new(
        "g.patients FROM (SELECT jsonb_agg(to_jsonb(p) || jsonb_build_object('time_zone', c.time_zone) ORDER BY p.id) \
         AS patients, (array_agg(p.id ORDER BY p.id))[1] AS first_id FROM read.patient_1 p \
         LEFT JOIN read.clinic_1 c ON c.clinic_id = s.clinic AND c.id = s.clinic \
         WHERE p.clinic_id = s.clinic AND p.phone IS NOT NULL AND p.birth_date IS NOT NULL \
         AND p.status NOT IN ('merged', 'erased')",
    );
    let sql = match audience.restricted {
        true => sql,
        false => sql.push(" AND p.confidentiality = 'normal'"),
    };
    let sql = sql
        .push(" GROUP BY p.phone, lower(p.first_name), p.birth_date HAVING count(*) > 1) g")
        .bind_some(" WHERE g.first_id > ", after)
        .push(" ORDER BY g.first_id LIMIT ")
        .bind(limit);
    Select::new(MODELS, sql)
}

async fn duplicates(
    reader: Reader,
    query: ListQuery<NoFilters>,
) -> Result<Disclosed<List<DuplicateCandidates>>, Problem> {
    let audience = Audience::of(&reader, Capability::PatientRead).await?;
    if audience.only.is_some() {
        return Err(reader.refuse(Capability::PatientRead).await);
    }
    let select = select(audience, query.after()?, query.fetch());
    let Reflected { value: groups, position } = reader.all::<Candidates>(select).await?;
    let now = reader.now();
    let shown = |group: Candidates| group.patients.into_iter().map(|row| row.shown(now)).collect();
    let groups = groups.into_iter().map(|group| DuplicateCandidates { patients: shown(group) }).collect();
    let page = query.answer(groups, position, |group: &DuplicateCandidates| group.patients[0].id);
    let patients = page.items().iter().flat_map(|group| &group.patients);
    let shown = Subjects::listed(patients.map(|patient| patient.id));
    disclose(&reader, Capability::PatientRead, shown, page).await
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new().api_route(
        "/patients/duplicates",
        get_with(duplicates, |op| {
            op.id("listDuplicateCandidates").tag("Patients").summary("Who may be the same person").description(
                "Patients with equal phone, first name and birth date. Two people may share all three: nothing is \
                 merged by itself.",
            )
        }),
    )
}
