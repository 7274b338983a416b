//! What is done with a document whose content is there.

use events::{
    DocumentEvent, DocumentId,
    document::{DocumentKind, DocumentRemark, DocumentStatus, DocumentTitle},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Document, wrong_status};
use crate::{
    Context, Facts, Read, Refusal,
    patient::Group,
    values::{Name, Reason, Text},
};

/// Files a document under another kind, or calls it something else. What is left out stays as it was.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassifyDocument {
    #[serde(default)]
    pub kind: Option<DocumentKind>,
    #[serde(default)]
    pub title: Option<Name>,
    #[serde(default)]
    pub description: Option<Text<2000>>,
}

/// Replaces a document by another one of the same person. It stays readable.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SupersedeDocument {
    /// What takes its place; not superseded itself.
    pub by_document_id: DocumentId,
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Says that the caller has read a document. Each review is recorded.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewDocument {
    #[serde(default)]
    pub remark: Option<Text<2000>>,
}

/// Releases a document to the patient, who sees it from now on.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseDocument {}

/// Strikes a document out that should never have been entered. It stays on record, and the patient no longer sees it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnterDocumentInError {
    pub reason: Reason,
}

impl ClassifyDocument {
    /// `None`: it is so already.
    pub(super) fn decide(self, document: &Document) -> Result<Option<DocumentEvent>, Refusal> {
        in_use(document, "classified")?;
        let kind = self.kind.unwrap_or(document.kind);
        if kind == document.kind && self.title.is_none() && self.description.is_none() {
            return Ok(None);
        }
        let title = DocumentTitle { title: self.title.map(Into::into), description: self.description.map(Into::into) };
        let (patient, was) = (document.patient, document.kind);
        Ok(Some(DocumentEvent::DocumentClassified { patient, was, kind, sealed: title.into() }))
    }
}

impl SupersedeDocument {
    /// The person; the other document, and the one that has taken the place already.
    pub(super) fn reads(&self, document: &Document, facts: &Facts) -> Vec<Read> {
        let mut reads = Group::reads(document.patient, facts);
        reads.push(Read::Stream(self.by_document_id.into()));
        reads.extend(document.superseded_by.map(|by| Read::Stream(by.into())));
        reads
    }

    pub(super) fn decide(
        self,
        document: &Document,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<DocumentEvent, Refusal> {
        in_use(document, "replaced")?;
        // The other one was struck out: the place is free again.
        let replaced = document.superseded_by.and_then(|by| facts.get::<Document>(by));
        if replaced.is_some_and(|by| by.status != DocumentStatus::EnteredInError) {
            return Err(wrong_status(document, "replaced again"));
        }
        self.check_other(document, facts, context)?;
        Ok(DocumentEvent::DocumentSuperseded {
            patient: document.patient,
            by: self.by_document_id,
            sealed: remark(self.reason.map(String::from)).into(),
        })
    }

    fn check_other(&self, document: &Document, facts: &Facts, context: &Context<'_>) -> Result<(), Refusal> {
        const POINTER: &str = "/by_document_id";
        let other = facts.get::<Document>(self.by_document_id);
        let other = other.ok_or_else(|| Refusal::not_found("document").at(POINTER))?;
        if self.by_document_id.0 == context.target.id {
            return Err(Refusal::rule("same-document", "A document does not replace itself.").at(POINTER));
        }
        if other.status != DocumentStatus::Current {
            return Err(Refusal::rule("not-current", "Only a current document takes another's place.").at(POINTER));
        }
        let is_of_person = Group::known(document.patient, facts).is_some_and(|person| person.contains(other.patient));
        match is_of_person {
            true => Ok(()),
            false => Err(Refusal::rule("other-patient", "The other document is of another patient.").at(POINTER)),
        }
    }
}

impl ReviewDocument {
    pub(super) fn decide(self, document: &Document) -> Result<DocumentEvent, Refusal> {
        in_use(document, "reviewed")?;
        let sealed = remark(self.remark.map(String::from)).into();
        Ok(DocumentEvent::DocumentReviewed { patient: document.patient, sealed })
    }
}

impl ReleaseDocument {
    /// `None`: it is so already.
    pub(super) fn decide(self, document: &Document) -> Result<Option<DocumentEvent>, Refusal> {
        in_use(document, "released")?;
        Ok((!document.is_released).then_some(DocumentEvent::DocumentReleased { patient: document.patient }))
    }
}

impl EnterDocumentInError {
    pub(super) fn decide(self, document: &Document) -> Result<DocumentEvent, Refusal> {
        in_use(document, "struck out")?;
        Ok(DocumentEvent::DocumentEnteredInError {
            patient: document.patient,
            was: document.status,
            sealed: remark(Some(self.reason.into())).into(),
        })
    }
}

fn remark(remark: Option<String>) -> DocumentRemark {
    DocumentRemark { remark }
}

fn in_use(document: &Document, to: &str) -> Result<(), Refusal> {
    match document.status {
        DocumentStatus::Current | DocumentStatus::Superseded => Ok(()),
        DocumentStatus::Registered
        | DocumentStatus::EnteredInError
        | DocumentStatus::Failed
        | DocumentStatus::Erased => Err(wrong_status(document, to)),
    }
}

#[cfg(test)]
mod tests {
    use events::PatientId;
    use serde_json::json;

    use super::{
        super::{DocumentCommand, sample::*},
        *,
    };
    use crate::testing::{World, body, id};

    fn supersede(by: u128) -> SupersedeDocument {
        body(json!({"by_document_id": id::<DocumentId>(by), "reason": "a better scan"}))
    }

    fn status(world: &World, n: u128) -> DocumentStatus {
        world.state::<Document>(id::<DocumentId>(n)).unwrap().status
    }

    fn strike_out() -> EnterDocumentInError {
        body(json!({"reason": "of another patient"}))
    }

    #[test]
    fn a_document_is_replaced_once_by_a_current_one_of_the_same_person() {
        let mut world = desk();
        (1..=3).for_each(|n| given_uploaded(&mut world, n, 1));
        world.given_patient(2);
        given_uploaded(&mut world, 4, 2);
        world.document(id(5), announced(json!({}))).unwrap();
        for (by, code) in [(1, "same-document"), (4, "other-patient"), (5, "not-current"), (9, "not-found")] {
            assert_eq!(world.document(id(1), supersede(by)).unwrap_err().code, code, "{by}");
        }
        world.document(id(1), supersede(2)).unwrap();
        assert_eq!(status(&world, 1), DocumentStatus::Superseded);
        assert_eq!(world.document(id(1), supersede(3)).unwrap_err().code, "wrong-status");
        assert_eq!(world.document(id(2), supersede(1)).unwrap_err().code, "not-current", "no circle");
        world.document(id(2), strike_out()).unwrap();
        world.document(id(1), supersede(3)).unwrap();
        world.given_merge(id(2), id(1));
        world.document(id(3), supersede(4)).unwrap();
    }

    #[test]
    fn what_is_struck_out_or_never_came_stays_as_it_is() {
        let mut world = desk();
        given_uploaded(&mut world, 1, 1);
        given_uploaded(&mut world, 2, 1);
        world.document(id(1), strike_out()).unwrap();
        world.document(id(3), announced(json!({}))).unwrap();
        let commands: [DocumentCommand; 5] = [
            body::<ClassifyDocument>(json!({"kind": "other"})).into(),
            supersede(2).into(),
            body::<ReviewDocument>(json!({})).into(),
            ReleaseDocument {}.into(),
            strike_out().into(),
        ];
        for command in commands {
            for document in [1, 3] {
                let refused = world.document(id(document), command.clone()).unwrap_err();
                assert_eq!(refused.code, "wrong-status", "{command:?}");
            }
        }
        assert_eq!(world.counter("usage/storage"), 3 * SIZE, "nothing is deleted");
    }

    #[test]
    fn a_release_and_a_classification_are_made_once_and_a_review_each_time() {
        let mut world = desk();
        given_uploaded(&mut world, 1, 1);
        let classify = || body::<ClassifyDocument>(json!({"kind": "referral"}));
        for expected in [1, 0] {
            assert_eq!(world.document(id(1), ReleaseDocument {}).unwrap().len(), expected);
            assert_eq!(world.document(id(1), classify()).unwrap().len(), expected);
            assert_eq!(world.document(id(1), body::<ReviewDocument>(json!({}))).unwrap().len(), 1);
        }
    }

    #[test]
    fn nothing_is_done_about_somebody_who_is_erased() {
        let mut world = desk();
        given_uploaded(&mut world, 1, 1);
        let erased = events::PatientEvent::PatientErased {
            cause: events::patient::ErasureCause::Approved,
            was: world.state::<crate::Patient>(id::<PatientId>(1)).unwrap().standing(),
        };
        world.given(id::<PatientId>(1), erased);
        assert_eq!(world.document(id(1), ReleaseDocument {}).unwrap_err().code, "erased");
    }
}
