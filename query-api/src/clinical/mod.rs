//! Resources of a patient's record (visits, prescriptions, notes, …): one stream each, a row of one read model each,
//! all shown the same way. A resource says where it lies, who may see it and what its answer is ([`ClinicalResource`]);
//! [`routes`] makes of that its list, the resource itself, its history and the list of one patient, each at any moment of
//! the past, each recorded before it is shown.

mod door;
mod history;
mod list;
mod one;
mod person;
mod registry;

use aide::axum::{ApiRouter, routing::get_with};
use chrono::{DateTime, Utc};
use events::{AggregateKind, PatientId, Position};
use read_models::Projection;
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use service_kit::{AsOf, Capability, Limit, Problem};
use uuid::Uuid;

pub(crate) use door::admitted;
pub use door::{Parts, Sight};
pub(crate) use history::versions;
pub(crate) use one::{Found, Shown, find, shown};
pub(crate) use person::{OfPerson, of_person, of_visit};
pub(crate) use registry::seen;

use crate::{QueryState, past::Past, reader::Reader, sql::Sql};

/// A kind of resource in patients' records. Its rows have the columns `id`, `patient_id`, `version` and `position`.
pub trait ClinicalResource: Projection<Key = Uuid> {
    const KIND: AggregateKind;
    /// What one must be allowed to read to see it.
    const CAPABILITY: Capability;
    /// Another capability, the full right to which shows all of it as well.
    const OR: Option<Capability> = None;
    /// Limited rights that show some of it, beside a patient's to their own and an auditor's by grant; which of it,
    /// [`ClinicalResource::narrow`] and [`ClinicalResource::shows`] say.
    const LIMITS: &'static [Limit] = &[];
    /// As in an address: `visits`.
    const COLLECTION: &'static str;
    /// As in the names of operations: `Visit`.
    const SINGULAR: &'static str;
    /// `Visits`
    const PLURAL: &'static str;
    /// Its table and `patient_1`.
    const MODELS: &'static [&'static str];
    /// The column by which lists are sorted, the latest first: a `timestamptz` that is never null.
    const AT: &'static str;

    type Answer: Serialize + JsonSchema + Send + Sync + 'static;
    type Filters: Filters<Self::Row>;

    fn place(row: &Self::Row) -> Place;

    fn answer(row: Self::Row, sight: &Sight) -> Self::Answer;

    /// Adds to rows what their answers show besides, of other read models: those of today, or of a past.
    fn complete(
        _reader: &Reader,
        _past: Option<&Past>,
        _rows: &mut [Self::Row],
    ) -> impl Future<Output = Result<(), Problem>> + Send {
        async { Ok(()) }
    }

    /// Whether whoever looks so sees this row of somebody whose record they may see.
    fn shows(_row: &Self::Row, _sight: &Sight) -> bool {
        true
    }

    /// The same as a condition on `a`, the row.
    fn narrow(sql: Sql, _sight: &Sight) -> Sql {
        sql
    }
}

/// Where a row belongs.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub id: Uuid,
    pub patient: PatientId,
    /// As [`ClinicalResource::AT`].
    pub at: DateTime<Utc>,
    pub version: i64,
    /// Of the last change.
    pub position: Position,
}

/// The filters of a list; a struct that denies unknown fields.
pub trait Filters<Row>: DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// The person whose resources are asked for, under any id.
    fn patient(&self) -> Option<PatientId>;

    fn as_of(&self) -> Option<AsOf>;

    /// Further conditions on `a`, the row.
    fn select(&self, sql: Sql) -> Sql;

    /// The same for a row in memory.
    fn takes(&self, row: &Row) -> bool;
}

/// `GET /visits`, `/visits/{id}`, `/visits/{id}/history`, `/patients/{id}/visits`.
pub fn routes<R: ClinicalResource>() -> ApiRouter<QueryState> {
    let (collection, name, plural) = (R::COLLECTION, R::SINGULAR, R::PLURAL);
    let words = words(plural);
    routes_around::<R>().api_route(
        &format!("/{collection}/{{id}}"),
        get_with(one::one::<R>, |op| {
            op.id(&format!("get{name}"))
                .tag(&tag(plural))
                .summary(&format!("One of the {words}"))
                .description("With everything that was corrected in it. `as_of` answers what the record said then.")
        }),
    )
}

/// The same without the resource itself, for one that is shown in its own way.
pub fn routes_around<R: ClinicalResource>() -> ApiRouter<QueryState> {
    let (collection, name, plural) = (R::COLLECTION, R::SINGULAR, R::PLURAL);
    ApiRouter::new()
        .api_route(
            &format!("/{collection}"),
            get_with(list::list::<R>, |op| {
                op.id(&format!("list{plural}")).tag(&tag(plural)).summary(&format!("{} of the clinic", tag(plural))).description(
                    "The latest first, as far as the asker may see them. `patient` finds those of the whole group of a \
                     merged patient; a portal login sees its own patient's.",
                )
            }),
        )
        .api_route(
            &format!("/{collection}/{{id}}/history"),
            get_with(history::history::<R>, |op| {
                op.id(&format!("list{name}History")).tag(&tag(plural)).summary("What happened to it").description(
                    "Each version, the latest first: who made it, when, by which command, why. Its content then is \
                     what `as_of` answers.",
                )
            }),
        )
        .merge(routes_of_patient::<R>())
}

/// `GET /patients/{id}/visits` alone, for what is no resource of its own.
pub fn routes_of_patient<R: ClinicalResource>() -> ApiRouter<QueryState> {
    let (collection, plural) = (R::COLLECTION, R::PLURAL);
    ApiRouter::new().api_route(
        &format!("/patients/{{id}}/{collection}"),
        get_with(list::of_patient::<R>, |op| {
            op.id(&format!("listPatient{plural}"))
                .tag("Patients")
                .summary(&format!("A patient's {}", words(plural)))
                .description("The latest first; also those that were recorded under another id of the same person.")
        }),
    )
}

/// As commands are grouped: `Lab reports`.
pub(crate) fn tag(plural: &str) -> String {
    let words = words(plural);
    let (first, rest) = words.split_at(1);
    first.to_uppercase() + rest
}

/// `lab reports` of `LabReports`.
fn words(plural: &str) -> String {
    let mut words = String::new();
    for letter in plural.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plural_is_written_in_words() {
        assert_eq!(words("Visits"), "visits");
        assert_eq!((words("LabReports").as_str(), tag("LabReports").as_str()), ("lab reports", "Lab reports"));
    }
}
