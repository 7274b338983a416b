//! One patient's record.

use aide::axum::{ApiRouter, routing::get_with};
use events::PatientId;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{
    AsOf, Capability, Path, Problem, Query,
    answer::Resource,
    etag::{ETag, IfNoneMatch},
};

use super::{Group, Patient, group::View};
use crate::{
    QueryState,
    audience::Audience,
    disclosure::{Disclosed, Subjects, disclose},
    past::{Moment, Past},
    reader::Reader,
    routes::ById,
    scope::Reflected,
};

/// The group of a patient whom the asker may see in `capability`; 404 where there is none, 410 for who is erased, 403,
/// recorded, for somebody else's record and for a restricted one.
pub(crate) async fn visible(
    reader: &Reader,
    capability: Capability,
    patient: PatientId,
) -> Result<Reflected<Group>, Problem> {
    if !reader.may_break_glass() {
        let audience = audience(reader, capability, patient).await?;
        let group = there(reader, patient, Group::read(reader, patient).await?).await?;
        return admit(reader, capability, audience, group).await;
    }
    // Broken glass shows what roles do not, and the statement says whether there is any.
    let group = Group::read(reader, patient).await?;
    if group.value.as_ref().is_some_and(|group| reader.emergency(&group.ids()).is_some()) {
        return there(reader, patient, group).await;
    }
    let audience = audience(reader, capability, patient).await?;
    admit(reader, capability, audience, there(reader, patient, group).await?).await
}

/// 404 where there is no such patient, 410 for who is erased.
pub(crate) async fn there(
    reader: &Reader,
    patient: PatientId,
    group: Reflected<Option<Group>>,
) -> Result<Reflected<Group>, Problem> {
    let group = group.found()?;
    group.value.not_erased()?;
    Group::not_erased_since(reader, patient).await?;
    Ok(group)
}

async fn audience(reader: &Reader, capability: Capability, patient: PatientId) -> Result<Audience, Problem> {
    let audience = Audience::of(reader, capability).await?;
    audience.narrowed(reader, capability, Some(patient)).await?;
    Ok(audience)
}

async fn admit(
    reader: &Reader,
    capability: Capability,
    audience: Audience,
    group: Reflected<Group>,
) -> Result<Reflected<Group>, Problem> {
    match audience.sees(group.value.confidentiality()) {
        true => Ok(group),
        false => Err(reader.refuse(capability).await),
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct When {
    /// What the record said then.
    pub(crate) as_of: Option<AsOf>,
}

/// The group as it was; 404 where there was no such patient yet.
async fn earlier(
    reader: &Reader,
    patient: PatientId,
    group: &Group,
    as_of: AsOf,
) -> Result<(Reflected<Group>, Moment), Problem> {
    let past = Past::look_back(reader, patient, &group.ids(), as_of).await?;
    let value = Group::of_past(patient, &past).ok_or_else(Problem::not_found)?;
    Ok((Reflected { value, position: past.moment.position }, past.moment))
}

async fn one(
    reader: Reader,
    Path(path): Path<ById>,
    Query(when): Query<When>,
    known: IfNoneMatch,
) -> Result<Disclosed<Resource<Patient>>, Problem> {
    let patient = PatientId(path.id);
    let mut read = visible(&reader, Capability::PatientRead, patient).await?;
    let mut now = reader.now();
    if let Some(as_of) = when.as_of {
        let (group, moment) = earlier(&reader, patient, &read.value, as_of).await?;
        (read, now) = (group, moment.recorded_at);
    }
    let Reflected { value: group, position } = read;
    let tag = ETag::of_resource(group.asked().version, group.position());
    let answer = Resource::new(group.shown(View::of(&reader), now), tag, position).unless(&known);
    disclose(&reader, Capability::PatientRead, Subjects::person(patient, group.ids()), answer).await
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new().api_route(
        "/patients/{id}",
        get_with(one, |op| {
            op.id("getPatient").tag("Patients").summary("One patient's record").description(
                "A merged patient is answered with the survivor's demographics and with what was recorded under any \
                 id of the group. Allergies, problems and consents are members only for who may see them. `as_of` \
                 answers what the record said then.",
            )
        }),
    )
}
