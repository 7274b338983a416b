//! The writer: appends of many callers, committed in groups.
//!
//! A clinic always goes through the same of the process's writer tasks. What has queued while the last group
//! was committed is the next group: there is no timer. A group is decided in memory (`batch`), on what the
//! writer remembers of each ledger (`memory`) and what it has to read (`needs`), and written by one statement
//! (`write`) that first compares the heads. So a group costs one round trip, or two; where another process
//! appends to the same clinics, heads are locked before anything is decided (`trial`).

mod batch;
mod composite;
mod connection;
mod draft;
mod effects;
mod member;
mod memory;
mod needs;
mod rows;
mod trial;
mod write;

use std::{
    collections::{VecDeque, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
    num::NonZeroUsize,
    sync::Arc,
};

use lru::LruCache;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::{mpsc, oneshot};

use self::{
    connection::Connector,
    member::Member,
    trial::{Outcome, Shard},
};
use crate::{
    append::{Append, AppendError, Appended},
    row::StoredRow,
    vault::Vault,
};

/// Writer tasks, and so connections, of a process.
const SHARDS: usize = 2;
/// Commands that may wait for a shard; more callers than that wait for a place.
const QUEUE_COMMANDS_MAX: usize = 4_096;
const GROUP_COMMANDS_MAX: usize = 512;
const GROUP_EVENTS_MAX: usize = 2_048;
/// Ledgers that a shard remembers. More than a group can have.
const LEDGERS_MAX: NonZeroUsize = NonZeroUsize::new(1_024).expect("it is not zero");

/// Hears of every committed group, in the order of commits of each clinic. It must not block; what it drops, the
/// relay finds in the log.
pub trait CommitSink: Send + Sync {
    fn committed(&self, rows: Arc<[StoredRow]>);
}

/// The writer tasks of this process. They end when the last of its clones is dropped, after what was queued.
#[derive(Clone)]
pub(crate) struct Writers {
    queues: Vec<mpsc::Sender<Member>>,
}

impl Writers {
    pub(crate) fn start(options: &PgConnectOptions, vault: &Arc<Vault>, sink: Option<&Arc<dyn CommitSink>>) -> Self {
        let start = |_| {
            let (queue, commands) = mpsc::channel(QUEUE_COMMANDS_MAX);
            let shard = Shard {
                vault: vault.clone(),
                connector: Connector::new(options.clone()),
                memories: LruCache::new(LEDGERS_MAX),
                sink: sink.cloned(),
            };
            tokio::spawn(run(shard, commands));
            queue
        };
        Self { queues: (0..SHARDS).map(start).collect() }
    }

    pub(crate) async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let gone = || AppendError::Unavailable("the writer has ended".into());
        let mut hasher = DefaultHasher::new();
        append.clinic.hash(&mut hasher);
        let shard = usize::try_from(hasher.finish() % SHARDS as u64).expect("there are few shards");
        let (caller, answer) = oneshot::channel();
        self.queues[shard].send(Member::new(append, caller)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

async fn run(mut shard: Shard, mut commands: mpsc::Receiver<Member>) {
    let mut waiting = VecDeque::new();
    loop {
        if waiting.is_empty() {
            match commands.recv().await {
                Some(member) => waiting.push_back(member),
                None => return,
            }
        }
        while let Ok(member) = commands.try_recv() {
            waiting.push_back(member);
            if waiting.len() >= GROUP_COMMANDS_MAX {
                break;
            }
        }
        let deferred = settle_all(&mut shard, next_group(&mut waiting)).await;
        deferred.into_iter().rev().for_each(|member| waiting.push_front(member));
    }
}

/// As many as fit, in the order of arrival; at least one.
fn next_group(waiting: &mut VecDeque<Member>) -> Vec<Member> {
    let mut group = Vec::new();
    let mut events = 0;
    while let Some(member) = waiting.front() {
        events += member.append.events.len();
        if group.len() >= GROUP_COMMANDS_MAX || (events > GROUP_EVENTS_MAX && !group.is_empty()) {
            break;
        }
        group.extend(waiting.pop_front());
    }
    group
}

/// A group whose data is refused is halved until the culprit stands alone.
async fn settle_all(shard: &mut Shard, group: Vec<Member>) -> Vec<Member> {
    let mut parts = vec![group];
    let mut deferred = Vec::new();
    while let Some(part) = parts.pop() {
        match shard.settle(part).await {
            Outcome::Settled(waiting) => deferred.extend(waiting),
            Outcome::Refused(mut members, code) if members.len() == 1 => {
                let refused = members.pop().into_iter();
                refused.for_each(|member| member.answer(Err(AppendError::Refused(code.clone()))));
            }
            Outcome::Refused(mut members, _) => {
                let second = members.split_off(members.len() / 2);
                parts.push(second);
                parts.push(members);
            }
        }
    }
    deferred
}
