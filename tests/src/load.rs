//! People at work: a front desk that registers and books without end, until it is told to stop.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use serde_json::json;
use tokio::task::JoinSet;

use crate::{TestClinic, working_time};

const DESKS: usize = 4;
/// Slots of the days that the load books into.
const SLOTS_A_DAY: usize = 36;

/// Commands being given in the background. Every one of them has to be answered as it should be.
pub struct Load {
    stop: Arc<AtomicBool>,
    given: Arc<AtomicUsize>,
    desks: JoinSet<()>,
}

impl Load {
    /// Several desks in one clinic, which must have room for their patients.
    pub async fn on(clinic: &TestClinic) -> Self {
        let (stop, given) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let mut desks = JoinSet::new();
        for desk in 0..DESKS {
            let doctor = clinic.doctor().await;
            let (clinic, stop, given) = (clinic.clone(), stop.clone(), given.clone());
            desks.spawn(async move {
                for n in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    work(&clinic, &doctor, desk, n).await;
                    given.fetch_add(2, Ordering::Relaxed);
                }
            });
        }
        Self { stop, given, desks }
    }

    /// Waits until so many more commands were given.
    pub async fn more(&self, commands: usize) {
        let until = self.given.load(Ordering::Relaxed) + commands;
        while self.given.load(Ordering::Relaxed) < until {
            tokio::task::yield_now().await;
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    /// Ends it; how many commands were given. Fails if one of them was not answered as it should be.
    pub async fn end(mut self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.desks.join_next().await {
            ended.expect("every command of the load is answered");
        }
        self.given.load(Ordering::Relaxed)
    }
}

async fn work(clinic: &TestClinic, doctor: &str, desk: usize, n: usize) {
    let name = format!("Patient {desk}-{n}");
    let patient = clinic.post("/patients", json!({"first_name": name, "gender": "female"})).await.expect(201).id();
    let (day, slot) = (n / SLOTS_A_DAY, (n % SLOTS_A_DAY) as u32);
    let start = working_time(day as u64, 9 + slot / 4, (slot % 4) * 15);
    clinic.post("/appointments", clinic.booking(&patient, doctor, start)).await.expect(201);
}
