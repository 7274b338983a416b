//! What of each row whoever asks may see.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use event_store::StoredRow;
use events::{AggregateKind, Ledger, UserId};
use futures::future::BoxFuture;
use serde_json::Value;
use service_kit::{Capability, Limit, Problem, Reach};
use uuid::Uuid;

use crate::{
    audit::{Veil, same_person, showing},
    reader::Reader,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Not even that it is there, beside its hash.
    Withheld,
    /// All but its sealed part.
    Closed,
    /// With the key of its sealed part.
    Open,
}

pub trait Sights: Send + Sync {
    /// One for each row, in their order.
    fn look<'a>(&'a self, rows: &'a [StoredRow]) -> BoxFuture<'a, Result<Vec<Sight>, Problem>>;
}

/// Of somebody who runs the installation: every row, and its sealed parts where they are asked for.
pub struct Everything {
    pub with_keys: bool,
}

impl Sights for Everything {
    fn look<'a>(&'a self, rows: &'a [StoredRow]) -> BoxFuture<'a, Result<Vec<Sight>, Problem>> {
        let sight = if self.with_keys { Sight::Open } else { Sight::Closed };
        Box::pin(async move { Ok(vec![sight; rows.len()]) })
    }
}

/// Of a reader: what the reader's other rights show.
impl Sights for Reader {
    fn look<'a>(&'a self, rows: &'a [StoredRow]) -> BoxFuture<'a, Result<Vec<Sight>, Problem>> {
        Box::pin(async move {
            let own = match self.scope().patient() {
                Some(patient) => Some(same_person(self, patient).await?),
                None => None,
            };
            // Under whichever of their ids it was recorded.
            let is_own =
                |row: &StoredRow| own.as_ref().zip(row.patient).is_some_and(|(own, whose)| own.contains(&whose.0));
            // Whoever has a restricted record sees it.
            let veil = if own.is_none() { Some(Veil::of(self, rows).await?) } else { None };
            let is_open = |row: &StoredRow| veil.as_ref().is_none_or(|veil| veil.is_open(row.patient));
            let (now, notes) = (Utc::now(), Notes::among(rows));
            let see = |row: &StoredRow| match may_read(self, row) {
                _ if !is_open(row) => Sight::Withheld,
                _ if notes.is_draft_of_another(row, self.scope().user()) => Sight::Closed,
                _ if own.is_some() && row.ledger == Ledger::Access && !is_told(row, now) => Sight::Withheld,
                reach if reach.is_everything() => Sight::Open,
                // What was not released to the patient is not told by the row.
                _ if own.is_some() && &*row.stream_kind == AggregateKind::Document.as_str() => Sight::Closed,
                reach if is_own(row) && reach.covers(Limit::Own) => Sight::Open,
                reach if is_own(row) && reach.covers(Limit::Released) && notes.is_released(row) => Sight::Open,
                Reach::Nothing if row.ledger == Ledger::Access && own.is_none() => Sight::Withheld,
                _ => Sight::Closed,
            };
            Ok(rows.iter().map(see).collect())
        })
    }
}

/// What became of the notes among some rows. What it is not told of, it takes for unsigned and unreleased.
struct Notes {
    /// Streams and versions of signatures, which follow right on the draft that they are of.
    signed: HashSet<(Uuid, i64)>,
    released: HashSet<Uuid>,
}

impl Notes {
    fn among(rows: &[StoredRow]) -> Self {
        let of = |event: &'static str| rows.iter().filter(move |row| row.event_type == event);
        Self {
            signed: of("NoteSigned").map(|row| (row.stream_id, row.stream_version)).collect(),
            released: of("NoteReleased").map(|row| row.stream_id).collect(),
        }
    }

    /// Whether it holds words that nobody has signed, and that are another's.
    fn is_draft_of_another(&self, row: &StoredRow, user: UserId) -> bool {
        matches!(&*row.event_type, "NoteStarted" | "NoteDraftSaved")
            && row.actor_user != Some(user)
            && !self.signed.contains(&(row.stream_id, row.stream_version + 1))
    }

    fn is_released(&self, row: &StoredRow) -> bool {
        self.released.contains(&row.stream_id)
    }
}

/// Whether a patient is told of an access: as in the access log, what people did, and no disclosure of which an
/// agency has asked that they are not told yet.
fn is_told(row: &StoredRow, now: DateTime<Utc>) -> bool {
    let payload: Value = serde_json::from_slice(&row.payload).unwrap_or_default();
    let suspended = payload["suspended_until"].as_str().and_then(|until| until.parse::<DateTime<Utc>>().ok());
    showing().contains(&&*row.event_type) && row.actor_kind == "person" && suspended.is_none_or(|until| until <= now)
}

fn may_read(reader: &Reader, row: &StoredRow) -> Reach {
    capability(row).map_or(Reach::Nothing, |capability| reader.grant(capability).read)
}

/// What one must be allowed to read to see the sealed part of a row. Of a kind that is not known here nobody sees it.
fn capability(row: &StoredRow) -> Option<Capability> {
    Some(match &*row.stream_kind {
        "patient" => crate::routes::history::capability(&row.event_type),
        "appointment" => Capability::Appointments,
        "document" => Capability::Documents,
        "dental_chart" | "dental_template" => Capability::DentalChart,
        "charge" | "invoice" => Capability::Billing,
        "lab_order" => Capability::Prescribe,
        "lab_report" => Capability::LabResults,
        "visit" => of_visit(&row.event_type),
        "prescription" => Capability::Prescribe,
        "note" => Capability::Notes,
        "case_study" => Capability::CaseStudies,
        "staff" if row.patient.is_some() => Capability::PortalAccounts,
        "staff" => Capability::Staff,
        "doctor" => Capability::DoctorHours,
        "clinic" | "department" => Capability::ClinicProfile,
        "access" => Capability::Audit,
        _ => return None,
    })
}

fn of_visit(event: &str) -> Capability {
    match event {
        "VitalsRecorded" | "VitalsEnteredInError" => Capability::Vitals,
        "DiagnosisRecorded" | "DiagnosisCorrected" | "DiagnosisEnteredInError" => Capability::Prescribe,
        _ => Capability::Visits,
    }
}
