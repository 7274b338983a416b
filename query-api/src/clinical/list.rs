//! Lists: the clinic's, and one person's, today or then. The latest first.

use chrono::{DateTime, Utc};
use events::PatientId;
use serde::{Deserialize, Serialize};
use service_kit::{AsOf, ListQuery, Path, Problem, page::List};
use uuid::Uuid;

use super::{ClinicalResource, Filters, Sight, door::admitted};
use crate::{
    audience::unrestricted,
    disclosure::{Disclosed, Subjects, disclose},
    past::Past,
    reader::Reader,
    routes::ById,
    scope::{Reflected, Select},
    sql::Sql,
};

/// Where a page ended.
#[derive(Serialize, Deserialize)]
struct Last(DateTime<Utc>, Uuid);

impl Last {
    fn of<R: ClinicalResource>(row: &R::Row) -> Self {
        let place = R::place(row);
        Self(place.at, place.id)
    }
}

pub(super) async fn list<R: ClinicalResource>(
    reader: Reader,
    query: ListQuery<R::Filters>,
) -> Result<Disclosed<List<R::Answer>>, Problem> {
    // Broken glass opens one patient's record, so only a list of that patient.
    let asked = match query.filters.patient() {
        Some(patient) => Some(patient),
        None => Sight::of::<R>(&reader).await?.own,
    };
    match (asked, query.filters.as_of()) {
        (Some(patient), _) => of_person::<R>(&reader, patient, query).await,
        (None, None) => of_clinic::<R>(&reader, query).await,
        (None, Some(_)) => Err(Problem::parameter(
            "as_of",
            "A list of the past names one patient: add `patient`, or ask a `replay` of the whole clinic.",
        )),
    }
}

pub(super) async fn of_patient<R: ClinicalResource>(
    reader: Reader,
    Path(path): Path<ById>,
    query: ListQuery<R::Filters>,
) -> Result<Disclosed<List<R::Answer>>, Problem> {
    match query.filters.patient() {
        Some(_) => Err(Problem::parameter("patient", "The path names the patient.")),
        None => of_person::<R>(&reader, PatientId(path.id), query).await,
    }
}

async fn of_clinic<R: ClinicalResource>(
    reader: &Reader,
    query: ListQuery<R::Filters>,
) -> Result<Disclosed<List<R::Answer>>, Problem> {
    let sight = Sight::of::<R>(reader).await?;
    let sql = Sql::new("a.* FROM ").push(R::TABLE).push(
        " a LEFT JOIN read.patient_1 p ON p.clinic_id = s.clinic AND p.id = a.patient_id \
             WHERE a.clinic_id = s.clinic AND p.status IS DISTINCT FROM 'erased'",
    );
    let Reflected { value: mut rows, position } = page::<R>(reader, &sight, &query, sql).await?;
    R::complete(reader, None, &mut rows).await?;
    let patients = rows.iter().map(|row| R::place(row).patient.0).collect();
    let open = match sight.restricted {
        true => None,
        false => Some(unrestricted(reader, patients).await?),
    };
    let sees = |patient: PatientId| open.as_ref().is_none_or(|open| open.contains(&patient.0));
    let page = query.answer(rows, position, Last::of::<R>);
    let mut shown = Vec::new();
    let page = page.filter_map(|row| {
        let patient = R::place(&row).patient;
        sees(patient).then(|| {
            shown.push(patient);
            R::answer(row, &sight)
        })
    });
    disclose(reader, R::CAPABILITY, Subjects::listed(shown), page).await
}

async fn of_person<R: ClinicalResource>(
    reader: &Reader,
    patient: PatientId,
    query: ListQuery<R::Filters>,
) -> Result<Disclosed<List<R::Answer>>, Problem> {
    let (group, sight) = admitted::<R>(reader, patient).await?;
    let group = group.value.ids();
    if let Some(as_of) = query.filters.as_of() {
        return earlier::<R>(reader, patient, &group, sight, query, as_of).await;
    }
    let ids: Vec<Uuid> = group.iter().map(|id| id.0).collect();
    let sql = Sql::new("a.* FROM ")
        .push(R::TABLE)
        .push(" a WHERE a.clinic_id = s.clinic AND a.patient_id = ANY(")
        .bind(ids)
        .push(")");
    let Reflected { value: mut rows, position } = page::<R>(reader, &sight, &query, sql).await?;
    R::complete(reader, None, &mut rows).await?;
    let page = query.answer(rows, position, Last::of::<R>).filter_map(|row| Some(R::answer(row, &sight)));
    disclose(reader, R::CAPABILITY, Subjects::person(patient, group), page).await
}

/// One row more than the page holds.
async fn page<R: ClinicalResource>(
    reader: &Reader,
    sight: &Sight,
    query: &ListQuery<R::Filters>,
    sql: Sql,
) -> Result<Reflected<Vec<R::Row>>, Problem> {
    let sql = query.filters.select(sight.narrow::<R>(sql));
    let sql = match query.after::<Last>()? {
        Some(Last(at, id)) => {
            sql.push(" AND (a.").push(R::AT).push(", a.id) < (").bind(at).push(", ").bind(id).push(")")
        }
        None => sql,
    };
    let sql = sql.push(" ORDER BY a.").push(R::AT).push(" DESC, a.id DESC LIMIT ").bind(query.fetch());
    reader.all::<R::Row>(Select::new(R::MODELS, sql)).await
}

/// A person's resources as they were, filtered and cut into pages as those of today are.
async fn earlier<R: ClinicalResource>(
    reader: &Reader,
    patient: PatientId,
    group: &[PatientId],
    sight: Sight,
    query: ListQuery<R::Filters>,
    as_of: AsOf,
) -> Result<Disclosed<List<R::Answer>>, Problem> {
    let past = Past::look_back(reader, patient, group, as_of).await?;
    let after = query.after::<Last>()?.map(|Last(at, id)| (at, id));
    let mut rows = Vec::new();
    for (_, row) in past.rows::<R>().into_sorted() {
        let place = R::place(&row);
        let is_after = after.is_none_or(|after| (place.at, place.id) < after);
        if is_after && query.filters.takes(&row) && sight.shows::<R>(reader, &row).await? {
            rows.push(row);
        }
    }
    R::complete(reader, Some(&past), &mut rows).await?;
    rows.sort_by_key(|row| std::cmp::Reverse((R::place(row).at, R::place(row).id)));
    let page = query.answer(rows, past.moment.position, Last::of::<R>).filter_map(|row| Some(R::answer(row, &sight)));
    disclose(reader, R::CAPABILITY, Subjects::person(patient, past.group()), page).await
}
