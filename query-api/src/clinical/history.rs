//! The versions of one resource: who made each, when and why.

use events::{AggregateKind, PatientId};
use service_kit::{ListQuery, Path, Problem, page::List};
use uuid::Uuid;

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
    let page = versions(&reader, R::KIND, path.id, &group.ids(), query).await?;
    disclose(&reader, R::CAPABILITY, Subjects::person(patient, []), page).await
}

/// A page of the versions of a resource that the asker may see, in the record of a person with these ids.
pub(crate) async fn versions(
    reader: &Reader,
    kind: AggregateKind,
    id: Uuid,
    group: &[PatientId],
    query: ListQuery<When>,
) -> Result<List<ChartEntry>, Problem> {
    let upto = end_of_history(reader, group, query.filters.as_of).await?;
    let sql = Sql::new(ChartEntry::COLUMNS)
        .push(" FROM log.event e WHERE e.clinic = s.clinic AND e.ledger = 1 AND e.stream_kind = ")
        .bind(kind.as_str())
        .push(" AND e.stream_id = ")
        .bind(id)
        .bind_some(" AND e.position <= ", upto)
        .bind_some(" AND e.stream_version < ", query.after::<i64>()?)
        .push(" ORDER BY e.stream_version DESC LIMIT ")
        .bind(query.fetch());
    let Reflected { value: entries, position } = reader.all::<ChartEntry>(Select::from_record(sql)).await?;
    Ok(query.answer(entries, upto.unwrap_or(position), |entry: &ChartEntry| entry.version))
}
