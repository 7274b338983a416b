//! A read model made again from the log: all of it beside the served table, or one clinic in place.

mod all;
mod clinic;
mod running;

use std::{future::Future, pin::Pin};

use event_store::feed::SourceError;
use events::ClinicId;
use read_models::{Projection, Visitor};

use crate::{Failure, history::History};

pub(crate) use clinic::{Folded, clinic};
pub use running::{Progress, Rebuilding};
pub(crate) use running::{Running, rebuilding};

#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    #[error("there is no read model {0}")]
    NoSuchProjection(String),
    #[error("{0} is being rebuilt already")]
    Busy(String),
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Failure(#[from] Failure),
    #[error("queries never paused long enough to put the rebuilt table in its place")]
    NeverFree,
}

impl From<sqlx::Error> for RebuildError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failure(error.into())
    }
}

/// Makes a read model (by its name, `patient`) again from the log, for one clinic or for all. Queries go on
/// meanwhile and never see a half-built table; followers may go on as well.
///
/// # Errors
/// The served rows are as they were.
pub async fn rebuild(
    history: &History,
    projection: &str,
    clinic: Option<ClinicId>,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<(), RebuildError> {
    let mut visitor = Rebuild { history, clinic, progress: Some(progress) };
    let rebuild = read_models::named(projection, &mut visitor);
    rebuild.ok_or_else(|| RebuildError::NoSuchProjection(projection.to_owned()))?.await
}

struct Rebuild<'a> {
    history: &'a History,
    clinic: Option<ClinicId>,
    progress: Option<&'a mut (dyn FnMut(Progress) + Send)>,
}

impl<'a> Visitor for Rebuild<'a> {
    type Output = Pin<Box<dyn Future<Output = Result<(), RebuildError>> + Send + 'a>>;

    fn visit<P: Projection>(&mut self) -> Self::Output {
        let (history, one) = (self.history, self.clinic);
        let progress = self.progress.take();
        Box::pin(async move {
            let mut silent = |_| ();
            let progress = progress.unwrap_or(&mut silent);
            match one {
                Some(one) => clinic::<P>(history, one, progress).await,
                None => all::all::<P>(history, progress).await,
            }
        })
    }
}
