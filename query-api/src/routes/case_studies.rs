//! Case studies: the list, one study, what happened to it. Whom a published one draws on is told to nobody here.

use std::collections::HashSet;

use aide::axum::{ApiRouter, routing::get_with};
use chrono::{DateTime, Utc};
use events::{
    AggregateKind, CaseStudyId, ConsentId, PatientId, UserId,
    case_study::{CaseStudyStatus, DeIdentificationMethod, RecordRef, WithdrawalCode},
};
use read_models::{CaseStudies, CaseStudyRow, case_study::CaseStudyPart};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{
    Capability, ListQuery, Path, Problem, Query,
    answer::Resource,
    etag::{ETag, IfNoneMatch},
    page::List,
};
use uuid::Uuid;

use super::{ById, patients::one::When};
use crate::{
    QueryState,
    audience::{erased, sees_restricted, unrestricted},
    disclosure::{Disclosed, Subjects, disclose},
    past::look_back_at_stream,
    reader::Reader,
    scope::{Reflected, Select},
    sort::Sort,
    sql::Sql,
    versions::{self, Versioned},
};

const MODELS: &[&str] = &["case_study_1", "patient_1"];

/// A study in a list.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CaseStudySummary {
    pub id: CaseStudyId,
    /// `CS-20260314-001`
    pub number: String,
    pub status: CaseStudyStatus,
    pub version: i64,
    pub author_id: UserId,
    /// The user name at the time.
    pub author: String,
    pub title: Option<String>,
    /// How many patients it draws on, those who were erased included.
    pub patients: usize,
    pub drafted_at: DateTime<Utc>,
    pub published_at: Option<DateTime<Utc>>,
    pub withdrawn_at: Option<DateTime<Utc>>,
}

/// What was learned from one patient or several.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CaseStudy {
    pub id: CaseStudyId,
    /// `CS-20260314-001`
    pub number: String,
    pub status: CaseStudyStatus,
    pub version: i64,
    pub author_id: UserId,
    /// The user name at the time.
    pub author: String,
    /// As de-identified; before that, as drafted.
    pub title: Option<String>,
    pub introduction: Option<String>,
    pub method: Option<DeIdentificationMethod>,
    /// Who has determined that nobody can be recognised.
    pub expert: Option<String>,
    /// Whoever approved it has verified that nobody can be recognised.
    pub de_identification_verified: bool,
    pub parts: Vec<Part>,
    pub drafted_at: DateTime<Utc>,
    pub de_identified_at: Option<DateTime<Utc>>,
    pub approved_at: Option<DateTime<Utc>>,
    pub approver_id: Option<UserId>,
    pub approver: Option<String>,
    pub published_at: Option<DateTime<Utc>>,
    pub withdrawn_at: Option<DateTime<Utc>>,
    pub withdrawal: Option<WithdrawalCode>,
    pub withdrawal_reason: Option<String>,
}

/// What it draws from one patient.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "CaseStudyPart")]
pub struct Part {
    /// `null`, as all that leads to the patient, once the study is published or withdrawn, and where the patient's record
    /// is restricted and the asker may not see it.
    pub patient_id: Option<PatientId>,
    pub records: Vec<RecordRef>,
    pub consent_id: Option<ConsentId>,
    /// As drafted.
    pub text: Option<String>,
    pub de_identified_text: Option<String>,
    /// The patient has been erased: the study goes on without this part.
    pub erased: bool,
}

/// Of which patients an asker is told what leads to them.
struct View {
    erased: HashSet<Uuid>,
    /// Whose records are not restricted; `None`: the asker sees restricted ones.
    open: Option<HashSet<Uuid>>,
}

impl View {
    async fn of(reader: &Reader, row: &CaseStudyRow) -> Result<Self, Problem> {
        let patients: Vec<Uuid> = row.parts.iter().map(|part| part.patient_id.0).collect();
        let erased = erased(reader, patients.clone()).await?;
        let open = match sees_restricted(reader) {
            true => None,
            false => Some(unrestricted(reader, patients).await?),
        };
        Ok(Self { erased, open })
    }

    fn hides_nothing(&self) -> bool {
        self.erased.is_empty() && self.open.is_none()
    }

    fn shows(&self, patient: PatientId) -> bool {
        self.open.as_ref().is_none_or(|open| open.contains(&patient.0))
    }

    fn part(&self, part: CaseStudyPart, status: CaseStudyStatus) -> Part {
        let CaseStudyPart { patient_id, records, text, de_identified_text, consent_id } = part;
        let erased = self.erased.contains(&patient_id.0);
        let hidden = Part {
            patient_id: None,
            records: Vec::new(),
            consent_id: None,
            text: None,
            de_identified_text: de_identified_text.filter(|_| !erased),
            erased,
        };
        match leads_to_patients(status) {
            // Whatever is not published may tell who it is, also where it should not.
            true if !self.shows(patient_id) => Part { de_identified_text: None, ..hidden },
            true => {
                Part { patient_id: Some(patient_id), records, consent_id, text: text.filter(|_| !erased), ..hidden }
            }
            false => hidden,
        }
    }
}

fn leads_to_patients(status: CaseStudyStatus) -> bool {
    match status {
        CaseStudyStatus::Draft | CaseStudyStatus::DeIdentified | CaseStudyStatus::Approved => true,
        CaseStudyStatus::Published | CaseStudyStatus::Withdrawn => false,
    }
}

/// A draft's own words are shown to nobody once the study was published.
fn title(row: &CaseStudyRow) -> Option<String> {
    let drafted = row.draft_title.as_ref().filter(|_| row.published_at.is_none());
    row.title.as_ref().or(drafted).cloned()
}

impl From<CaseStudyRow> for CaseStudySummary {
    fn from(row: CaseStudyRow) -> Self {
        Self {
            title: title(&row),
            id: row.id,
            number: row.number,
            status: row.status,
            version: row.version,
            author_id: row.author_id,
            author: row.author,
            patients: row.parts.len(),
            drafted_at: row.drafted_at,
            published_at: row.published_at,
            withdrawn_at: row.withdrawn_at,
        }
    }
}

impl CaseStudy {
    fn of(row: CaseStudyRow, view: &View) -> Self {
        let (title, status) = (title(&row), row.status);
        let drafted = row.draft_introduction.filter(|_| row.de_identified_at.is_none());
        Self {
            id: row.id,
            number: row.number,
            status,
            version: row.version,
            author_id: row.author_id,
            author: row.author,
            title,
            introduction: row.introduction.or(drafted),
            method: row.method,
            expert: row.expert,
            de_identification_verified: row.verified,
            parts: row.parts.into_iter().map(|part| view.part(part, status)).collect(),
            drafted_at: row.drafted_at,
            de_identified_at: row.de_identified_at,
            approved_at: row.approved_at,
            approver_id: row.approver_id,
            approver: row.approver,
            published_at: row.published_at,
            withdrawn_at: row.withdrawn_at,
            withdrawal: row.withdrawal,
            withdrawal_reason: row.withdrawal_reason,
        }
    }

    /// Whom the answer leads to.
    fn patients(&self) -> Vec<PatientId> {
        self.parts.iter().filter_map(|part| part.patient_id).collect()
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CaseStudyFilters {
    status: Option<CaseStudyStatus>,
    author: Option<UserId>,
}

/// Where a page ended.
#[derive(Serialize, Deserialize)]
struct Last(DateTime<Utc>, CaseStudyId);

async fn may_read(reader: &Reader) -> Result<(), Problem> {
    match reader.may_read(Capability::CaseStudies).await?.is_everything() {
        true => Ok(()),
        false => Err(reader.refuse(Capability::CaseStudies).await),
    }
}

async fn list(reader: Reader, query: ListQuery<CaseStudyFilters>) -> Result<List<CaseStudySummary>, Problem> {
    may_read(&reader).await?;
    let after = query.after::<Last>()?.map(|Last(at, id)| (at, id.0));
    let sql = Sql::new("a.* FROM read.case_study_1 a WHERE a.clinic_id = s.clinic")
        .bind_some(" AND a.status = ", query.filters.status.map(|status| status.to_string()))
        .bind_some(" AND a.author_id = ", query.filters.author.map(|author| author.0));
    let latest_first = Sort::descending("(a.drafted_at, a.id)", "a.drafted_at DESC, a.id DESC");
    let sql = latest_first.page(sql, after, query.fetch());
    let Reflected { value: rows, position } = reader.all::<CaseStudyRow>(Select::new(MODELS, sql)).await?;
    let page = query.answer(rows, position, |row| Last(row.drafted_at, row.id));
    Ok(page.filter_map(|row| Some(CaseStudySummary::from(row))))
}

async fn find(reader: &Reader, id: Uuid) -> Result<Reflected<CaseStudyRow>, Problem> {
    may_read(reader).await?;
    let sql = Sql::new("a.* FROM read.case_study_1 a WHERE a.clinic_id = s.clinic AND a.id = ").bind(id);
    reader.one::<CaseStudyRow>(Select::new(MODELS, sql)).await?.found()
}

async fn one(
    reader: Reader,
    Path(path): Path<ById>,
    Query(when): Query<When>,
    known: IfNoneMatch,
) -> Result<Disclosed<Resource<CaseStudy>>, Problem> {
    let today = find(&reader, path.id).await?;
    let Reflected { value: row, position } = match when.as_of {
        None => today,
        Some(as_of) => {
            let people: Vec<PatientId> = today.value.parts.iter().map(|part| part.patient_id).collect();
            look_back_at_stream::<CaseStudies>(&reader, AggregateKind::CaseStudy, path.id, &people, as_of).await?
        }
    };
    let tag = ETag::of_resource(row.version, row.position);
    let view = View::of(&reader, &row).await?;
    let study = CaseStudy::of(row, &view);
    let shown = Subjects::listed(study.patients());
    let answer = Resource::new(study, tag, position);
    // An erasure and a restriction change the answer and not the study.
    let answer = if view.hides_nothing() { answer.unless(&known) } else { answer };
    disclose(&reader, Capability::CaseStudies, shown, answer).await
}

impl Versioned for CaseStudies {
    const KIND: AggregateKind = AggregateKind::CaseStudy;
    const COLLECTION: &'static str = "case-studies";
    const SINGULAR: &'static str = "CaseStudy";
    const TAG: &'static str = "Case studies";

    async fn find(reader: &Reader, id: Uuid) -> Result<(), Problem> {
        find(reader, id).await.map(drop)
    }
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new()
        .api_route(
            "/case-studies",
            get_with(list, |op| {
                op.id("listCaseStudies")
                    .tag("Case studies")
                    .summary("Case studies of the clinic")
                    .description("The latest first. Whom they draw on is not told.")
            }),
        )
        .api_route(
            "/case-studies/{id}",
            get_with(one, |op| {
                op.id("getCaseStudy").tag("Case studies").summary("One case study").description(
                    "With a part for each patient. Once it is published or withdrawn, nothing in it leads to a patient; \
                     of a patient who was erased nothing is told at all. `as_of` answers what the record said then.",
                )
            }),
        )
        .merge(versions::routes::<CaseStudies>())
}
