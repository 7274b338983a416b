//! The announcement of a document: what will come, and room for it.

use chrono::TimeDelta;
use events::{
    DocumentEvent, DocumentId, PatientId,
    document::{DocumentKind, DocumentText, Owner},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Document, owner, state::content_hash};
use crate::{
    Context, Decision, Facts, Read, Refusal, Usage,
    patient::{Group, Life},
    values::{MediaType, Name, Sha256, Text, Whole},
};

/// More than any store takes: what an installation accepts is its configuration's to say.
const SIZE_MAX_BYTES: i64 = 1 << 40;

/// The size of a content, in bytes.
pub type ContentBytes = Whole<1, SIZE_MAX_BYTES>;

/// Announces a document and reserves room for it. Its content is then sent to `PUT …/documents/{id}/content`, in
/// time (an hour, unless the installation says otherwise), whole and as it was announced; else the room is given back and the document has to be announced anew.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UploadDocument {
    /// A UUIDv7 of the client's choice.
    #[serde(default)]
    pub id: Option<DocumentId>,
    pub patient_id: PatientId,
    pub kind: DocumentKind,
    /// What it belongs to: a note, an observation or a procedure of a dental chart, a case study; itself, where it is
    /// left out.
    #[serde(default = "itself")]
    pub owner: Owner,
    pub title: Name,
    #[serde(default)]
    pub description: Option<Text<2000>>,
    pub media_type: MediaType,
    /// Of the content, in bytes.
    pub size: ContentBytes,
    /// Of the content.
    pub sha256: Sha256,
    /// How long room is kept for it: the installation's to say, not the client's.
    #[serde(skip, default = "an_hour")]
    pub upload_within: TimeDelta,
}

fn itself() -> Owner {
    Owner::Document
}

fn an_hour() -> TimeDelta {
    TimeDelta::hours(1)
}

impl UploadDocument {
    /// The person, what it is to belong to, and room for it.
    pub(super) fn reads(&self, facts: &Facts) -> Vec<Read> {
        let owner = owner::reads(self.owner, self.patient_id, facts);
        Group::reads(self.patient_id, facts).into_iter().chain(owner).chain(Usage::Storage.read(facts)).collect()
    }

    pub(super) fn decide(
        self,
        state: Option<&Document>,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        if state.is_some() {
            return Err(Refusal::conflict("duplicate", "There is a document with this id already.").at("/id"));
        }
        let clinic = context.in_clinic()?;
        let person = self.person(facts)?;
        owner::check(self.owner, &person, facts, context)?;
        let size = self.size.get();
        let room = Usage::Storage.room_for(size, clinic, facts)?;
        let registered = DocumentEvent::DocumentRegistered {
            patient: self.patient_id,
            kind: self.kind,
            owner: self.owner,
            media_type: self.media_type.into(),
            size,
            content_hash: content_hash(context.pseudonyms, self.sha256.as_str()),
            by: context.actor.user,
            upload_until: context.now + self.upload_within,
            sealed: DocumentText {
                title: self.title.into(),
                description: self.description.map(Into::into),
                sha256: self.sha256.into(),
            }
            .into(),
        };
        Ok(Decision::one(context.target, registered).within(room))
    }

    /// Papers come in after a death, and of somebody who is not seen any more.
    fn person<'f>(&self, facts: &'f Facts) -> Result<Group<'f>, Refusal> {
        let person = Group::find(self.patient_id, facts).map_err(|refusal| refusal.at("/patient_id"))?;
        match person.life() {
            Life::Active | Life::Inactive | Life::Deceased => Ok(person),
            Life::Erased => Err(Refusal::gone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use events::clinic::Limits;
    use serde_json::json;

    use super::{super::sample::*, *};
    use crate::testing::{body, id};

    #[test]
    fn an_announcement_takes_room_and_says_nothing_of_the_content_in_clear() {
        let mut world = desk();
        let events = world.document(id(1), announced(json!({"size": 700}))).unwrap();
        assert_eq!(world.counter("usage/storage"), 700);
        let clear = String::from_utf8(events::codec::encode(&events[0]).payload).unwrap();
        assert!(!clear.contains(SHA256) && !clear.contains("summary"), "{clear}");
    }

    #[test]
    fn room_is_given_as_far_as_the_limit_reaches() {
        let mut world = desk();
        let limits = Limits { storage: Some(1_000), ..events::clinic::Plan::Enterprise.limits() };
        world.given(world.clinic, events::ClinicEvent::LimitsSet { limits: Some(limits) });
        world.document(id(1), announced(json!({"size": 600}))).unwrap();
        let refused = world.document(id(2), announced(json!({"size": 401}))).unwrap_err();
        assert_eq!(refused.code, "quota-exceeded");
        assert_eq!(refused.extra, [("limit", json!(1_000)), ("used", json!(600))]);
        world.document(id(2), announced(json!({"size": 400}))).unwrap();
    }

    #[test]
    fn papers_come_for_whoever_is_on_record_and_not_erased() {
        let mut world = desk();
        world.patient(id(1), body::<crate::patient::RecordDeath>(json!({}))).unwrap();
        world.document(id(1), announced(json!({}))).unwrap();
        let nobody = announced(json!({"patient_id": id::<PatientId>(9)}));
        assert_eq!(world.document(id(2), nobody).unwrap_err().code, "not-found");
        let erased = events::PatientEvent::PatientErased {
            cause: events::patient::ErasureCause::Approved,
            was: world.state::<crate::Patient>(id::<PatientId>(1)).unwrap().standing(),
        };
        world.given(id::<PatientId>(1), erased);
        assert_eq!(world.document(id(3), announced(json!({}))).unwrap_err().code, "erased");
    }

    #[test]
    fn an_id_is_taken_once() {
        let mut world = desk();
        world.document(id(1), announced(json!({}))).unwrap();
        assert_eq!(world.document(id(1), announced(json!({}))).unwrap_err().code, "duplicate");
    }
}
