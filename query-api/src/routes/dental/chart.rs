//! A person's dental chart: today, on a day, as the record said; and one tooth's history. A merge joins the charts of
//! the group.

use aide::axum::{ApiRouter, routing::get_with};
use chrono::{DateTime, NaiveDate, Utc};
use events::{AggregateKind, PatientId, Position, calendar::whole_day, tooth::Tooth, values::Span};
use read_models::dental_chart::{DentalChartRow, DentalCharts, ProcedureEntry, ToothState, teeth};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{
    AsOf, Capability, Path, Problem, Query,
    answer::Resource,
    etag::{ETag, IfNoneMatch},
};
use uuid::Uuid;

use crate::{
    QueryState,
    clinical::{self, ClinicalResource, Filters, Place, Sight, admitted},
    disclosure::{Disclosed, Subjects, disclose},
    grants,
    past::Past,
    reader::Reader,
    routes::{ById, clinic::zone, patients::one::When},
    scope::{Reflected, Select},
    sql::Sql,
};

const MODELS: &[&str] = &["dental_chart_1", "patient_1"];

/// What is known of a person's teeth.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DentalChart {
    pub patient_id: PatientId,
    /// Of the chart that lies under this id; 0 while nothing does.
    pub version: i64,
    /// The first and the last thing that the chart says; `null` while it says nothing.
    pub begun_at: Option<DateTime<Utc>>,
    pub changed_at: Option<DateTime<Utc>>,
    /// Every tooth of which it says something; of the others nothing is known. What was struck out is in a tooth's
    /// history alone.
    pub teeth: Vec<ToothState>,
    /// All of them, in the order in which they were planned; also those that concern the whole mouth.
    pub procedures: Vec<ProcedureEntry>,
}

impl From<DentalChartRow> for DentalChart {
    fn from(row: DentalChartRow) -> Self {
        let is_there = row.position > 0;
        Self {
            patient_id: row.patient_id,
            version: row.version,
            begun_at: is_there.then_some(row.begun_at),
            changed_at: is_there.then_some(row.changed_at),
            teeth: teeth(&row),
            procedures: row.procedures,
        }
    }
}

/// Everything that was ever said of one tooth of a person.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ToothHistory {
    pub patient_id: PatientId,
    #[serde(flatten)]
    pub tooth: ToothState,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DentalChartFilters {
    /// Also those that lie under another id of the same person.
    patient: Option<PatientId>,
    /// What the record said then; of one patient alone.
    as_of: Option<AsOf>,
}

impl Filters<DentalChartRow> for DentalChartFilters {
    fn patient(&self) -> Option<PatientId> {
        self.patient
    }

    fn as_of(&self) -> Option<AsOf> {
        self.as_of
    }

    fn select(&self, sql: Sql) -> Sql {
        sql
    }

    fn takes(&self, _: &DentalChartRow) -> bool {
        true
    }
}

impl ClinicalResource for DentalCharts {
    const KIND: AggregateKind = AggregateKind::DentalChart;
    const CAPABILITY: Capability = Capability::DentalChart;
    const COLLECTION: &'static str = "dental-charts";
    const SINGULAR: &'static str = "DentalChart";
    const PLURAL: &'static str = "DentalCharts";
    const MODELS: &'static [&'static str] = MODELS;
    const AT: &'static str = "changed_at";

    type Answer = DentalChart;
    type Filters = DentalChartFilters;

    fn place(row: &DentalChartRow) -> Place {
        Place { id: row.id, patient: row.patient_id, at: row.changed_at, version: row.version, position: row.position }
    }

    fn answer(row: DentalChartRow, _: &Sight) -> DentalChart {
        row.into()
    }

    /// A chart says what was seen from its first entry to its last: a grant covers all of that, or shows none of it.
    fn narrow(sql: Sql, sight: &Sight) -> Sql {
        match grants::scope_of(Self::CAPABILITY).filter(|_| sight.is_by_grant()) {
            Some(scope) => grants::covers_row(sql, sight.user, scope, "begun_at"),
            None => sql,
        }
    }
}

/// The joined charts of a person whom the asker may see.
pub(super) struct Mouth {
    pub row: DentalChartRow,
    pub ids: Vec<PatientId>,
    pub position: Position,
}

impl Mouth {
    pub(super) async fn read(reader: &Reader, patient: PatientId, as_of: Option<AsOf>) -> Result<Self, Problem> {
        let (group, sight) = admitted::<DentalCharts>(reader, patient).await?;
        let ids = group.value.ids();
        let mouth = match as_of {
            None => Self::today(reader, patient, ids).await?,
            Some(as_of) => Self::then(reader, patient, ids, as_of).await?,
        };
        let span = Span { from: mouth.row.begun_at, to: mouth.row.changed_at };
        match sight.is_by_grant() && !grants::cover(reader, Capability::DentalChart, span).await? {
            true => Err(reader.refuse(Capability::DentalChart).await),
            false => Ok(mouth),
        }
    }

    async fn today(reader: &Reader, patient: PatientId, ids: Vec<PatientId>) -> Result<Self, Problem> {
        let all: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        let sql = Sql::new("a.* FROM read.dental_chart_1 a WHERE a.clinic_id = s.clinic AND a.patient_id = ANY(")
            .bind(all)
            .push(")");
        let Reflected { value: rows, position } = reader.all::<DentalChartRow>(Select::new(MODELS, sql)).await?;
        Ok(Self { row: joined(patient, rows, reader.now()), ids, position })
    }

    async fn then(reader: &Reader, patient: PatientId, ids: Vec<PatientId>, as_of: AsOf) -> Result<Self, Problem> {
        let past = Past::look_back(reader, patient, &ids, as_of).await?;
        let rows = past.rows::<DentalCharts>().into_sorted().into_iter().map(|(_, row)| row).collect();
        let moment = past.moment;
        Ok(Self {
            row: joined(patient, rows, moment.recorded_at),
            ids: past.group().collect(),
            position: moment.position,
        })
    }
}

/// The patient's own chart with what the others of the group say.
fn joined(patient: PatientId, rows: Vec<DentalChartRow>, now: DateTime<Utc>) -> DentalChartRow {
    let (own, others): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.patient_id == patient);
    let own = own.into_iter().next().unwrap_or_else(|| DentalChartRow::empty(patient, now));
    others.into_iter().fold(own, DentalChartRow::join)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ChartMoment {
    /// What the record said then.
    as_of: Option<AsOf>,
    /// The mouth at the end of a day in the clinic's zone, by what is known of it now: what was corrected since is told
    /// as corrected. Together with `as_of`: by what was known of it then.
    on: Option<NaiveDate>,
}

async fn one(
    reader: Reader,
    Path(path): Path<ById>,
    Query(moment): Query<ChartMoment>,
    known: IfNoneMatch,
) -> Result<Disclosed<Resource<DentalChart>>, Problem> {
    let patient = PatientId(path.id);
    let Mouth { row, ids, position } = Mouth::read(&reader, patient, moment.as_of).await?;
    let tag = ETag::of_resource(row.version, row.position);
    let row = match moment.on {
        Some(day) => row.before(whole_day(day, zone(&reader).await?).to),
        None => row,
    };
    let answer = Resource::new(row.into(), tag, position).unless(&known);
    disclose(&reader, Capability::DentalChart, Subjects::person(patient, ids), answer).await
}

#[derive(Deserialize, JsonSchema)]
struct ByTooth {
    id: Uuid,
    /// FDI: 16.
    tooth: String,
}

impl ByTooth {
    /// 404 for a tooth that there is not.
    fn tooth(&self) -> Result<Tooth, Problem> {
        self.tooth.parse().ok().map(Tooth).filter(|tooth| tooth.exists()).ok_or_else(Problem::not_found)
    }
}

async fn tooth(
    reader: Reader,
    Path(path): Path<ByTooth>,
    Query(when): Query<When>,
    known: IfNoneMatch,
) -> Result<Disclosed<Resource<ToothHistory>>, Problem> {
    let (patient, tooth) = (PatientId(path.id), path.tooth()?);
    let Mouth { row, ids, position } = Mouth::read(&reader, patient, when.as_of).await?;
    let tag = ETag::of_resource(row.version, row.position);
    let history = ToothHistory { patient_id: patient, tooth: row.history_of(tooth) };
    let answer = Resource::new(history, tag, position).unless(&known);
    disclose(&reader, Capability::DentalChart, Subjects::person(patient, ids), answer).await
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    clinical::routes_around::<DentalCharts>()
        .api_route(
            "/dental-charts/{id}",
            get_with(one, |op| {
                op.id("getDentalChart").tag("Dental charts").summary("A patient's dental chart").description(
                    "Of the whole group of a merged patient; empty for who was never charted. `on` is the mouth on a \
                     day, `as_of` what the record said then.",
                )
            }),
        )
        .api_route(
            "/dental-charts/{id}/teeth/{tooth}",
            get_with(tooth, |op| {
                op.id("getTooth").tag("Dental charts").summary("One tooth's history").description(
                    "Everything that was ever said of it and done to it, what was corrected or struck out included, \
                     with who, when and why.",
                )
            }),
        )
}
