//! What the rules know of an order, and how each event changes it. Nothing of it is sealed.

use std::collections::{BTreeMap, BTreeSet};

use events::{
    DoctorId, LabOrderEvent, LabOrderId, LabReportId, PatientId, SpecimenId,
    claim::ClaimKey,
    lab_order::{LabOrderStatus, TestKind},
};

#[derive(Clone, Debug, PartialEq)]
pub struct LabOrder {
    pub status: LabOrderStatus,
    pub patient: PatientId,
    /// A draft has none.
    pub doctor: Option<DoctorId>,
    pub kinds: BTreeSet<TestKind>,
    pub specimens: BTreeMap<SpecimenId, Tube>,
    /// The report that completed it.
    pub report: Option<LabReportId>,
}

/// A specimen that was collected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tube {
    pub barcode: String,
    pub kind: TestKind,
    pub rejected: bool,
}

impl LabOrder {
    /// The barcodes of all specimens, rejected ones too: a label is never printed twice.
    pub(super) fn held(&self) -> Vec<ClaimKey> {
        self.specimens.values().map(|tube| barcode_claim(&tube.barcode)).collect()
    }

    /// A specimen of that kind which was not rejected.
    pub(super) fn good_specimen(&self, kind: TestKind) -> Option<SpecimenId> {
        self.specimens.iter().find(|(_, tube)| tube.kind == kind && !tube.rejected).map(|(id, _)| *id)
    }

    /// The state after the first event.
    pub(super) fn from_first(event: &LabOrderEvent) -> Option<Self> {
        let (status, doctor, kinds) = match event {
            LabOrderEvent::LabTestsDrafted { kinds, .. } => (LabOrderStatus::Draft, None, kinds),
            LabOrderEvent::LabTestsOrdered { doctor, kinds, .. } => (LabOrderStatus::Active, Some(*doctor), kinds),
            LabOrderEvent::LabOrderActivated { .. }
            | LabOrderEvent::SpecimenCollected { .. }
            | LabOrderEvent::SpecimenRejected { .. }
            | LabOrderEvent::LabOrderHeld { .. }
            | LabOrderEvent::LabOrderReleased { .. }
            | LabOrderEvent::LabOrderRevoked { .. }
            | LabOrderEvent::LabOrderCompleted { .. }
            | LabOrderEvent::LabOrderReopened { .. } => return None,
        };
        let (patient, kinds) = (event.patient(), kinds.iter().copied().collect());
        Some(Self { status, patient, doctor, kinds, specimens: BTreeMap::new(), report: None })
    }

    /// The state after an event; `None`: it cannot follow.
    pub(super) fn apply(mut self, event: &LabOrderEvent) -> Option<Self> {
        use LabOrderStatus::{Active, Completed, Draft, OnHold, Revoked};
        let (was, status) = match event {
            LabOrderEvent::LabTestsDrafted { .. } | LabOrderEvent::LabTestsOrdered { .. } => return None,
            LabOrderEvent::LabOrderActivated { doctor, .. } => {
                self.doctor = Some(*doctor);
                (Draft, Active)
            }
            LabOrderEvent::SpecimenCollected { specimen, .. } => {
                let tube = Tube { barcode: specimen.barcode.clone(), kind: specimen.kind, rejected: false };
                self.specimens.insert(specimen.id, tube).is_none().then_some(())?;
                (Active, Active)
            }
            LabOrderEvent::SpecimenRejected { specimen, .. } => {
                let tube = self.specimens.get_mut(specimen).filter(|tube| !tube.rejected)?;
                tube.rejected = true;
                (self.status, self.status)
            }
            LabOrderEvent::LabOrderHeld { .. } => (Active, OnHold),
            LabOrderEvent::LabOrderReleased { .. } => (OnHold, Active),
            LabOrderEvent::LabOrderRevoked { was, .. } => (*was, Revoked),
            LabOrderEvent::LabOrderCompleted { report, .. } => {
                self.report = Some(*report);
                (Active, Completed)
            }
            LabOrderEvent::LabOrderReopened { report, .. } => {
                (self.report.take() == Some(*report)).then_some(())?;
                (Completed, Active)
            }
        };
        (was == self.status).then_some(())?;
        self.status = status;
        Some(self)
    }
}

/// A label is one tube's, in the whole clinic and for ever.
pub(super) fn barcode_claim(barcode: &str) -> ClaimKey {
    ClaimKey::clinic("specimen-barcode", barcode)
}

/// An order has one report at a time; the report holds it, unless it was struck out.
pub(crate) fn report_claim(order: LabOrderId) -> ClaimKey {
    ClaimKey::clinic("lab-report", order)
}
