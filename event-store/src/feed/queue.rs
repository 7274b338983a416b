//! Clinics that wait their turn, each at most once.

use std::collections::{HashSet, VecDeque};

use events::ClinicId;

#[derive(Default)]
pub(super) struct Queue {
    order: VecDeque<ClinicId>,
    waiting: HashSet<ClinicId>,
}

impl Queue {
    pub(super) fn push(&mut self, clinic: ClinicId) {
        if self.waiting.insert(clinic) {
            self.order.push_back(clinic);
        }
    }

    pub(super) fn pop(&mut self) -> Option<ClinicId> {
        let clinic = self.order.pop_front()?;
        self.waiting.remove(&clinic);
        Some(clinic)
    }

    pub(super) fn remove(&mut self, clinic: ClinicId) {
        if self.waiting.remove(&clinic) {
            self.order.retain(|waiting| *waiting != clinic);
        }
    }

    pub(super) fn contains(&self, clinic: ClinicId) -> bool {
        self.waiting.contains(&clinic)
    }

    pub(super) fn len(&self) -> usize {
        self.order.len()
    }
}
