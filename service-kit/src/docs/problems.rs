//! The codes of problems, explained.

use super::html::{escape, inline};
use crate::problem::{ALL, Kind};

/// The general kinds and those of the services, by status and code, each code once.
pub(super) fn all(rules: &[&[Kind]]) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = ALL.iter().chain(rules.iter().copied().flatten()).copied().collect();
    kinds.sort_by_key(|kind| (kind.status.as_u16(), kind.code));
    kinds.dedup_by_key(|kind| kind.code);
    kinds
}

pub(super) fn render(kinds: &[Kind]) -> String {
    let rows: String = kinds.iter().map(row).collect();
    format!(
        "<section id=\"problems\"><h2>Problem codes</h2><p>Every refusal and failure is \
         <code>application/problem+json</code> (RFC 9457). Decide on <code>code</code>; its <code>type</code> leads \
         here.</p><div class=\"problems\">{rows}</div></section>"
    )
}

fn row(kind: &Kind) -> String {
    let (code, title) = (escape(kind.code), escape(kind.title));
    format!(
        "<article id=\"problem-{code}\" class=\"problem\" data-search=\"{code} {title}\"><h3><a href=\"#problem-{code}\">\
         <code>{code}</code></a><span class=\"status s{class}\">{status}</span></h3>\
         <p class=\"title\">{title}</p><p>{explanation}</p></article>",
        class = kind.status.as_u16() / 100,
        status = kind.status.as_u16(),
        explanation = inline(kind.explanation),
    )
}
