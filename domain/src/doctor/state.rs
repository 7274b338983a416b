//! What the rules know of a doctor, and how each event changes it. Nothing of it is sealed.

use chrono::NaiveDate;
use events::{
    DoctorEvent, LeaveId, OfficeId,
    calendar::{WorkingHours, day_of},
    claim::{ClaimKey, KeyedHash},
    values::{Money, Span},
};

use crate::Clinic;

#[derive(Clone, Debug, PartialEq)]
pub struct Doctor {
    pub active: bool,
    pub licence_hash: KeyedHash,
    pub licence_expires: Option<NaiveDate>,
    /// The first is the primary one.
    pub offices: Vec<OfficeId>,
    /// Empty: the hours of each office.
    pub hours: Vec<WorkingHours>,
    pub leaves: Vec<(LeaveId, Span)>,
    pub fee: Option<Money>,
}

impl Doctor {
    pub fn is_active(&self) -> bool {
        self.active
    }

    /// Whether the doctor is assigned to the office.
    pub fn works_in(&self, office: OfficeId) -> bool {
        self.offices.contains(&office)
    }

    /// The hours that the doctor really has: their own, or else those of their offices; in open offices.
    pub fn hours_in(&self, clinic: &Clinic) -> Vec<WorkingHours> {
        if !self.hours.is_empty() {
            return self.hours.iter().filter(|hours| clinic.office(hours.office_id).is_some()).copied().collect();
        }
        let offices = self.offices.iter().filter_map(|id| clinic.office(*id));
        offices.flat_map(|office| WorkingHours::of_office(office.id, &office.hours)).collect()
    }

    /// The working hours in the office that the span begins in, if it lies in working hours as a whole:
    /// hours that follow one another without a gap are one. The span is the visit without the buffer
    /// after it.
    pub fn hours_over(&self, clinic: &Clinic, office: OfficeId, span: &Span) -> Option<WorkingHours> {
        let (zone, here) = (clinic.zone(), |hours: &WorkingHours| hours.office_id == office);
        let hours: Vec<WorkingHours> = self.hours_in(clinic).into_iter().filter(here).collect();
        let days = day_of(span.from, zone).iter_days().take_while(|day| *day <= day_of(span.to, zone));
        let mut blocks: Vec<(Span, WorkingHours)> =
            days.flat_map(|day| hours.iter().filter_map(move |hours| Some((hours.on(day, zone)?, *hours)))).collect();
        blocks.sort_by_key(|(block, _)| block.from);
        let (first, begins) = *blocks.iter().find(|(block, _)| block.from <= span.from && span.from < block.to)?;
        let goes_on = |end, (block, _): &(Span, WorkingHours)| if block.from <= end { block.to.max(end) } else { end };
        (span.to <= blocks.iter().fold(first.to, goes_on)).then_some(begins)
    }

    /// A leave that the span touches.
    pub fn leave_overlapping(&self, span: &Span) -> Option<LeaveId> {
        self.leaves.iter().find(|(_, leave)| leave.overlaps(span)).map(|(id, _)| *id)
    }

    /// A licence without an end is valid; otherwise its last day is the last on which it is.
    pub fn licence_valid_on(&self, day: NaiveDate) -> bool {
        self.licence_expires.is_none_or(|last| day <= last)
    }

    /// What the doctor holds that no other may have.
    pub(crate) fn held(&self) -> Vec<ClaimKey> {
        self.active.then(|| licence_claim(&self.licence_hash)).into_iter().collect()
    }

    /// The state after an event; `None`: it cannot follow.
    pub(super) fn apply(mut self, event: &DoctorEvent) -> Option<Self> {
        if !self.active {
            return None;
        }
        match event {
            DoctorEvent::DoctorRegistered { .. } => return None,
            DoctorEvent::OfficeAssigned { office } => {
                (!self.works_in(*office)).then(|| self.offices.push(*office))?;
            }
            DoctorEvent::OfficeUnassigned { office } => self.offices.retain(|assigned| assigned != office),
            DoctorEvent::PrimaryOfficeSet { office } => {
                let at = self.offices.iter().position(|assigned| assigned == office)?;
                self.offices[..=at].rotate_right(1);
            }
            DoctorEvent::WorkingHoursSet { hours } => self.hours.clone_from(hours),
            DoctorEvent::LeaveDeclared { leave, span, .. } => self.leaves.push((*leave, *span)),
            DoctorEvent::LeaveCancelled { leave } => self.leaves.retain(|(id, _)| id != leave),
            DoctorEvent::FeeSet { fee } => self.fee = Some(fee.clone()),
            DoctorEvent::LicenceRecorded { licence_hash, expires, .. } => {
                self.licence_hash = licence_hash.clone();
                self.licence_expires = *expires;
            }
            DoctorEvent::DoctorDeactivated { .. } => self.active = false,
        }
        Some(self)
    }

    /// The state after the first event.
    pub(super) fn from_first(event: &DoctorEvent) -> Option<Self> {
        let DoctorEvent::DoctorRegistered { licence_hash, licence_expires, offices, .. } = event else { return None };
        Some(Self {
            active: true,
            licence_hash: licence_hash.clone(),
            licence_expires: *licence_expires,
            offices: offices.clone(),
            hours: Vec::new(),
            leaves: Vec::new(),
            fee: None,
        })
    }
}

pub(super) fn licence_claim(hash: &KeyedHash) -> ClaimKey {
    ClaimKey::clinic("licence", hash)
}
