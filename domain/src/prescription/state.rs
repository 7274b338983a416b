//! What the rules know of a prescription, and how each event changes it. Nothing of it is sealed: which medicine it is
//! is read from the chart by the decisions that ask for it.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use events::{
    DoctorId, PatientId, PrescriptionEvent, PrescriptionId, PrescriptionItemId,
    prescription::{AlertId, PrescriptionStatus, Supply},
};
use rust_decimal::Decimal;

#[derive(Clone, Debug, PartialEq)]
pub struct Prescription {
    pub status: PrescriptionStatus,
    pub patient: PatientId,
    /// Who issued it, or is to.
    pub doctor: Option<DoctorId>,
    pub replaces: Option<PrescriptionId>,
    /// In the order in which they were added.
    pub lines: Vec<Line>,
    /// Alerts of the draft that do not hold it back.
    pub overridden: BTreeSet<AlertId>,
    pub refills: Refills,
    /// From then on nothing is handed out; `None`: it was not issued.
    pub expires_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub item: PrescriptionItemId,
    pub supply: Supply,
    /// Handed out so far, in the unit of the quantity.
    pub dispensed: Decimal,
}

/// Further fillings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refills {
    pub authorised: i64,
    pub used: i64,
}

impl Prescription {
    pub fn is_draft(&self) -> bool {
        self.status == PrescriptionStatus::Draft
    }

    pub fn is_issued(&self) -> bool {
        self.expires_at.is_some()
    }

    pub fn line(&self, item: PrescriptionItemId) -> Option<&Line> {
        self.lines.iter().find(|line| line.item == item)
    }

    /// What may still be handed out of a line: the first filling and the refills in use, less what has been.
    pub fn left(&self, line: &Line) -> Decimal {
        line.supply.quantity.value * Decimal::from(1 + self.refills.used) - line.dispensed
    }

    /// Whether everything has been handed out, the refills too.
    pub fn is_exhausted(&self) -> bool {
        self.refills.used == self.refills.authorised && self.lines.iter().all(|line| self.left(line).is_zero())
    }

    pub fn nothing_dispensed(&self) -> bool {
        self.lines.iter().all(|line| line.dispensed.is_zero())
    }

    /// The state after the first event.
    pub(super) fn from_first(event: &PrescriptionEvent) -> Option<Self> {
        let PrescriptionEvent::PrescriptionDrafted { patient, doctor, replaces, .. } = event else { return None };
        Some(Self {
            status: PrescriptionStatus::Draft,
            patient: *patient,
            doctor: *doctor,
            replaces: *replaces,
            lines: Vec::new(),
            overridden: BTreeSet::new(),
            refills: Refills::default(),
            expires_at: None,
        })
    }

    /// The state after an event; `None`: it cannot follow.
    pub(super) fn apply(mut self, event: &PrescriptionEvent) -> Option<Self> {
        use PrescriptionStatus as Is;
        match event {
            PrescriptionEvent::PrescriptionDrafted { .. } => return None,
            PrescriptionEvent::PrescriptionItemAdded { item, supply, .. } => {
                self.in_draft()?;
                let line = Line { item: *item, supply: supply.clone(), dispensed: Decimal::ZERO };
                self.line(*item).is_none().then(|| self.lines.push(line))?;
            }
            PrescriptionEvent::PrescriptionItemChanged { item, supply, .. } => {
                self.in_draft()?;
                self.line_mut(*item)?.supply = supply.clone();
            }
            PrescriptionEvent::PrescriptionItemRemoved { item, .. } => {
                self.in_draft()?;
                self.line(*item)?;
                self.lines.retain(|line| line.item != *item);
            }
            PrescriptionEvent::PrescriptionAlertOverridden { alert, .. } => {
                self.in_draft()?;
                self.overridden.insert(alert.clone());
            }
            PrescriptionEvent::PrescriptionIssued { doctor, refills, expires_at, .. } => {
                self.moves(Is::Draft, Is::Active)?;
                self.doctor = Some(*doctor);
                self.refills.authorised = *refills;
                self.expires_at = Some(*expires_at);
            }
            PrescriptionEvent::PrescriptionDispensed { item, quantity, .. } => {
                self.in_status(Is::Active)?;
                self.line_mut(*item)?.dispensed += quantity.value;
            }
            PrescriptionEvent::PrescriptionRefillAuthorised { refills, .. } => {
                self.status.is_current().then(|| self.refills.authorised += refills)?;
            }
            PrescriptionEvent::PrescriptionRefillUsed { refill, .. } => {
                self.in_status(Is::Active)?;
                self.refills.used = *refill;
            }
            PrescriptionEvent::PrescriptionHeld { .. } => self.moves(Is::Active, Is::OnHold)?,
            PrescriptionEvent::PrescriptionReleased { .. } => self.moves(Is::OnHold, Is::Active)?,
            PrescriptionEvent::PrescriptionStopped { was, .. }
            | PrescriptionEvent::PrescriptionReplaced { was, .. } => self.moves(*was, Is::Stopped)?,
            PrescriptionEvent::PrescriptionCancelled { was, .. } => self.moves(*was, Is::Cancelled)?,
            PrescriptionEvent::PrescriptionCompleted { was, .. } => self.moves(*was, Is::Completed)?,
            PrescriptionEvent::PrescriptionExpired { was, .. } => self.moves(*was, Is::Expired)?,
            PrescriptionEvent::PrescriptionEnteredInError { was, .. } => self.moves(*was, Is::EnteredInError)?,
            PrescriptionEvent::PrescriptionPrinted { .. } => {}
        }
        Some(self)
    }

    fn in_draft(&self) -> Option<()> {
        self.in_status(PrescriptionStatus::Draft)
    }

    fn in_status(&self, status: PrescriptionStatus) -> Option<()> {
        (self.status == status).then_some(())
    }

    fn moves(&mut self, from: PrescriptionStatus, to: PrescriptionStatus) -> Option<()> {
        self.in_status(from)?;
        self.status = to;
        Some(())
    }

    fn line_mut(&mut self, item: PrescriptionItemId) -> Option<&mut Line> {
        self.lines.iter_mut().find(|line| line.item == item)
    }
}
