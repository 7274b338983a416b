//! The medicines that a clinic sees: the platform's, in the clinic's own words where it has them, and its own.

use std::collections::HashMap;

use aide::axum::{ApiRouter, routing::get_with};
use events::{
    AggregateKind, MedicineId,
    medicine::{Coding, DoseRange, Ingredient, MedicineEntry},
    values::Money,
};
use read_models::{MedicineRow, Medicines, medicine::words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{
    Capability, ListQuery, Path, Problem, Query,
    answer::Resource,
    etag::{ETag, IfNoneMatch},
    json::NoFilters,
    page::{Items, List},
};
use strum::IntoStaticStr;
use uuid::Uuid;

use super::ById;
use crate::{
    QueryState,
    reader::{Live, Reader},
    scope::{Reflected, Select},
    sql::Sql,
    versions::{self, Versioned},
};

const MODELS: &[&str] = &["medicine_1"];
const FOUND_DEFAULT: i32 = 20;
const FOUND_MAX: i32 = 100;
const TERM_CHARS_MAX: usize = 100;
const WORDS_MAX: usize = 8;

/// Whose catalogue a medicine belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Catalogue {
    /// Every clinic's.
    Platform,
    /// This clinic's own.
    Clinic,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum MedicineStatus {
    /// Can be found and prescribed.
    #[default]
    Listed,
    /// The clinic hides it.
    Hidden,
    /// Nobody prescribes it any more.
    Retired,
}

/// A medicine as the clinic sees it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Medicine {
    pub id: MedicineId,
    pub catalogue: Catalogue,
    pub status: MedicineStatus,
    /// The clinic has its own wording of the platform's entry.
    pub overridden: bool,
    /// Of what the clinic says of it; 0 where it says nothing, and the platform's entry is shown.
    pub version: i64,
    pub name: String,
    pub generic_name: Option<String>,
    pub ingredients: Vec<Ingredient>,
    /// Allergy classes.
    pub classes: Vec<String>,
    pub form: Option<String>,
    pub route: Option<String>,
    /// What is counted when it is given out (UCUM).
    pub unit: Option<String>,
    pub strength: Option<String>,
    pub manufacturer: Option<String>,
    pub pack: Option<String>,
    /// Of a pack.
    pub price: Option<Money>,
    pub codes: Vec<Coding>,
    pub doses: Option<DoseRange>,
}

/// What the two ledgers say of one medicine.
#[derive(Deserialize)]
struct Said {
    here: Option<MedicineRow>,
    platform: Option<MedicineRow>,
}

const BOTH: &str = "to_jsonb(c) AS here, to_jsonb(p) AS platform";
/// The rows of the clinic, and of the platform where they are about one of its medicines.
const FROM_CLINIC: &str = " FROM read.medicine_1 c LEFT JOIN read.medicine_1 p ON NOT c.is_own AND p.id = c.id \
     AND p.clinic_id = '00000000-0000-0000-0000-000000000000'";
/// Both rows of the medicine that `m` names.
const WITH_BOTH: &str = " LEFT JOIN read.medicine_1 c ON c.clinic_id = s.clinic AND c.id = m.id \
     LEFT JOIN read.medicine_1 p ON p.clinic_id = '00000000-0000-0000-0000-000000000000' AND p.id = m.id";

impl Said {
    /// Changes whenever either of the two says something new.
    fn tag(&self) -> ETag {
        let position = |row: &Option<MedicineRow>| row.as_ref().map_or(0, |row| row.position);
        ETag::of_resource(self.version(), position(&self.here) + position(&self.platform))
    }

    fn version(&self) -> i64 {
        self.here.as_ref().map_or(0, |row| row.version)
    }

    fn status(&self) -> MedicineStatus {
        let (here, platform) = (self.here.as_ref(), self.platform.as_ref());
        let owner = here.filter(|row| row.is_own).or(platform);
        match (owner.is_none_or(|row| row.retired), here.is_some_and(|row| row.hidden)) {
            (true, _) => MedicineStatus::Retired,
            (false, true) => MedicineStatus::Hidden,
            (false, false) => MedicineStatus::Listed,
        }
    }

    /// `None` where neither has an entry.
    fn medicine(self) -> Option<Medicine> {
        let (version, status) = (self.version(), self.status());
        let is_own = self.here.as_ref().is_some_and(|row| row.is_own);
        let id = self.here.as_ref().or(self.platform.as_ref())?.id;
        let here = self.here.and_then(|row| row.entry);
        let overridden = here.is_some() && !is_own;
        let entry = here.or_else(|| self.platform.and_then(|row| row.entry))?;
        let catalogue = if is_own { Catalogue::Clinic } else { Catalogue::Platform };
        Some(Medicine::of(entry, id, (catalogue, status, overridden, version)))
    }
}

impl Medicine {
    fn of(
        entry: MedicineEntry,
        id: MedicineId,
        (catalogue, status, overridden, version): (Catalogue, MedicineStatus, bool, i64),
    ) -> Self {
        Self {
            id,
            catalogue,
            status,
            overridden,
            version,
            name: entry.name,
            generic_name: entry.generic_name,
            ingredients: entry.ingredients,
            classes: entry.classes,
            form: entry.form,
            route: entry.route,
            unit: entry.unit,
            strength: entry.strength,
            manufacturer: entry.manufacturer,
            pack: entry.pack,
            price: entry.price,
            codes: entry.codes,
            doses: entry.doses,
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MedicineFilters {
    catalogue: Option<Catalogue>,
    /// `listed` where it is not given.
    #[serde(default)]
    status: MedicineStatus,
}

/// Where a page ended: the name as it is sorted, and the id.
#[derive(Serialize, Deserialize)]
struct Last(String, MedicineId);

#[derive(Deserialize)]
struct Listed {
    sorted_by: String,
    id: MedicineId,
    #[serde(flatten)]
    said: Said,
}

impl MedicineFilters {
    fn keeps(&self, catalogue: Catalogue) -> bool {
        self.catalogue.is_none_or(|wanted| wanted == catalogue)
    }

    /// The clinic's own, and those of the platform that it says something of; then those that it says nothing of. Each
    /// in its order and no more than are wanted, so that the platform's are read along their index.
    fn select(&self, after: Option<Last>, fetch: i64) -> Sql {
        let after = after.map(|Last(name, id)| (name, id.0));
        let (is_retired, is_hidden) = (self.status == MedicineStatus::Retired, self.status == MedicineStatus::Hidden);
        let sql = Sql::new("u.sorted_by, u.id, u.here, u.platform FROM (")
            .push("(SELECT coalesce(c.name_text, p.name_text) AS sorted_by, c.id, ")
            .push(BOTH)
            .push(FROM_CLINIC)
            .push(" WHERE c.clinic_id = s.clinic AND coalesce(c.name_text, p.name_text) IS NOT NULL AND ")
            .bind(self.keeps(Catalogue::Clinic))
            .push(" >= c.is_own AND ")
            .bind(self.keeps(Catalogue::Platform))
            .push(" >= NOT c.is_own AND (CASE WHEN c.is_own THEN c.retired ELSE p.retired IS NOT FALSE END) = ")
            .bind(is_retired)
            .push(" AND (")
            .bind(is_retired)
            .push(" OR c.hidden = ")
            .bind(is_hidden)
            .push(")");
        let sql = page(sql, "coalesce(c.name_text, p.name_text), c.id", after.clone(), fetch)
            .push(") UNION ALL (SELECT p.name_text, p.id, NULL::jsonb, to_jsonb(p)")
            .push(" FROM read.medicine_1 p WHERE p.clinic_id = '00000000-0000-0000-0000-000000000000' AND ")
            .bind(self.keeps(Catalogue::Platform) && !is_hidden)
            .push(" AND NOT EXISTS (SELECT FROM read.medicine_1 c WHERE c.clinic_id = s.clinic AND c.id = p.id)")
            .push(" AND p.retired = ")
            .bind(is_retired);
        page(sql, "p.name_text, p.id", after, fetch).push(")) u ORDER BY u.sorted_by, u.id LIMIT ").bind(fetch)
    }
}

/// A part of a page: what comes after the last one, in the order of `key`.
fn page(sql: Sql, key: &'static str, after: Option<(String, Uuid)>, fetch: i64) -> Sql {
    let sql = match after {
        None => sql,
        Some((name, id)) => sql.push(" AND (").push(key).push(") > (").bind(name).push(", ").bind(id).push(")"),
    };
    sql.push(" ORDER BY ").push(key).push(" LIMIT ").bind(fetch)
}

async fn list(reader: Live, query: ListQuery<MedicineFilters>) -> Result<List<Medicine>, Problem> {
    let Live(reader) = reader;
    reader.may_read(Capability::Medicines).await?;
    let sql = query.filters.select(query.after::<Last>()?, query.fetch());
    let Reflected { value: rows, position } = reader.all::<Listed>(Select::new(MODELS, sql)).await?;
    let page = query.answer(rows, position, |row| Last(row.sorted_by.clone(), row.id));
    Ok(page.filter_map(|row| row.said.medicine()))
}

async fn one(
    reader: Live,
    Path(path): Path<ById>,
    _: Query<NoFilters>,
    known: IfNoneMatch,
) -> Result<Resource<Medicine>, Problem> {
    let Live(reader) = reader;
    reader.may_read(Capability::Medicines).await?;
    let found = by_id(&reader, path.id).await?;
    let (tag, position) = (found.value.tag(), found.position);
    let medicine = found.value.medicine().ok_or_else(Problem::not_found)?;
    Ok(Resource::new(medicine, tag, position).unless(&known))
}

async fn by_id(reader: &Reader, id: Uuid) -> Result<Reflected<Said>, Problem> {
    let sql = Sql::new(BOTH)
        .push(" FROM (SELECT ")
        .bind(id)
        .push("::uuid AS id) m")
        .push(WITH_BOTH)
        .push(" WHERE c.id IS NOT NULL OR p.id IS NOT NULL");
    reader.one::<Said>(Select::new(MODELS, sql)).await?.found()
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SearchTerms {
    /// The beginning of a name, or words of the name, the generic name or the composition; each must fit.
    #[schemars(length(min = 1, max = 100))]
    q: String,
    /// At most so many, the best first.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<i32>,
}

impl SearchTerms {
    fn words(&self) -> Result<Vec<String>, Problem> {
        if self.q.chars().count() > TERM_CHARS_MAX {
            return Err(Problem::parameter("q", "Expected at most 100 characters."));
        }
        let words = words(&self.q);
        match words.len() {
            1..=WORDS_MAX => Ok(words),
            _ => Err(Problem::parameter("q", "Expected one to eight words.")),
        }
    }

    fn limit(&self) -> Result<i32, Problem> {
        match self.limit.unwrap_or(FOUND_DEFAULT) {
            limit @ 1..=FOUND_MAX => Ok(limit),
            _ => Err(Problem::parameter("limit", "Expected a whole number from 1 to 100.")),
        }
    }
}

async fn search(reader: Live, Query(terms): Query<SearchTerms>) -> Result<Reflected<Items<Medicine>>, Problem> {
    let Live(reader) = reader;
    reader.may_read(Capability::Medicines).await?;
    let sql = Sql::new("found.here, found.platform FROM read.search_medicines(")
        .bind(terms.words()?)
        .push(", ")
        .bind(terms.limit()?)
        .push(") m CROSS JOIN LATERAL (SELECT ")
        .push(BOTH)
        .push(" FROM (SELECT) one")
        .push(WITH_BOTH)
        .push(" OFFSET 0) found ORDER BY m.place");
    let found = reader.all::<Said>(Select::new(MODELS, sql)).await?;
    Ok(found.map(|rows| Items { items: rows.into_iter().filter_map(Said::medicine).collect(), next: None }))
}

impl Versioned for Medicines {
    const KIND: AggregateKind = AggregateKind::Medicine;
    const COLLECTION: &'static str = "medicines";
    const SINGULAR: &'static str = "Medicine";
    const TAG: &'static str = "Medicines";

    async fn find(reader: &Reader, id: Uuid) -> Result<(), Problem> {
        reader.may_read(Capability::Medicines).await?;
        by_id(reader, id).await.map(drop)
    }
}

#[derive(Deserialize)]
struct Named {
    id: MedicineId,
    #[serde(flatten)]
    said: Said,
}

/// What the clinic says today of these medicines.
pub(crate) async fn entries(
    reader: &Reader,
    medicines: Vec<MedicineId>,
) -> Result<HashMap<MedicineId, MedicineEntry>, Problem> {
    let ids: Vec<Uuid> = medicines.into_iter().map(|id| id.0).collect();
    let sql = Sql::new("m.id, ").push(BOTH).push(" FROM unnest(").bind(ids).push("::uuid[]) m(id)").push(WITH_BOTH);
    let found = reader.all::<Named>(Select::new(MODELS, sql)).await?.value;
    let entry = |said: Said| said.here.and_then(|row| row.entry).or_else(|| said.platform?.entry);
    Ok(found.into_iter().filter_map(|Named { id, said }| Some((id, entry(said)?))).collect())
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new()
        .api_route(
            "/medicines",
            get_with(list, |op| {
                op.id("listMedicines").tag("Medicines").summary("The medicines that the clinic sees").description(
                    "The platform's catalogue, in the clinic's own words where it has them and without what it hides, \
                     and the clinic's own, by name. `status=hidden` lists what the clinic hides, `status=retired` what \
                     is not prescribed any more.",
                )
            }),
        )
        .api_route(
            "/medicines/search",
            get_with(search, |op| {
                op.id("searchMedicines").tag("Medicines").summary("Find a medicine as one types").description(
                    "By the beginning of its name, its generic name or its composition, under British, Indian and \
                     American names of a substance; accents and case do not matter, and a slip of the pen is forgiven. \
                     The best fit comes first. Finds what the clinic sees, and nothing else.",
                )
            }),
        )
        .api_route(
            "/medicines/{id}",
            get_with(one, |op| {
                op.id("getMedicine").tag("Medicines").summary("One medicine").description(
                    "As the clinic sees it; also one that it hides, or that was retired. `version` is that of what the \
                     clinic says of it: 0 for an entry of the platform that it says nothing of.",
                )
            }),
        )
        .merge(versions::routes::<Medicines>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_and_too_much_are_refused() {
        let words = |q: &str| SearchTerms { q: q.to_owned(), limit: None }.words();
        assert_eq!(words("Amox-clav 625").unwrap(), ["amox", "clav", "625"]);
        for q in ["", " - ", "a b c d e f g h i", &"x".repeat(101)] {
            assert_eq!(words(q).unwrap_err().code(), "invalid-parameter", "{q}");
        }
    }
}
