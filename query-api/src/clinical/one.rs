//! One resource, today or then.

use service_kit::{
    AsOf, Path, Problem, Query,
    answer::Resource,
    etag::{ETag, IfNoneMatch},
};
use uuid::Uuid;

use super::{ClinicalResource, Sight, door::admitted};
use crate::{
    disclosure::{Disclosed, Subjects, disclose},
    past::Past,
    reader::Reader,
    routes::{
        ById,
        patients::{Group, one::When},
    },
    scope::{Reflected, Select},
    sql::Sql,
};

/// A row whose patient's record the asker may see, and how they see it.
pub(crate) struct Found<R: ClinicalResource> {
    pub row: Reflected<R::Row>,
    pub group: Group,
    pub sight: Sight,
}

/// 404 also for what the asker does not see.
pub(crate) async fn find<R: ClinicalResource>(reader: &Reader, id: Uuid) -> Result<Found<R>, Problem> {
    if !reader.may_break_glass() {
        Sight::of::<R>(reader).await?;
    }
    let sql = Sql::new("a.* FROM ").push(R::TABLE).push(" a WHERE a.clinic_id = s.clinic AND a.id = ").bind(id);
    let row = reader.one::<R::Row>(Select::new(R::MODELS, sql)).await?;
    let Some(patient) = row.value.as_ref().map(|row| R::place(row).patient) else {
        // Who sees none of them is not told that there is none of this id.
        Sight::of::<R>(reader).await?;
        return Err(Problem::not_found());
    };
    let (group, sight) = admitted::<R>(reader, patient).await?;
    let row = row.found()?;
    match sight.shows::<R>(reader, &row.value).await? {
        true => Ok(Found { row, group: group.value, sight }),
        false => Err(Problem::not_found()),
    }
}

/// A row as it is or was, completed by what its answer shows besides.
pub(crate) struct Shown<R: ClinicalResource> {
    pub row: Reflected<R::Row>,
    /// Of today or, where it is of a past, of then.
    pub group: Group,
    pub sight: Sight,
    pub past: Option<Past>,
}

/// 404 also for what the asker does not see, or did not then.
pub(crate) async fn shown<R: ClinicalResource>(
    reader: &Reader,
    id: Uuid,
    as_of: Option<AsOf>,
) -> Result<Shown<R>, Problem> {
    let Found { mut row, mut group, sight } = find::<R>(reader, id).await?;
    let patient = R::place(&row.value).patient;
    let mut past = None;
    if let Some(as_of) = as_of {
        let read = Past::look_back(reader, patient, &group.ids(), as_of).await?;
        let then = read.rows::<R>().get(&id).cloned().ok_or_else(Problem::not_found)?;
        if !sight.shows::<R>(reader, &then).await? {
            return Err(Problem::not_found());
        }
        group = Group::of_past(patient, &read).ok_or_else(Problem::not_found)?;
        row = Reflected { value: then, position: read.moment.position };
        past = Some(read);
    }
    R::complete(reader, past.as_ref(), std::slice::from_mut(&mut row.value)).await?;
    Ok(Shown { row, group, sight, past })
}

pub(super) async fn one<R: ClinicalResource>(
    reader: Reader,
    Path(path): Path<ById>,
    Query(when): Query<When>,
    known: IfNoneMatch,
) -> Result<Disclosed<Resource<R::Answer>>, Problem> {
    let Shown { row: Reflected { value: row, position }, sight, .. } = shown::<R>(&reader, path.id, when.as_of).await?;
    let place = R::place(&row);
    let tag = ETag::of_resource(place.version, place.position);
    let answer = Resource::new(R::answer(row, &sight), tag, position).unless(&known);
    disclose(&reader, R::CAPABILITY, Subjects::person(place.patient, []), answer).await
}
