//! The versions of one resource: who made each, when and why.

use events::PatientId;
use service_kit::{ListQuery, Path, Problem, page::List};

use super::{
    ClinicalResource,
    one::{Found, find},
};
use crate::{
    disclosure::{Disclosed, Subjects, disclose},
    past::end_of_history,
    reader::Reader,
    routes::{ById, history::ChartEntry, patients::one::When},
    scope::{Reflected, Select},
    sql::Sql,
};

pub(super) async fn history<R: ClinicalResource>(
    reader: Reader,
    Path(path): Path<ById>,
    query: ListQuery<When>,
) -> Result<Disclosed<List<ChartEntry>>, Problem> {
    let Found { row, group, .. } = find::<R>(&reader, path.id).await?;
    let patient: PatientId = R::place(&row.value).patient;
    let upto = end_of_history(&reader, &group.ids(), query.filters.as_of).await?;
    let sql = Sql::new(ChartEntry::COLUMNS)
        .push(" FROM log.event e WHERE e.clinic = s.clinic AND e.ledger = 1 AND e.stream_kind = ")
        .bind(R::KIND.as_str())
        .push(" AND e.stream_id = ")
        .bind(path.id)
        .bind_some(" AND e.position <= ", upto)
        .bind_some(" AND e.stream_version < ", query.after::<i64>()?)
        .push(" ORDER BY e.stream_version DESC LIMIT ")
        .bind(query.fetch());
    let Reflected { value: entries, position } = reader.all::<ChartEntry>(Select::from_record(sql)).await?;
    let page = query.answer(entries, upto.unwrap_or(position), |entry: &ChartEntry| entry.version);
    disclose(&reader, R::CAPABILITY, Subjects::person(patient, []), page).await
}
