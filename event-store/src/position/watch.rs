//! Waiting for projections to reach a position.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_nats::{Client, Message, Subscriber, connection::State};
use events::{ClinicId, Position};
use futures::StreamExt;
use tokio::{
    sync::broadcast::{self, error::RecvError},
    time::{Instant, sleep, timeout_at},
};
use tokio_util::task::AbortOnDropHandle;

use super::{SUBJECTS, clinic_of, parts_of};

/// How often a waiting query looks for itself while no message comes.
pub const LOOK_WITHOUT_NATS_EVERY: Duration = Duration::from_millis(5);
/// The same while messages come, in case that one is lost.
pub const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How often it is asked whether the connection still stands.
const CHECK_EVERY: Duration = Duration::from_millis(100);
/// Announcements that one who waits may leave unread; who has left more looks for itself.
const UNREAD_MAX: usize = 64;

/// What came of waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    Reached,
    /// How far it was when the time was over.
    TimedOut(Position),
}

/// Wakes queries that wait for a position. One for each process.
#[derive(Clone)]
pub struct PositionWatch {
    shared: Arc<Shared>,
    _listener: Option<Arc<AbortOnDropHandle<()>>>,
}

#[derive(Default)]
struct Shared {
    hears: AtomicBool,
    /// The clinics for which somebody waits.
    waited_for: Mutex<HashMap<ClinicId, broadcast::Sender<Announced>>>,
}

type Announced = (Arc<str>, Position);

impl PositionWatch {
    pub fn start(nats: Option<Client>) -> Self {
        let shared = Arc::new(Shared::default());
        let listener =
            nats.map(|client| Arc::new(AbortOnDropHandle::new(tokio::spawn(listen(client, shared.clone())))));
        Self { shared, _listener: listener }
    }

    /// Whether announcements come now: without them waiting works as well, but asks more often.
    pub fn hears_nats(&self) -> bool {
        self.shared.hears.load(Ordering::Relaxed)
    }

    /// Waits until `look` sees the position, or for so long. `look` gives the lowest position of the
    /// projections named, as the database has it; it is asked first, and whenever there is reason to.
    pub async fn wait_until<E>(
        &self,
        projections: &[&str],
        clinic: ClinicId,
        position: Position,
        within: Duration,
        look: impl AsyncFn() -> Result<Position, E>,
    ) -> Result<Waited, E> {
        let deadline = Instant::now() + within;
        // Before the first look, so that nothing is missed between it and waiting.
        let mut waiting = Waiting::new(&self.shared, clinic);
        loop {
            let seen = look().await?;
            if seen >= position {
                return Ok(Waited::Reached);
            }
            if timeout_at(deadline, waiting.reason_to_look(projections, position)).await.is_err() {
                return Ok(Waited::TimedOut(seen));
            }
        }
    }
}

/// One who waits for a clinic; the last to leave takes the clinic off the list.
struct Waiting<'a> {
    shared: &'a Shared,
    clinic: ClinicId,
    announced: broadcast::Receiver<Announced>,
}

impl<'a> Waiting<'a> {
    fn new(shared: &'a Shared, clinic: ClinicId) -> Self {
        let mut waited_for = shared.waited_for();
        let sender = waited_for.entry(clinic).or_insert_with(|| broadcast::channel(UNREAD_MAX).0);
        Self { shared, clinic, announced: sender.subscribe() }
    }

    /// Until one of the projections has announced the position, or it is time to look anyway.
    async fn reason_to_look(&mut self, projections: &[&str], position: Position) {
        let hears = self.shared.hears.load(Ordering::Relaxed);
        let time_to_look = sleep(if hears { LOOK_EVERY } else { LOOK_WITHOUT_NATS_EVERY });
        tokio::pin!(time_to_look);
        loop {
            let announced = tokio::select! {
                announced = self.announced.recv() => announced,
                () = &mut time_to_look => return,
            };
            match announced {
                Ok((projection, at)) if at >= position && projections.contains(&&*projection) => return,
                Ok(_) => {}
                Err(RecvError::Lagged(_) | RecvError::Closed) => return,
            }
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut waited_for = self.shared.waited_for();
        if waited_for.get(&self.clinic).is_some_and(|sender| sender.receiver_count() <= 1) {
            waited_for.remove(&self.clinic);
        }
    }
}

impl Shared {
    fn waited_for(&self) -> MutexGuard<'_, HashMap<ClinicId, broadcast::Sender<Announced>>> {
        self.waited_for.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pass_on(&self, clinic: ClinicId, projection: &str, position: Position) {
        if let Some(sender) = self.waited_for().get(&clinic) {
            // Nobody there is no error: the last may just have left.
            let _ = sender.send((projection.into(), position));
        }
    }
}

async fn listen(client: Client, shared: Arc<Shared>) {
    let Ok(mut messages) = client.subscribe(SUBJECTS).await else { return };
    loop {
        shared.hears.store(client.connection_state() == State::Connected, Ordering::Relaxed);
        if !hear(&mut messages, &shared).await {
            return shared.hears.store(false, Ordering::Relaxed);
        }
    }
}

/// Until it is time to look at the connection. Whether there may be more.
async fn hear(messages: &mut Subscriber, shared: &Shared) -> bool {
    let until = Instant::now() + CHECK_EVERY;
    loop {
        match timeout_at(until, messages.next()).await {
            Ok(Some(message)) => heed(&message, shared),
            Ok(None) => return false,
            Err(_) => return true,
        }
    }
}

fn heed(message: &Message, shared: &Shared) {
    if let (Some(clinic), Some((projection, position))) = (clinic_of(&message.subject), parts_of(&message.payload)) {
        shared.pass_on(clinic, projection, position);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    const CLINIC: ClinicId = ClinicId::PLATFORM;

    #[tokio::test]
    async fn only_what_is_waited_for_wakes() {
        let shared = Shared { hears: AtomicBool::new(true), ..Shared::default() };
        let mut waiting = Waiting::new(&shared, CLINIC);
        let mut wakes = || waiting.reason_to_look(&["patient", "appointment"], 7).now_or_never().is_some();
        assert!(!wakes());
        shared.pass_on(CLINIC, "patient", 6);
        shared.pass_on(CLINIC, "doctor", 7);
        shared.pass_on(ClinicId(uuid::Uuid::from_u128(1)), "patient", 7);
        assert!(!wakes());
        shared.pass_on(CLINIC, "appointment", 8);
        assert!(wakes());
        assert!(!wakes());
    }

    #[tokio::test]
    async fn a_clinic_is_on_the_list_while_somebody_waits() {
        let shared = Shared::default();
        let (first, second) = (Waiting::new(&shared, CLINIC), Waiting::new(&shared, CLINIC));
        drop(first);
        assert_eq!(shared.waited_for().len(), 1);
        drop(second);
        assert_eq!(shared.waited_for().len(), 0);
    }
}
