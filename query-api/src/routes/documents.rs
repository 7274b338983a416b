//! Documents of patients' records. Their bytes are handed out by [`content`].

mod content;

use aide::axum::ApiRouter;
use chrono::{DateTime, Utc};
use events::{
    AggregateKind, DocumentId, PatientId, UserId,
    document::{DocumentKind, DocumentStatus, Owner, UploadFailure},
};
use read_models::{DocumentRow, Documents, document::Review};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{AsOf, Capability, Limit, Reach};
use strum::VariantArray;
use uuid::Uuid;

use crate::{
    QueryState,
    clinical::{self, ClinicalResource, Filters, Place, Sight},
    sql::Sql,
};

/// A document: what it is, who brought it, what became of it. Its content is under `/content`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Document {
    pub id: DocumentId,
    /// Under whose record it was registered.
    pub patient_id: PatientId,
    pub kind: DocumentKind,
    pub status: DocumentStatus,
    pub title: Option<String>,
    pub description: Option<String>,
    /// What the content belongs to.
    pub owner: Owner,
    pub media_type: String,
    /// Of the content, in bytes.
    pub size: i64,
    /// Of the content, in hexadecimal digits.
    pub sha256: Option<String>,
    /// Whether the content is there.
    pub has_content: bool,
    pub registered_by: Option<UserId>,
    pub registered_at: DateTime<Utc>,
    /// Until when the content is waited for, if it has not come.
    pub upload_until: DateTime<Utc>,
    pub uploaded_at: Option<DateTime<Utc>>,
    /// Why the content never came.
    pub failure: Option<UploadFailure>,
    pub superseded_by: Option<DocumentId>,
    pub superseded_reason: Option<String>,
    /// Who has read it, the first first.
    pub reviews: Vec<Review>,
    /// Since when the patient sees it.
    pub released_at: Option<DateTime<Utc>>,
    pub released_by: Option<UserId>,
    pub entered_in_error_at: Option<DateTime<Utc>>,
    pub error_reason: Option<String>,
    pub version: i64,
}

/// Which documents.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// Of one person, under any id.
    patient: Option<PatientId>,
    kind: Option<DocumentKind>,
    status: Option<DocumentStatus>,
    /// Those of this note, observation, procedure or case study.
    owner: Option<Uuid>,
    /// As the record said then; only with `patient`.
    as_of: Option<AsOf>,
}

impl Filters<DocumentRow> for Which {
    fn patient(&self) -> Option<PatientId> {
        self.patient
    }

    fn as_of(&self) -> Option<AsOf> {
        self.as_of
    }

    fn select(&self, sql: Sql) -> Sql {
        sql.bind_some(" AND a.kind = ", self.kind.map(<&str>::from))
            .bind_some(" AND a.status = ", self.status.map(<&str>::from))
            .bind_some(" AND a.owner ->> 'id' = ", self.owner.map(|owner| owner.to_string()))
    }

    fn takes(&self, row: &DocumentRow) -> bool {
        self.kind.is_none_or(|kind| kind == row.kind)
            && self.status.is_none_or(|status| status == row.status)
            && self.owner.is_none_or(|owner| row.owner.id() == Some(owner))
    }
}

impl ClinicalResource for Documents {
    const KIND: AggregateKind = AggregateKind::Document;
    const CAPABILITY: Capability = Capability::Documents;
    const LIMITS: &'static [Limit] = &[Limit::Administrative, Limit::Laboratory, Limit::Upload];
    const COLLECTION: &'static str = "documents";
    const SINGULAR: &'static str = "Document";
    const PLURAL: &'static str = "Documents";
    const MODELS: &'static [&'static str] = &["document_1", "patient_1"];
    const AT: &'static str = "registered_at";
    type Answer = Document;
    type Filters = Which;

    fn place(row: &DocumentRow) -> Place {
        Place {
            id: row.id.0,
            patient: row.patient_id,
            at: row.registered_at,
            version: row.version,
            position: row.position,
        }
    }

    fn answer(row: DocumentRow, _: &Sight) -> Document {
        Document {
            has_content: row.has_content(),
            id: row.id,
            patient_id: row.patient_id,
            kind: row.kind,
            status: row.status,
            title: row.title,
            description: row.description,
            owner: row.owner,
            media_type: row.media_type,
            size: row.size,
            sha256: row.sha256,
            registered_by: row.registered_by,
            registered_at: row.registered_at,
            upload_until: row.upload_until,
            uploaded_at: row.uploaded_at,
            failure: row.failure,
            superseded_by: row.superseded_by,
            superseded_reason: row.superseded_reason,
            reviews: row.reviews,
            released_at: row.released_at,
            released_by: row.released_by,
            entered_in_error_at: row.entered_in_error_at,
            error_reason: row.error_reason,
            version: row.version,
        }
    }

    /// A patient sees what was released, as long as it stands, and what they brought themselves; others what their roles
    /// are about.
    fn shows(row: &DocumentRow, sight: &Sight) -> bool {
        let is_own = row.registered_by == Some(sight.user);
        match (sight.reach, sight.own) {
            (Reach::Everything, _) => true,
            (_, Some(_)) => is_own || row.released_at.is_some() && row.status != DocumentStatus::EnteredInError,
            (reach, None) => {
                reach.covers(Limit::Grant) || reach.covers(Limit::Upload) && is_own || kinds(reach).contains(&row.kind)
            }
        }
    }

    fn narrow(sql: Sql, sight: &Sight) -> Sql {
        match (sight.reach, sight.own) {
            (Reach::Everything, _) => sql,
            (_, Some(_)) => sql
                .push(" AND (a.registered_by = ")
                .bind(sight.user.0)
                .push(" OR a.released_at IS NOT NULL AND a.status <> 'entered-in-error')"),
            (reach, None) if reach.covers(Limit::Grant) => sql,
            (reach, None) => {
                let uploader = reach.covers(Limit::Upload).then_some(sight.user.0);
                let kinds: Vec<&str> = kinds(reach).into_iter().map(<&str>::from).collect();
                sql.push(" AND (a.kind = ANY(").bind(kinds).push(") OR a.registered_by = ").bind(uploader).push(")")
            }
        }
    }
}

/// The kinds of which the limits show all.
fn kinds(reach: Reach) -> Vec<DocumentKind> {
    let shows = |kind: &DocumentKind| {
        reach.covers(Limit::Administrative) && kind.is_administrative()
            || reach.covers(Limit::Laboratory) && kind.is_of_laboratory()
    };
    DocumentKind::VARIANTS.iter().copied().filter(shows).collect()
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    clinical::routes::<Documents>().merge(content::routes())
}
