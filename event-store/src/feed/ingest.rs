//! One ingest for each process: it gathers the newest events of all clinics, from NATS as they come and
//! from PostgreSQL what does not come, opens and decodes each once, and serves any number of feeds.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_nats::Client;
use events::ClinicId;
use tokio::{
    sync::{Notify, mpsc},
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::{
    clinics::Clinics,
    inbox::Inboxes,
    messages::{Signal, deliver},
    source::Source,
    want::{PAGE_EVENTS_MAX, Want},
};
use crate::{Span, StoredRow, outage::Outage};

/// How often heads are compared while NATS delivers: a lost last message shows within this time.
pub const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often heads are compared while NATS is away.
pub const LOOK_WITHOUT_NATS_EVERY: Duration = Duration::from_millis(50);
/// Looking takes at most one part in so many of the time, unless that would be less than every
/// [`LOOK_EVERY`].
const LOOK_SHARE: u32 = 10;
/// How long an event may come later than its successor, or than its head, before it is read.
pub const REORDER_WINDOW: Duration = Duration::from_millis(30);
/// Chunks of messages that wait for the ingest.
const WAITING_CHUNKS_MAX: usize = 16;

/// The handle of an ingest; it ends with the last handle and the last feed.
#[derive(Clone)]
pub struct Ingest(Arc<Running>);

struct Running {
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

/// What an ingest and its feeds have in common.
pub(super) struct Shared {
    pub(super) source: Source,
    pub(super) inboxes: Inboxes,
    clinics: Mutex<Clinics>,
    wake: Notify,
    hears_nats: AtomicBool,
}

impl Shared {
    pub(super) fn clinics(&self) -> MutexGuard<'_, Clinics> {
        self.clinics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ingest {
    /// Starts to gather. Without NATS, and while it is away, heads are looked at every
    /// [`LOOK_WITHOUT_NATS_EVERY`].
    pub fn start(source: Source, nats: Option<Client>) -> Self {
        let shared = Arc::new(Shared {
            source,
            inboxes: Inboxes::default(),
            clinics: Mutex::default(),
            wake: Notify::new(),
            hears_nats: AtomicBool::new(false),
        });
        let mut tasks = JoinSet::new();
        let (to, signals) = mpsc::channel(WAITING_CHUNKS_MAX);
        // Held by the ingest itself when there is no NATS, so that its channel stays open.
        let silent = match nats {
            Some(client) => {
                tasks.spawn(deliver(client, to));
                None
            }
            None => Some(to),
        };
        tasks.spawn(Gatherer::new(shared.clone(), silent).run(signals));
        Self(Arc::new(Running { shared, _tasks: tasks }))
    }

    /// Has the heads compared at once: for who knows that something was committed.
    pub fn wake(&self) {
        self.0.shared.wake.notify_one();
    }

    /// Whether NATS delivers now: without it everything comes as well, but later.
    pub fn hears_nats(&self) -> bool {
        self.0.shared.hears_nats.load(Ordering::Relaxed)
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.0.shared
    }
}

/// The task that owns all decisions about the tails.
struct Gatherer {
    shared: Arc<Shared>,
    outage: Outage,
    _silent: Option<mpsc::Sender<Signal>>,
    /// Messages that came since the last look.
    heard: usize,
    /// Whether the last look found events of which no message told.
    is_doubtful: bool,
    next_look: Instant,
    /// Clinics whose tails lack something, and since when.
    gaps: HashMap<ClinicId, Instant>,
}

impl Gatherer {
    fn new(shared: Arc<Shared>, silent: Option<mpsc::Sender<Signal>>) -> Self {
        Self {
            shared,
            outage: Outage::new("reading the log"),
            _silent: silent,
            heard: 0,
            is_doubtful: false,
            next_look: Instant::now(),
            gaps: HashMap::new(),
        }
    }

    async fn run(mut self, mut signals: mpsc::Receiver<Signal>) {
        let shared = self.shared.clone();
        loop {
            let fill_at = self.fill_at();
            tokio::select! {
                biased;
                () = sleep_until(self.next_look) => self.look().await,
                () = sleep_until(fill_at.unwrap_or(self.next_look)), if fill_at.is_some() => self.fill().await,
                () = shared.wake.notified() => self.look().await,
                signal = signals.recv() => match signal {
                    Some(signal) => self.heed(signal).await,
                    None => return,
                },
            }
        }
    }

    async fn heed(&mut self, signal: Signal) {
        match signal {
            Signal::Connected => self.note_nats(true),
            Signal::Lost => self.note_nats(false),
            Signal::Rows(rows) => {
                self.heard += rows.len();
                self.take_rows(rows).await;
            }
        }
    }

    /// Something may have been missed either way.
    fn note_nats(&mut self, delivers: bool) {
        self.shared.hears_nats.store(delivers, Ordering::Relaxed);
        self.next_look = Instant::now();
    }

    fn hears_nats(&self) -> bool {
        self.shared.hears_nats.load(Ordering::Relaxed)
    }

    /// What cannot be opened now, or not read at all, is asked of the log, as a gap: a message is no proof.
    async fn take_rows(&mut self, rows: Vec<StoredRow>) {
        match self.shared.source.decode(rows).await {
            Ok(mut events) => {
                let touched: Vec<ClinicId> = events.iter().map(|event| event.clinic).collect();
                events.retain(|event| event.recorded.is_ok());
                let grown = self.shared.clinics().take(events);
                self.shared.inboxes.tell(&grown);
                self.note_gaps(&touched);
            }
            Err(error) => self.outage.lasts(&error),
        }
    }

    fn note_gaps(&mut self, touched: &[ClinicId]) {
        let clinics = self.shared.clinics();
        for clinic in touched {
            match clinics.gap(*clinic) {
                Some(_) => drop(self.gaps.entry(*clinic).or_insert_with(Instant::now)),
                None => drop(self.gaps.remove(clinic)),
            }
        }
    }

    /// Compares the heads of the log with what has come.
    async fn look(&mut self) {
        let begun = Instant::now();
        match self.shared.source.heads().await {
            Ok(heads) => {
                self.outage.works();
                let moved = self.shared.clinics().compare(&heads);
                self.shared.inboxes.tell(&moved);
                self.note_all_gaps();
            }
            Err(error) => self.outage.lasts(&error),
        }
        self.next_look = Instant::now() + self.pause().max(begun.elapsed() * LOOK_SHARE).min(LOOK_EVERY);
        self.heard = 0;
    }

    /// Also forgets those that were closed meanwhile.
    fn note_all_gaps(&mut self) {
        let before = std::mem::take(&mut self.gaps);
        let since = |clinic: &ClinicId| before.get(clinic).copied().unwrap_or_else(Instant::now);
        self.gaps = self.shared.clinics().gaps().map(|clinic| (clinic, since(&clinic))).collect();
        self.is_doubtful &= !self.gaps.is_empty();
    }

    fn pause(&self) -> Duration {
        if self.hears_nats() && !self.is_doubtful { LOOK_EVERY } else { LOOK_WITHOUT_NATS_EVERY }
    }

    /// When the oldest gap has waited long enough.
    fn fill_at(&self) -> Option<Instant> {
        let window = if self.hears_nats() { REORDER_WINDOW } else { Duration::ZERO };
        self.gaps.values().min().map(|since| *since + window)
    }

    /// Reads what has not come.
    async fn fill(&mut self) {
        let wants = self.wants();
        match self.shared.source.page(wants.iter().map(Span::from)).await {
            Ok(events) => {
                self.outage.works();
                self.is_doubtful |= self.hears_nats() && self.heard == 0 && !events.is_empty();
                metrics::counter!("casebook_feed_filled_total").increment(events.len() as u64);
                let found: HashSet<ClinicId> = events.iter().map(|event| event.clinic).collect();
                let mut moved = self.shared.clinics().take(events);
                moved.extend(self.correct(&wants, &found));
                self.shared.inboxes.tell(&moved);
                self.note_gaps(&wants.iter().map(|want| want.clinic).collect::<Vec<_>>());
            }
            Err(error) => {
                self.outage.lasts(&error);
                self.gaps.clear(); // The next look finds them again.
            }
        }
    }

    /// As many gaps as fit into one page; the others keep their age and are next.
    fn wants(&mut self) -> Vec<Want> {
        let clinics = self.shared.clinics();
        self.gaps.retain(|clinic, _| clinics.gap(*clinic).is_some());
        let mut room = PAGE_EVENTS_MAX as i64;
        let wants = self.gaps.keys().filter_map(|clinic| clinics.gap(*clinic));
        wants
            .take_while(|want| {
                let fits = room > 0;
                room -= want.upto - want.after.position;
                fits
            })
            .collect()
    }

    /// A tail that did not grow: by rows that are there, it is of another log; because none are there,
    /// what it holds for later is.
    fn correct(&self, wants: &[Want], found: &HashSet<ClinicId>) -> Vec<ClinicId> {
        let mut clinics = self.shared.clinics();
        let is_stuck = |clinics: &Clinics, want: &Want| {
            clinics.gap(want.clinic).is_some_and(|gap| gap.after.position == want.after.position)
        };
        let stuck: Vec<ClinicId> =
            wants.iter().filter(|want| is_stuck(&clinics, want)).map(|want| want.clinic).collect();
        let (forked, empty): (Vec<_>, Vec<_>) = stuck.into_iter().partition(|clinic| found.contains(clinic));
        empty.iter().for_each(|clinic| clinics.drop_early(*clinic));
        forked.iter().for_each(|clinic| clinics.rebase(*clinic));
        forked
    }
}
