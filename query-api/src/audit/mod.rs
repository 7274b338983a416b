//! The audit trail as people read it: which rows of the two ledgers ([`filters`], [`order`], [`page`]), and what
//! each says ([`entry`]): a sentence, the numbers that people know instead of ids ([`labels`]), and what changed
//! ([`history`]), as far as the reader may see it.

mod access;
pub(crate) mod content;
mod entry;
mod fhir;
mod filters;
mod history;
mod labels;
mod order;
mod page;
mod veil;

pub(crate) use access::{AccessPage, Accounted, access_rows, accounted, showing};
pub use content::Content;
pub(crate) use entry::tell;
pub use entry::{AuditChange, AuditEntry, AuditResource};
pub(crate) use fhir::audit_events;
pub(crate) use filters::AuditFilters;
pub use filters::LedgerName;
pub(crate) use page::{Last, Part, entries, one, same_person};
pub(crate) use veil::{Veil, is_open};
