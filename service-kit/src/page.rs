//! Lists by pages: `limit`, an opaque `cursor`, `Link: <…>; rel="next"`.

use aide::{
    OperationInput, OperationOutput,
    generate::GenContext,
    openapi::{Operation, Response as ApiResponse},
};
use aws_lc_rs::digest;
use axum::{
    extract::{FromRequestParts, OriginalUri},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use events::Position;
use http::{HeaderValue, header::LINK, request::Parts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    headers::position_header,
    json::{Json, pairs, parse_pairs},
    problem::{INVALID_CURSOR, Problem},
    replay::{self, REPLAY},
};

pub const LIMIT_DEFAULT: u32 = 50;
pub const LIMIT_MAX: u32 = 200;
/// Longer is no cursor of ours.
const CURSOR_CHARS_MAX: usize = 1024;
const FINGERPRINT_BYTES: usize = 8;

/// The query of a list: `limit` and `cursor`, and whatever `F` takes (it denies unknown fields).
#[derive(Clone, Debug)]
pub struct ListQuery<F> {
    pub filters: F,
    /// Rows wanted, 1 to 200.
    pub limit: u32,
    cursor: Option<String>,
    path: String,
    /// All but `cursor`, for the link to the next page.
    rest: Vec<(String, String)>,
    fingerprint: String,
}

/// What a cursor holds: the key of the last row, and which filters it belongs to.
#[derive(Serialize, Deserialize)]
struct Cursor<K> {
    k: K,
    f: String,
}

/// Parameters that every list takes.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct PageParameters {
    /// At most so many items.
    #[schemars(range(min = 1, max = 200), default = "limit_default")]
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

fn limit_default() -> Option<u32> {
    Some(LIMIT_DEFAULT)
}

impl<F> ListQuery<F> {
    /// One row more than wanted, which tells whether there is a next page.
    pub fn fetch(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// The key after which the page begins, as [`ListQuery::answer`] wrote it; 400 for anything else.
    pub fn after<K: DeserializeOwned>(&self) -> Result<Option<K>, Problem> {
        let Some(text) = &self.cursor else { return Ok(None) };
        let cursor = decode::<K>(text).filter(|cursor| cursor.f == self.fingerprint);
        cursor.map(|cursor| Some(cursor.k)).ok_or_else(|| Problem::new(INVALID_CURSOR))
    }

    /// The page, from up to [`ListQuery::fetch`] rows in their order. `key` names a row for the next page; a cursor
    /// stands in addresses, so it must hold no personal value: for a list sorted by name it is the row's id.
    pub fn answer<T, K: Serialize>(&self, mut items: Vec<T>, position: Position, key: impl Fn(&T) -> K) -> List<T> {
        let more = items.len() > self.limit as usize;
        items.truncate(self.limit as usize);
        let last = items.last().filter(|_| more).map(key);
        let next = last.and_then(|k| encode(&Cursor { k, f: self.fingerprint.clone() }));
        let link = next.as_deref().and_then(|cursor| self.link(cursor));
        List { body: Items { items, next }, position, link }
    }

    fn link(&self, cursor: &str) -> Option<HeaderValue> {
        let mut pairs = self.rest.clone();
        pairs.push(("cursor".to_owned(), cursor.to_owned()));
        let query = serde_urlencoded::to_string(pairs).ok()?;
        HeaderValue::try_from(format!("<{}?{query}>; rel=\"next\"", self.path)).ok()
    }
}

fn encode<K: Serialize>(cursor: &Cursor<K>) -> Option<String> {
    serde_json::to_vec(cursor).ok().map(|json| BASE64_URL_SAFE_NO_PAD.encode(json))
}

fn decode<K: DeserializeOwned>(text: &str) -> Option<Cursor<K>> {
    if text.len() > CURSOR_CHARS_MAX {
        return None;
    }
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

/// A cursor goes with its filters: another order or filter makes its key meaningless.
fn fingerprint(path: &str, filters: &[(String, String)]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in filters.iter().flat_map(|(name, value)| [name.as_str(), value]).chain([path]) {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    BASE64_URL_SAFE_NO_PAD.encode(&context.finish().as_ref()[..FINGERPRINT_BYTES])
}

fn limit(text: Option<&str>) -> Result<u32, Problem> {
    let Some(text) = text else { return Ok(LIMIT_DEFAULT) };
    match text.parse::<u32>() {
        Ok(limit @ 1..=LIMIT_MAX) => Ok(limit),
        _ => Err(Problem::parameter("limit", "Expected a whole number from 1 to 200.")),
    }
}

impl<F: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for ListQuery<F> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // A nested router sees a shortened address.
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |uri| &uri.0);
        Self::read(uri.path(), uri.query().unwrap_or_default(), replay::is_taken(parts))
    }
}

impl<F: DeserializeOwned> ListQuery<F> {
    /// `in_replay`: the parameter `replay` was taken before.
    fn read(path: &str, query: &str, in_replay: bool) -> Result<Self, Problem> {
        let (mut cursors, rest): (Vec<_>, Vec<_>) = pairs(query)?.into_iter().partition(|(name, _)| name == "cursor");
        let (limits, mut filters): (Vec<_>, Vec<_>) = rest.iter().cloned().partition(|(name, _)| name == "limit");
        if cursors.len() > 1 || limits.len() > 1 {
            return Err(Problem::parameter("cursor", "limit and cursor may be given once."));
        }
        let limit = limit(limits.first().map(|(_, value)| value.as_str()))?;
        // A cursor goes with its replay as it does with its filters.
        let asked: Vec<_> = filters.iter().filter(|(name, _)| !in_replay || name != REPLAY).cloned().collect();
        let parsed = parse_pairs(&asked)?;
        filters.sort();
        let fingerprint = fingerprint(path, &filters);
        let cursor = cursors.pop().map(|(_, value)| value);
        Ok(Self { filters: parsed, limit, cursor, path: path.to_owned(), rest, fingerprint })
    }
}

impl<F: JsonSchema> OperationInput for ListQuery<F> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        axum::extract::Query::<F>::operation_input(ctx, operation);
        axum::extract::Query::<PageParameters>::operation_input(ctx, operation);
    }
}

/// The body of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ListOf{T}")]
pub struct Items<T> {
    pub items: Vec<T>,
    /// Cursor of the next page; `null` on the last.
    pub next: Option<String>,
}

/// A page of a list, ready to be answered.
#[derive(Clone, Debug)]
pub struct List<T> {
    body: Items<T>,
    position: Position,
    link: Option<HeaderValue>,
}

impl<T> List<T> {
    /// The items that are shown: what an access record lists.
    pub fn items(&self) -> &[T] {
        &self.body.items
    }
}

impl<T> List<T> {
    /// The same page of what is made of its items; those of which nothing is made are not shown, and the page is shorter.
    pub fn filter_map<U>(self, make: impl FnMut(T) -> Option<U>) -> List<U> {
        let Items { items, next } = self.body;
        let body = Items { items: items.into_iter().filter_map(make).collect(), next };
        List { body, position: self.position, link: self.link }
    }
}

impl<T: Serialize> IntoResponse for List<T> {
    fn into_response(self) -> Response {
        let link = self.link.map(|link| [(LINK, link)]);
        ([position_header(self.position)], link, Json(self.body)).into_response()
    }
}

impl<T: JsonSchema> OperationOutput for List<T> {
    type Inner = Items<T>;

    fn operation_response(ctx: &mut GenContext, operation: &mut Operation) -> Option<ApiResponse> {
        Json::<Items<T>>::operation_response(ctx, operation)
    }

    fn inferred_responses(ctx: &mut GenContext, operation: &mut Operation) -> Vec<(Option<u16>, ApiResponse)> {
        Json::<Items<T>>::inferred_responses(ctx, operation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::NoFilters;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Filters {
        status: Option<String>,
    }

    fn read(query: &str) -> Result<ListQuery<Filters>, Problem> {
        ListQuery::read("/clinic/sunrise/api/v1/patients", query, false)
    }

    #[test]
    fn a_page_leads_to_the_next_and_the_last_to_none() {
        let first = read("status=active&limit=2").unwrap();
        assert_eq!((first.filters.status.as_deref(), first.fetch()), (Some("active"), 3));
        let page = first.answer(vec![10, 20, 30], 7, |row| *row);
        assert_eq!(page.items(), [10, 20]);
        let link = page.link.clone().unwrap().to_str().unwrap().to_owned();
        let address = link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap();
        let (path, query) = address.split_once('?').unwrap();
        assert_eq!(path, "/clinic/sunrise/api/v1/patients");
        let second = read(query).unwrap();
        assert_eq!((second.limit, second.after::<i64>().unwrap()), (2, Some(20)));
        let last = second.answer(vec![30], 7, |row| *row);
        assert_eq!((last.body.next, last.link), (None, None));
    }

    #[test]
    fn a_cursor_goes_with_its_filters_and_its_key() {
        let page = read("status=active&limit=1").unwrap().answer(vec![1, 2], 7, |row| *row);
        let cursor = page.body.next.unwrap();
        let with = |query: &str| read(&format!("{query}&cursor={cursor}")).unwrap();
        assert_eq!(with("status=active&limit=9").after::<i64>().unwrap(), Some(1));
        assert_eq!(with("status=inactive").after::<i64>().unwrap_err().code(), "invalid-cursor");
        assert_eq!(with("status=active").after::<String>().unwrap_err().code(), "invalid-cursor");
    }

    #[test]
    fn garbage_is_no_cursor() {
        for garbage in ["x", "%00", "eyJrIjoxfQ", "e30", &"A".repeat(2000)] {
            let query = read(&format!("cursor={garbage}"));
            let code = query.and_then(|query| query.after::<i64>()).unwrap_err().code();
            assert!(matches!(code, "invalid-cursor" | "invalid-parameter"), "{garbage}");
        }
    }

    #[test]
    fn limits_and_unknown_parameters_are_checked() {
        assert_eq!(read("").unwrap().limit, LIMIT_DEFAULT);
        for query in ["limit=0", "limit=201", "limit=x", "limit=1&limit=2", "sort=name", "status=a&status=b"] {
            assert_eq!(read(query).err().map(|problem| problem.code()), Some("invalid-parameter"), "{query}");
        }
        assert!(ListQuery::<NoFilters>::read("/", "status=a", false).is_err());
    }

    #[test]
    fn the_next_page_is_of_the_same_replay() {
        let query = format!("replay={}&limit=1", uuid::Uuid::from_u128(7));
        let in_replay = |query: &str| ListQuery::<Filters>::read("/patients", query, true);
        let page = in_replay(&query).unwrap().answer(vec![1, 2], 7, |row| *row);
        let link = page.link.unwrap().to_str().unwrap().to_owned();
        let next = link.split(['?', '>']).nth(1).unwrap();
        assert!(next.contains("replay="), "{next}");
        assert_eq!(in_replay(next).unwrap().after::<i64>().unwrap(), Some(1));
        let cursor = page.body.next.unwrap();
        let elsewhere = in_replay(&format!("limit=1&cursor={cursor}")).unwrap();
        assert_eq!(elsewhere.after::<i64>().unwrap_err().code(), "invalid-cursor");
        assert!(read(&query).is_err(), "who does not take the parameter does not know it");
    }
}
