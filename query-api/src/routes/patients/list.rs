//! The list of a clinic's patients.

use aide::axum::{ApiRouter, routing::get_with};
use events::{PatientId, patient::PatientStatus, values::Gender};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{Capability, ListQuery, Problem, page::List};

use super::{
    MODELS,
    body::{PatientSummary, SUMMARY, SummaryRow},
};
use crate::{
    QueryState,
    audience::Audience,
    disclosure::{Disclosed, Subjects, disclose},
    reader::Reader,
    scope::{Reflected, Select},
    sort::Sort,
    sql::Sql,
};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PatientFilters {
    /// Without it: all but merged and erased ones.
    status: Option<PatientStatus>,
    gender: Option<Gender>,
    #[serde(default)]
    sort: PatientSort,
}

/// Numbers count up, so this is the order of registration too.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
enum PatientSort {
    #[default]
    #[serde(rename = "number")]
    Number,
    #[serde(rename = "-number")]
    NumberDescending,
}

impl PatientSort {
    fn sort(self) -> Sort {
        let key = "(p.number, p.id)";
        match self {
            Self::Number => Sort::ascending(key, "p.number, p.id"),
            Self::NumberDescending => Sort::descending(key, "p.number DESC, p.id DESC"),
        }
    }
}

/// Where a page ended. A number says nothing about a person.
#[derive(Serialize, Deserialize)]
struct Last(String, PatientId);

fn select(query: &ListQuery<PatientFilters>, audience: Audience) -> Result<Select, Problem> {
    let sql = Sql::new(SUMMARY)
        .push(" WHERE p.clinic_id = s.clinic")
        .bind_some(" AND p.id = ", audience.only.map(|own| own.0))
        .bind_some(" AND p.gender = ", query.filters.gender.map(|gender| gender.to_string()));
    let sql = match query.filters.status {
        Some(status) => sql.push(" AND p.status = ").bind(status.to_string()),
        // A literal: the planner knows how common it is, and a parameter it guesses about.
        None => sql.push(" AND p.status NOT IN ('merged', 'erased')"),
    };
    let sql = match audience.restricted {
        true => sql,
        false => sql.push(" AND p.confidentiality = 'normal'"),
    };
    let sort = query.filters.sort.sort();
    let after = query.after::<Last>()?.map(|Last(number, id)| (number, id.0));
    Ok(Select::new(MODELS, sort.page(sql, after, query.fetch())))
}

async fn list(reader: Reader, query: ListQuery<PatientFilters>) -> Result<Disclosed<List<PatientSummary>>, Problem> {
    let audience = Audience::of(&reader, Capability::PatientRead).await?;
    let Reflected { value: rows, position } = reader.all::<SummaryRow>(select(&query, audience)?).await?;
    let now = reader.now();
    let patients: Vec<PatientSummary> = rows.into_iter().map(|row| row.shown(now)).collect();
    let page = query.answer(patients, position, |patient| Last(patient.number.clone(), patient.id));
    let shown = Subjects::listed(page.items().iter().map(|patient| patient.id));
    disclose(&reader, Capability::PatientRead, shown, page).await
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new().api_route(
        "/patients",
        get_with(list, |op| {
            op.id("listPatients").tag("Patients").summary("The clinic's patients").description(
                "By number, which is the order of registration. Restricted records are listed for doctors and \
                 administrators alone; a portal login sees its own patient.",
            )
        }),
    )
}
