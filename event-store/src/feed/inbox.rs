//! How an ingest tells its feeds that there is something to fetch. Bounded by the number of clinics.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError, Weak},
};

use events::ClinicId;
use tokio::sync::Notify;

use super::queue::Queue;

/// Clinics that have moved since their feed last looked.
#[derive(Default)]
pub(super) struct Inbox {
    moved: Mutex<HashSet<ClinicId>>,
    news: Notify,
}

impl Inbox {
    fn put(&self, clinics: &[ClinicId]) {
        self.moved.lock().unwrap_or_else(PoisonError::into_inner).extend(clinics);
        self.news.notify_one();
    }

    pub(super) fn empty_into(&self, queue: &mut Queue) {
        self.moved.lock().unwrap_or_else(PoisonError::into_inner).drain().for_each(|clinic| queue.push(clinic));
    }

    /// Until something was put in since the last call.
    pub(super) async fn news(&self) {
        self.news.notified().await;
    }
}

/// The inboxes of all feeds that still live.
#[derive(Default)]
pub(super) struct Inboxes(Mutex<Vec<Weak<Inbox>>>);

impl Inboxes {
    pub(super) fn add(&self, inbox: Weak<Inbox>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(inbox);
    }

    pub(super) fn tell(&self, moved: &[ClinicId]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|inbox| match inbox.upgrade() {
            Some(inbox) => {
                inbox.put(moved);
                true
            }
            None => false,
        });
    }
}
