//! Patients found by a part of a name, a phone or a number, as somebody types it.

use aide::axum::{ApiRouter, routing::get_with};
use read_models::search::fold_text;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{Capability, Problem, Query, page::Items};

use super::{
    MODELS,
    body::{PatientSummary, SUMMARY, SummaryRow},
};
use crate::{
    QueryState,
    audience::Audience,
    disclosure::{Disclosed, Subjects, disclose},
    reader::Reader,
    scope::{Reflected, Select},
    sql::Sql,
};

const FOUND_DEFAULT: i32 = 20;
const FOUND_MAX: i32 = 100;
const TERM_CHARS_MAX: usize = 100;
const WORDS_MAX: usize = 6;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SearchTerms {
    /// Parts of names, of a number or of a phone, separated by blanks; each must fit.
    #[schemars(length(min = 1, max = 100))]
    q: String,
    /// At most so many, the best first.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<i32>,
}

impl SearchTerms {
    /// As the search compares them; a phone number written with blanks or dashes is one word of digits.
    fn words(&self) -> Result<Vec<String>, Problem> {
        if self.q.chars().count() > TERM_CHARS_MAX {
            return Err(Problem::parameter("q", "Expected at most 100 characters."));
        }
        let words: Vec<String> = match as_phone(&self.q) {
            Some(digits) => vec![digits],
            None => fold_text(&self.q).split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect(),
        };
        match words.len() {
            1..=WORDS_MAX => Ok(words),
            _ => Err(Problem::parameter("q", "Expected one to six words.")),
        }
    }

    fn limit(&self) -> Result<i32, Problem> {
        match self.limit.unwrap_or(FOUND_DEFAULT) {
            limit @ 1..=FOUND_MAX => Ok(limit),
            _ => Err(Problem::parameter("limit", "Expected a whole number from 1 to 100.")),
        }
    }
}

/// The digits of what can only be a phone number.
fn as_phone(text: &str) -> Option<String> {
    let only = |c: char| c.is_ascii_digit() || " +-()./".contains(c);
    let digits = read_models::search::digits(text);
    (text.chars().all(only) && !digits.is_empty()).then_some(digits)
}

/// For each hit its row: the planner would rather read the whole clinic, not knowing how few hits there are.
fn select(words: Vec<String>, limit: i32, audience: Audience) -> Select {
    let sql = Sql::new("found.* FROM read.search_patients(").bind(words).push(", ").bind(limit);
    let sql = sql
        .push(") hit CROSS JOIN LATERAL (SELECT p.search_text, ")
        .push(SUMMARY)
        .push(" WHERE p.clinic_id = s.clinic AND p.id = hit.id AND p.status <> 'erased' OFFSET 0) found");
    let sql = match audience.restricted {
        true => sql,
        false => sql.push(" WHERE found.confidentiality = 'normal'"),
    };
    Select::new(MODELS, sql.push(" ORDER BY hit.rank DESC, found.search_text, found.id"))
}

async fn search(
    reader: Reader,
    Query(terms): Query<SearchTerms>,
) -> Result<Disclosed<Reflected<Items<PatientSummary>>>, Problem> {
    let audience = Audience::of(&reader, Capability::PatientRead).await?;
    if audience.only.is_some() {
        return Err(reader.refuse(Capability::PatientRead).await);
    }
    let select = select(terms.words()?, terms.limit()?, audience);
    let now = reader.now();
    let found = reader.all::<SummaryRow>(select).await?;
    let found = found.map(|rows| rows.into_iter().map(|row| row.shown(now)).collect::<Vec<_>>());
    let shown = Subjects::listed(found.value.iter().map(|patient| patient.id));
    let answer = found.map(|items| Items { items, next: None });
    disclose(&reader, Capability::PatientRead, shown, answer).await
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new().api_route(
        "/patients/search",
        get_with(search, |op| {
            op.id("searchPatients").tag("Patients").summary("Find a patient").description(
                "By part of a name, a phone or a number; accents and case do not matter, and a slip of the pen in a \
                 name is forgiven. The best fit comes first; merged patients are found and name the survivor.",
            )
        }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(q: &str) -> Result<Vec<String>, Problem> {
        SearchTerms { q: q.to_owned(), limit: None }.words()
    }

    #[test]
    fn a_phone_number_is_one_word() {
        assert_eq!(words("+91 98200-12345").unwrap(), ["919820012345"]);
        assert_eq!(words("Ásha  RAO").unwrap(), ["asha", "rao"]);
        assert_eq!(words("PT-2026-00001").unwrap(), ["pt-2026-00001"]);
    }

    #[test]
    fn nothing_and_too_much_are_refused() {
        for q in ["", "   ", "a b c d e f g", &"x".repeat(101)] {
            assert_eq!(words(q).unwrap_err().code(), "invalid-parameter", "{q}");
        }
    }
}
