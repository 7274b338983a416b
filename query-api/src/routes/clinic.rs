//! The clinic itself: profile, settings, subscription, offices.

mod logo;

use aide::axum::{ApiRouter, routing::get_with};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use events::{
    ClinicId, OfficeId,
    calendar::WeeklyHours,
    clinic::{Limits, Plan, Settings},
    values::Address,
};
use read_models::{ClinicRow, StandingRow, UsageRow, clinic::OfficeEntry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{
    Capability, ListQuery, Problem, Query,
    answer::Resource,
    etag::{ETag, IfNoneMatch},
    json::NoFilters,
    page::List,
};

use crate::{
    QueryState,
    reader::Reader,
    scope::{Reflected, Select},
    sql::Sql,
};

pub(super) const MODEL: &str = "clinic_1";
const STANDING: &str = "standing_1";

/// How a clinic stands now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClinicStatus {
    Trial,
    /// The trial is over and nothing was paid.
    Expired,
    Active,
    /// The subscription has run out.
    PastDue,
    Suspended,
    /// For good.
    Closed,
}

impl ClinicStatus {
    /// By the clock, whether or not it is recorded by now that something is over; and once it is, whatever the clock
    /// says.
    fn of(row: &ClinicRow, standing: Option<&StandingRow>, now: DateTime<Utc>) -> Self {
        let is_closed = standing.is_some_and(|standing| standing.closed_at.is_some());
        let lasts = standing.is_none_or(|standing| standing.expired_at.is_none());
        match (row.suspended, row.paid_until) {
            _ if is_closed => Self::Closed,
            (true, _) => Self::Suspended,
            (false, Some(until)) if lasts && now < until => Self::Active,
            (false, Some(_)) => Self::PastDue,
            (false, None) if lasts && now < row.trial_ends_at => Self::Trial,
            (false, None) => Self::Expired,
        }
    }

    /// Whether the clock alone has brought it about, so that a client's copy may say otherwise.
    fn came_by_time(self) -> bool {
        matches!(self, Self::Expired | Self::PastDue)
    }
}

/// A clinic's profile.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Clinic {
    pub id: ClinicId,
    pub slug: String,
    pub name: String,
    pub status: ClinicStatus,
    pub email: String,
    pub phone: Option<String>,
    pub website: Option<String>,
    pub address: Option<Address>,
    pub registration_number: Option<String>,
    /// GSTIN in India.
    pub tax_id: Option<String>,
    /// An URL, as the clinic gave it; what is printed is `printed_logo`.
    pub logo: Option<String>,
    /// The picture on printed documents, under `/logo`.
    pub printed_logo: Option<PrintedLogo>,
    /// IANA name; days and hours are cut in it.
    pub time_zone: String,
    pub plan: Plan,
    pub suspension_reason: Option<String>,
    pub registered_at: DateTime<Utc>,
    pub version: i64,
}

/// A clinic's picture.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PrintedLogo {
    /// `image/png` or `image/jpeg`.
    pub media_type: String,
    /// In hexadecimal digits.
    pub sha256: String,
}

impl Clinic {
    fn of(Profile { clinic: row, logo, standing }: Profile, now: DateTime<Utc>) -> Self {
        Self {
            status: ClinicStatus::of(&row, standing.as_ref(), now),
            id: row.id,
            slug: row.slug,
            name: row.name,
            email: row.email,
            phone: row.phone,
            website: row.website,
            address: row.address,
            registration_number: row.registration_number,
            tax_id: row.tax_id,
            logo: row.logo,
            printed_logo: logo,
            time_zone: row.time_zone.name().to_owned(),
            plan: row.plan,
            suspension_reason: row.suspension_reason,
            registered_at: row.registered_at,
            version: row.version,
        }
    }
}

/// What the clinic has paid for and what it uses of it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Subscription {
    pub plan: Plan,
    pub status: ClinicStatus,
    pub trial_ends_at: DateTime<Utc>,
    /// `null` before the first payment.
    pub paid_until: Option<DateTime<Utc>>,
    /// When it was recorded that the trial or the subscription is over, a moment after it was; `null` while it lasts.
    pub expired_at: Option<DateTime<Utc>>,
    /// The plan's, or those set for this clinic alone; `null` inside is unlimited.
    pub limits: Limits,
    pub usage: Usage,
    pub version: i64,
}

/// What counts against the limits.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
pub struct Usage {
    /// Active or on leave.
    pub doctors: i64,
    /// Neither merged nor erased.
    pub patients: i64,
    /// Not deactivated.
    pub receptionists: i64,
    /// Open.
    pub offices: i64,
    /// Bytes of documents, those that are announced among them.
    pub storage: i64,
}

impl From<&UsageRow> for Usage {
    fn from(row: &UsageRow) -> Self {
        let UsageRow { doctors, patients, receptionists, offices, storage, .. } = *row;
        Self { doctors, patients, receptionists, offices, storage }
    }
}

/// A place where the clinic receives patients.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Office {
    pub id: OfficeId,
    pub name: String,
    pub address: Option<Address>,
    pub phone: Option<String>,
    pub hours: WeeklyHours,
    /// A closed one stays, since appointments name it.
    pub open: bool,
}

impl From<OfficeEntry> for Office {
    fn from(OfficeEntry { office, open }: OfficeEntry) -> Self {
        let events::clinic::Office { id, name, address, phone, hours } = office;
        Self { id, name, address, phone, hours, open }
    }
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ClinicSettings {
    #[serde(flatten)]
    pub settings: Settings,
    pub version: i64,
}

/// A clinic is one row, under its own id.
fn row() -> Select {
    Select::new(&[MODEL], Sql::new("c.* FROM read.clinic_1 c WHERE c.clinic_id = s.clinic AND c.id = s.clinic"))
}

async fn read(reader: &Reader) -> Result<Reflected<ClinicRow>, Problem> {
    reader.may_read(Capability::ClinicProfile).await?;
    reader.one(row()).await?.found()
}

/// In which the clinic's days are cut.
pub(super) async fn zone(reader: &Reader) -> Result<Tz, Problem> {
    Ok(reader.one::<ClinicRow>(row()).await?.found()?.value.time_zone)
}

fn tag(row: &ClinicRow) -> ETag {
    ETag::of_resource(row.version, row.position)
}

#[derive(Deserialize)]
struct Profile {
    clinic: ClinicRow,
    logo: Option<PrintedLogo>,
    standing: Option<StandingRow>,
}

async fn profile(reader: Reader, _: Query<NoFilters>, known: IfNoneMatch) -> Result<Resource<Clinic>, Problem> {
    reader.may_read(Capability::ClinicProfile).await?;
    let sql = Sql::new(
        "to_jsonb(c) AS clinic, l.logo - 'data' AS logo, to_jsonb(n) AS standing FROM read.clinic_1 c \
         LEFT JOIN read.clinic_logo_1 l ON l.clinic_id = s.clinic AND l.id = s.clinic \
         LEFT JOIN read.standing_1 n ON n.clinic_id = s.clinic AND n.id = s.clinic \
         WHERE c.clinic_id = s.clinic AND c.id = s.clinic",
    );
    let read = reader.one::<Profile>(Select::new(&[MODEL, logo::MODEL, STANDING], sql)).await?.found()?;
    let Reflected { value: profile, position } = read;
    // The read models move one after the other.
    let shown = profile.clinic.position + profile.standing.as_ref().map_or(0, |standing| standing.position);
    let tag = ETag::of_resource(profile.clinic.version, shown);
    let clinic = Clinic::of(profile, reader.now());
    let by_time = clinic.status.came_by_time();
    let answer = Resource::new(clinic, tag, position);
    Ok(if by_time { answer } else { answer.unless(&known) })
}

async fn settings(
    reader: Reader,
    _: Query<NoFilters>,
    known: IfNoneMatch,
) -> Result<Resource<ClinicSettings>, Problem> {
    let Reflected { value: row, position } = read(&reader).await?;
    let tag = tag(&row);
    Ok(Resource::new(ClinicSettings { settings: row.settings, version: row.version }, tag, position).unless(&known))
}

#[derive(Deserialize)]
struct WithUsage {
    clinic: ClinicRow,
    usage: Option<UsageRow>,
    standing: Option<StandingRow>,
}

async fn subscription(reader: Reader, _: Query<NoFilters>) -> Result<Resource<Subscription>, Problem> {
    reader.may_read(Capability::ClinicProfile).await?;
    let select = Sql::new(
        "to_jsonb(c) AS clinic, to_jsonb(u) AS usage, to_jsonb(n) AS standing FROM read.clinic_1 c \
         LEFT JOIN read.usage_2 u ON u.clinic_id = s.clinic AND u.id = s.clinic \
         LEFT JOIN read.standing_1 n ON n.clinic_id = s.clinic AND n.id = s.clinic \
         WHERE c.clinic_id = s.clinic AND c.id = s.clinic",
    );
    let read = reader.one::<WithUsage>(Select::new(&[MODEL, "usage_2", STANDING], select)).await?.found()?;
    let WithUsage { clinic, usage, standing } = read.value;
    let shown = clinic.position.max(usage.as_ref().map_or(0, |usage| usage.position));
    let subscription = Subscription {
        plan: clinic.plan,
        status: ClinicStatus::of(&clinic, standing.as_ref(), reader.now()),
        trial_ends_at: clinic.trial_ends_at,
        paid_until: clinic.paid_until,
        expired_at: standing.and_then(|standing| standing.expired_at),
        limits: clinic.limits.unwrap_or_else(|| clinic.plan.limits()),
        usage: usage.as_ref().map(Usage::from).unwrap_or_default(),
        version: clinic.version,
    };
    Ok(Resource::new(subscription, ETag::of_resource(clinic.version, shown), read.position))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OfficeFilters {
    /// Only open ones, or only closed ones.
    open: Option<bool>,
}

async fn offices(reader: Reader, query: ListQuery<OfficeFilters>) -> Result<List<Office>, Problem> {
    let after = query.after::<OfficeId>()?;
    let Reflected { value: row, position } = read(&reader).await?;
    let mut offices: Vec<Office> = row.offices.into_iter().map(Office::from).collect();
    if let Some(last) = after {
        let seen = offices.iter().position(|office| office.id == last).map_or(offices.len(), |index| index + 1);
        offices.drain(..seen);
    }
    offices.retain(|office| query.filters.open.is_none_or(|open| office.open == open));
    Ok(query.answer(offices, position, |office| office.id))
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    logo::routes()
        .api_route(
            "/",
            get_with(profile, |op| {
                op.id("getClinic")
                    .tag("Clinic")
                    .summary("The clinic's profile")
                    .description("`status` is how the clinic stands at the moment of the answer.")
            }),
        )
        .api_route(
            "/settings",
            get_with(settings, |op| {
                op.id("getSettings").tag("Clinic").summary("The clinic's settings").description(
                    "Overbooking policy, grace time of a no-show and whether it is marked by itself, whether \
                         bookings are confirmed.",
                )
            }),
        )
        .api_route(
            "/subscription",
            get_with(subscription, |op| {
                op.id("getSubscription").tag("Clinic").summary("Plan, limits and usage").description(
                    "What the clinic may have and what it has. Limits are checked when something is added.",
                )
            }),
        )
        .api_route(
            "/offices",
            get_with(offices, |op| {
                op.id("listOffices")
                    .tag("Clinic")
                    .summary("The clinic's offices")
                    .description("In the order in which they were added; closed ones included, unless `open=true`.")
            }),
        )
}
