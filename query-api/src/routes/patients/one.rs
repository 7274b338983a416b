//! One patient's record.

use aide::axum::{ApiRouter, routing::get_with};
use chrono::Utc;
use events::PatientId;
use service_kit::{
    Capability, Path, Problem,
    answer::Resource,
    etag::{ETag, IfNoneMatch},
};

use super::{Group, Patient, group::View};
use crate::{
    QueryState,
    audience::Audience,
    disclosure::{Disclosed, disclose},
    reader::Reader,
    routes::ById,
    scope::Reflected,
};

/// The group of a patient whom the asker may see in `capability`; 404 where there is none, 403, recorded, for
/// somebody else's record and for a restricted one.
pub(crate) async fn visible(
    reader: &Reader,
    capability: Capability,
    patient: PatientId,
) -> Result<Reflected<Group>, Problem> {
    let audience = Audience::of(reader, capability).await?;
    audience.narrowed(reader, capability, Some(patient)).await?;
    let group = Group::read(reader, patient).await?.found()?;
    match audience.sees(group.value.confidentiality()) {
        true => Ok(group),
        false => Err(reader.refuse(capability).await),
    }
}

async fn one(
    reader: Reader,
    Path(path): Path<ById>,
    known: IfNoneMatch,
) -> Result<Disclosed<Resource<Patient>>, Problem> {
    let Reflected { value: group, position } = visible(&reader, Capability::PatientRead, PatientId(path.id)).await?;
    let tag = ETag::of_resource(group.asked().version, group.position());
    let answer = Resource::new(group.shown(View::of(&reader), Utc::now()), tag, position).unless(&known);
    disclose(&reader, Capability::PatientRead, &group.ids(), answer).await
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new().api_route(
        "/patients/{id}",
        get_with(one, |op| {
            op.id("getPatient").tag("Patients").summary("One patient's record").description(
                "A merged patient is answered with the survivor's demographics and with what was recorded under any \
                 id of the group. Allergies, problems and consents are members only for who may see them.",
            )
        }),
    )
}
