//! What a decision on a whole chart has to know of it: more than the patient's own events say.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use events::{
    AppointmentId, CaseStudyEvent, CaseStudyId, DocumentId, DomainEvent, Recorded, StaffEvent, StreamId, UserId,
    VisitId, retention::RecordClass,
};

use crate::prescription::safety::SafetyRecord;

/// A chart in short, folded over every event about the patient.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChartSummary {
    /// When the last thing happened that the clinical record is kept for.
    pub last_contact: Option<DateTime<Utc>>,
    /// Appointments that lie ahead or go on.
    pub open_appointments: BTreeSet<AppointmentId>,
    /// Documents for which bytes are kept.
    pub documents: BTreeSet<DocumentId>,
    /// Visits that are neither over nor struck out.
    pub open_visits: BTreeSet<VisitId>,
    /// Allergies, and what is prescribed.
    pub safety: SafetyRecord,
    /// Case studies that rest, or have rested, on a consent in this record.
    pub case_studies: BTreeSet<CaseStudyId>,
    /// Portal logins that have not ended.
    pub portal_logins: BTreeSet<UserId>,
}

impl ChartSummary {
    /// Of a chart's events in their order.
    pub fn of<'e>(chart: impl IntoIterator<Item = &'e Recorded>) -> Self {
        let mut summary = Self::default();
        chart.into_iter().for_each(|recorded| summary.take(recorded.stream, &recorded.event, recorded.occurred_at));
        summary
    }

    pub(crate) fn take(&mut self, stream: StreamId, event: &DomainEvent, occurred_at: DateTime<Utc>) {
        if event.record_class() == RecordClass::Clinical {
            self.last_contact = self.last_contact.max(Some(occurred_at));
        }
        self.safety.take(stream, event, occurred_at);
        match event {
            DomainEvent::Appointment(event) => keep(&mut self.open_appointments, stream.id.into(), event.leaves_open()),
            DomainEvent::Document(event) => keep(&mut self.documents, stream.id.into(), event.leaves_content()),
            DomainEvent::Visit(event) => keep(&mut self.open_visits, stream.id.into(), event.leaves_open()),
            DomainEvent::Staff(event) => {
                let ended = matches!(event, StaffEvent::StaffDeactivated { .. });
                keep(&mut self.portal_logins, stream.id.into(), !ended);
            }
            DomainEvent::CaseStudy(CaseStudyEvent::CaseStudyConsentLinked { .. }) => {
                self.case_studies.insert(stream.id.into());
            }
            DomainEvent::Clinic(_)
            | DomainEvent::Doctor(_)
            | DomainEvent::Patient(_)
            | DomainEvent::Note(_)
            | DomainEvent::CaseStudy(_)
            | DomainEvent::DentalChart(_)
            | DomainEvent::DentalTemplate(_)
            | DomainEvent::Charge(_)
            | DomainEvent::Invoice(_)
            | DomainEvent::LabOrder(_)
            | DomainEvent::LabReport(_)
            | DomainEvent::Department(_)
            | DomainEvent::Prescription(_)
            | DomainEvent::Access(_) => {}
            DomainEvent::Medicine(_)
            | DomainEvent::Substance(_)
            | DomainEvent::Catalogue(_)
            | DomainEvent::ShortKey(_) => {}
        }
    }
}

fn keep<T: Ord>(among: &mut BTreeSet<T>, one: T, is_there: bool) {
    match is_there {
        true => among.insert(one),
        false => among.remove(&one),
    };
}
