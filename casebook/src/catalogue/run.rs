//! Gives the commands of a list, many at once, by the path of every command.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use command_api::execute::{Call, Executor, Failure};
use domain::{Aggregate, Catalogue, State, catalogue::ImportCatalogue};
use event_store::row::Hash;
use events::{Actor, ActorKind, CatalogueId, Client, ClinicId, StreamId, catalogue::CatalogueList};
use futures::{StreamExt, TryStreamExt, stream};
use uuid::Uuid;

use crate::{
    import::{
        give::{AGENT, execute},
        report::{Refused, Stage},
    },
    progress::Progress,
};

/// What is under way together shares commits.
const AT_ONCE: usize = 64;

/// A command, and the line that it stands for.
pub struct Order<C> {
    pub line: u64,
    /// It may stand for several lines.
    pub lines: u64,
    pub stage: Stage,
    pub target: StreamId,
    pub command: C,
}

/// What became of a list.
#[derive(Debug, Default)]
pub struct Tally {
    /// Lines that are in the catalogue now.
    pub taken: u64,
    pub refused: Vec<Refused>,
    pub took: Duration,
}

/// Imports into the platform's catalogue.
pub struct Import {
    pub executor: Executor,
    /// What all events of a run have in common.
    run: Uuid,
}

impl Import {
    pub fn new(executor: Executor) -> Self {
        Self { executor, run: Uuid::now_v7() }
    }

    /// Gives all of them. Of those that are so already nothing is recorded.
    ///
    /// # Errors
    /// When the log cannot be reached, or is corrupt. What is done stays, and a further run goes on from it.
    pub async fn give<A>(&self, orders: Vec<Order<impl Into<A::Command>>>) -> Result<Tally>
    where
        A: Aggregate,
        A::Command: Clone,
        for<'a> &'a A: TryFrom<&'a State>,
    {
        let (begun, progress) = (Instant::now(), Progress::start(orders.len() as u64, "lines"));
        let given = stream::iter(orders.into_iter().map(|order| self.one::<A>(order, &progress)));
        let sum = given.buffer_unordered(AT_ONCE).try_fold(Tally::default(), |mut sum, (lines, refused)| async move {
            match refused {
                None => sum.taken += lines,
                Some(refused) => sum.refused.push(refused),
            }
            Ok(sum)
        });
        Ok(Tally { took: begun.elapsed(), ..sum.await? })
    }

    async fn one<A>(&self, order: Order<impl Into<A::Command>>, progress: &Progress) -> Result<(u64, Option<Refused>)>
    where
        A: Aggregate,
        A::Command: Clone,
        for<'a> &'a A: TryFrom<&'a State>,
    {
        let Order { line, lines, stage, target, command } = order;
        let given = execute(&self.executor, self.call::<A>(target, stage.command(), command.into())).await;
        progress.add(1);
        match given {
            Ok(()) => Ok((lines, None)),
            Err(Failure::Refused(refusal)) => {
                let (code, reason) = (refusal.code.to_owned(), refusal.detail);
                Ok((lines, Some(Refused { line, stage, code, reason })))
            }
            Err(failure) => Err(anyhow!(failure)).with_context(|| format!("line {line}, {stage}")),
        }
    }

    /// Says that the list was read to its end.
    pub async fn done(&self, list: CatalogueList, source: &str, digest: Hash, tally: &Tally) -> Result<()> {
        let command = ImportCatalogue {
            list,
            source: source.parse()?,
            sha256: hex::encode(digest),
            count: tally.taken.cast_signed(),
            refused: tally.refused.len() as i64,
        };
        let call = self.call::<Catalogue>(CatalogueId::of(list).into(), "ImportCatalogue", command);
        Ok(execute(&self.executor, call).await?)
    }

    fn call<A: Aggregate>(&self, target: StreamId, name: &'static str, command: A::Command) -> Call<A> {
        let mut call = Call::new(ClinicId::PLATFORM, target, name, command);
        call.actor = Actor { kind: ActorKind::Import, ..Actor::system() };
        call.client = Client { address: None, agent: Some(AGENT.to_owned()) };
        call.correlation_id = self.run;
        call
    }
}
